#include "lab/table.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "lab/units.h"

namespace lab {
namespace {

constexpr std::size_t kGap = 2;  // blanks between two columns

std::string padded(const std::string& text, std::size_t width, bool flush_left) {
  const std::size_t have = display_width(text);
  const std::string blanks(width > have ? width - have : 0, ' ');
  return flush_left ? text + blanks : blanks + text;
}

std::string joined(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    line += padded(cells[i], widths[i], i == 0);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::size_t total(const std::vector<std::size_t>& widths) {
  std::size_t sum = widths.empty() ? 0 : kGap * (widths.size() - 1);
  for (const std::size_t width : widths) sum += width;
  return sum;
}

}  // namespace

void Table::add_column(std::string group, std::string header) {
  columns_.push_back({columns_.empty() ? "" : std::move(group), std::move(header)});
}

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) throw std::logic_error("Table: a row must have a cell for every column");
  rows_.push_back({false, std::move(cells)});
}

void Table::add_detail_row(std::vector<std::string> cells) {
  add_row(std::move(cells));
  rows_.back().detail = true;
}

std::vector<std::size_t> Table::widths(bool with_details) const {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].header);
    for (const Row& row : rows_)
      if (with_details || !row.detail) width = std::max(width, display_width(row.cells[i]));
    result.push_back(width);
  }
  // A group's name may be wider than its columns together: the first of them takes the difference.
  for (std::size_t first = 0, last = 0; first < columns_.size(); first = last) {
    std::size_t have = 0;
    for (last = first; last < columns_.size() && columns_[last].group == columns_[first].group; ++last)
      have += result[last] + (last > first ? kGap : 0);
    const std::size_t need = display_width(columns_[first].group);
    if (need > have) result[first] += need - have;
  }
  return result;
}

std::string Table::group_line(const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t first = 0, last = 0; first < columns_.size(); first = last) {
    std::size_t width = 0;
    for (last = first; last < columns_.size() && columns_[last].group == columns_[first].group; ++last)
      width += widths[last] + (last > first ? kGap : 0);
    if (first > 0) line.append(kGap, ' ');
    const std::string& group = columns_[first].group;
    if (group.empty()) {
      line.append(width, ' ');
      continue;
    }
    const std::size_t rest = width - display_width(group);
    // "── name ──" over the columns it covers, where there is room for the lines.
    std::string name = group;
    if (rest >= 4) {
      const std::size_t left = (rest - 2) / 2;
      std::string dashes_left, dashes_right;
      for (std::size_t i = 0; i < left; ++i) dashes_left += "─";
      for (std::size_t i = 0; i < rest - 2 - left; ++i) dashes_right += "─";
      name = dashes_left + " " + group + " " + dashes_right;
    }
    line += padded(name, width, false);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line.empty() ? line : line + "\n";
}

std::string Table::render(std::size_t columns_max) const {
  if (columns_.empty()) return {};
  bool with_details = true;
  std::vector<std::size_t> column_widths = widths(with_details);
  if (total(column_widths) > columns_max) column_widths = widths(with_details = false);

  std::vector<std::string> headers;
  for (const Column& column : columns_) headers.push_back(column.header);
  std::string text = group_line(column_widths) + joined(headers, column_widths);
  for (const Row& row : rows_)
    if (with_details || !row.detail) text += joined(row.cells, column_widths);
  return text;
}

}  // namespace lab
