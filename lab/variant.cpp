#include "lab/variant.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace lab {
namespace {

bool is_knob_name(const std::string& name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

std::string Variant::label() const {
  if (knobs.empty() && !go_twin) return "defaults";
  std::string text = go_twin ? "Go" : "";
  for (const auto& [knob, value] : knobs) text += fmt::format("{}{}={}", text.empty() ? "" : " ", knob, value);
  return text;
}

std::vector<std::string> split_values(const std::string& what, const std::string& list) {
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string value = list.substr(begin, end - begin);
    if (value.empty()) {
      throw std::invalid_argument(fmt::format(
          "{}: '{}' has an empty value; give one value, or several separated by single commas", what, list));
    }
    if (std::find(values.begin(), values.end(), value) != values.end())
      throw std::invalid_argument(fmt::format("{}: '{}' names the value '{}' twice", what, list, value));
    values.push_back(std::move(value));
    begin = end + 1;
  }
  return values;
}

KnobValues parse_knob(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (equals == std::string::npos || !is_knob_name(name)) {
    throw std::invalid_argument(
        fmt::format("--set: '{}' is not of the form knob=value[,value...] (a knob's name is in lower case: "
                    "stop, gc_percent)",
                    text));
  }
  return {name, split_values("--set " + name, text.substr(equals + 1))};
}

std::vector<Variant> all_variants(const std::vector<KnobValues>& knobs) {
  std::vector<Variant> variants(1);
  for (std::size_t i = 0; i < knobs.size(); ++i) {
    const KnobValues& knob = knobs[i];
    for (std::size_t j = 0; j < i; ++j) {
      if (knobs[j].knob == knob.knob)
        throw std::invalid_argument(
            fmt::format("the knob '{}' is given twice; give it once, with all its values: {}={},{}", knob.knob,
                        knob.knob, knobs[j].values[0], knob.values[0]));
    }
    std::vector<Variant> product;
    for (const Variant& variant : variants) {
      for (const std::string& value : knob.values) {
        product.push_back(variant);
        product.back().knobs.emplace_back(knob.knob, value);
      }
    }
    variants = std::move(product);
  }
  return variants;
}

Variant parse_variant(const std::string& text) {
  Variant variant;
  if (text == "defaults") return variant;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const KnobValues knob = parse_knob(word);
    if (knob.values.size() != 1)
      throw std::invalid_argument(
          fmt::format("--variant: '{}' gives several values; a variant has one a knob, the lists are for --set", word));
    variant.knobs.emplace_back(knob.knob, knob.values[0]);
  }
  if (variant.knobs.empty())
    throw std::invalid_argument("--variant: is empty; give \"knob=value knob=value ...\", or \"defaults\"");
  return variant;
}

std::vector<Variant> with_each(const std::vector<Variant>& variants, const std::vector<Variant>& more) {
  if (more.empty()) return variants;
  std::vector<Variant> product;
  for (const Variant& variant : variants)
    for (const Variant& further : more) {
      Variant& both = product.emplace_back(variant);
      for (const auto& [knob, value] : further.knobs) {
        const auto same = [&](const auto& entry) { return entry.first == knob; };
        if (std::any_of(both.knobs.begin(), both.knobs.end(), same))
          throw std::invalid_argument(fmt::format("the knob '{}' is given twice; once is enough", knob));
        both.knobs.emplace_back(knob, value);
      }
    }
  return product;
}

std::vector<Variant> with_go_twins(std::vector<Variant> variants) {
  std::vector<Variant> twins;
  for (const Variant& variant : variants) {
    Variant twin{.knobs = {}, .go_twin = true};
    for (const auto& setting : variant.knobs)
      if (setting.first == "processors" || setting.first == "gc_percent") twin.knobs.push_back(setting);
    std::sort(twin.knobs.begin(), twin.knobs.end());  // whatever the order, it is the same setting
    if (std::find(twins.begin(), twins.end(), twin) == twins.end()) twins.push_back(std::move(twin));
  }
  variants.insert(variants.end(), twins.begin(), twins.end());
  return variants;
}

std::string environment_name(const std::string& knob) {
  std::string name = "TANDEM_";
  for (const char c : knob) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

}  // namespace lab
