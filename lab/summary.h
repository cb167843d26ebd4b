#pragma once
// What the table says about the repeats of one variant: the middle of its runs and how far they lie apart.
#include <cstddef>
#include <vector>

namespace lab {

struct Summary {
  double median = 0;
  double min = 0;
  double max = 0;
  std::size_t count = 0;  // 0: there was nothing to summarise, the other fields mean nothing
};

// The median of an even number of values is the mean of the middle two.
Summary summarise(std::vector<double> values);

}  // namespace lab
