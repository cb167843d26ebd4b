#pragma once
// Which figures of a run the table shows, in which order. Workloads share this list: a column of which no run
// has a figure is left out.
#include <span>

#include "lab/units.h"

namespace lab {

enum class Aggregate {
  median,
  maximum,  // of the worst cases: the median of five maxima would hide the one that matters
};

struct Column {
  const char* group;  // shared header line; empty for none
  const char* header;
  const char* metric;  // key in the run's "metrics"
  Unit unit;
  Aggregate aggregate;
};

std::span<const Column> columns();

}  // namespace lab
