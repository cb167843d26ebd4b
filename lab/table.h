#pragma once
// A plain text table: the first column is text, flush left; all others are figures, flush right. Adjacent
// columns with the same group share a second header line above their own headers.
#include <cstddef>
#include <string>
#include <vector>

namespace lab {

class Table {
 public:
  // The first column added is the one of the row names; its group is ignored.
  void add_column(std::string group, std::string header);

  // As many cells as there are columns. A detail row belongs to the row above it.
  void add_row(std::vector<std::string> cells);
  void add_detail_row(std::vector<std::string> cells);

  // Detail rows are left out, all of them, where the table would be wider than `columns_max` with them.
  std::string render(std::size_t columns_max) const;

 private:
  struct Column {
    std::string group;
    std::string header;
  };
  struct Row {
    bool detail;
    std::vector<std::string> cells;
  };

  std::vector<std::size_t> widths(bool with_details) const;
  std::string group_line(const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace lab
