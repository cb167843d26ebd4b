#pragma once
// A variant: one value for each experiment knob that is to be set. Several values for a knob make several
// variants; several such knobs, their product.
#include <string>
#include <utility>
#include <vector>

namespace lab {

struct KnobValues {
  std::string knob;
  std::vector<std::string> values;
};

struct Variant {
  std::vector<std::pair<std::string, std::string>> knobs;  // name and value, in the order of the command line
  bool go_twin = false;  // the workload's twin in Go instead, which takes what Go has: processors and gc_percent

  bool operator==(const Variant&) const = default;

  // What tells it from its siblings, e.g. "stop=ragged processors=2"; "defaults" where no knob is set; "Go ..." for a
  // twin.
  std::string label() const;
};

// "knob=value[,value...]". Throws std::invalid_argument, saying what is wrong and what would be right.
KnobValues parse_knob(const std::string& text);

// Splits "a,b,c"; throws std::invalid_argument when a value is empty or occurs twice. `what` names the list.
std::vector<std::string> split_values(const std::string& what, const std::string& list);

// The product; the last knob's values change fastest. Throws std::invalid_argument when a knob occurs twice.
std::vector<Variant> all_variants(const std::vector<KnobValues>& knobs);

// One variant by itself: "knob=value knob=value ...", or "defaults". Throws std::invalid_argument.
Variant parse_variant(const std::string& text);

// Each of `variants` with each of `more`, whose knobs come last. Without any of the latter they stay as they are. Throws
// std::invalid_argument when a knob occurs in both.
std::vector<Variant> with_each(const std::vector<Variant>& variants, const std::vector<Variant>& more);

// `variants`, and behind them the twins in Go: one for each setting of processors and gc_percent that occurs.
std::vector<Variant> with_go_twins(std::vector<Variant> variants);

// The environment variable through which the runtime takes the knob: TANDEM_STOP for "stop".
std::string environment_name(const std::string& knob);

}  // namespace lab
