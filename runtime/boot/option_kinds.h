#pragma once
// The kinds of fields that Options has. Used by option_table.cpp only.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/boot/option_field.h"

namespace tandem::boot {

// -- Text of plain values (option_text.cpp). The readers take the whole text or nothing.

bool read_bytes(std::string_view text, std::uint64_t& value);        // "64", "64K", "64M", "64G"
bool read_milliseconds(std::string_view text, std::int64_t& value);  // "64", "64ms", "64s"
bool read_switch(std::string_view text, bool& value);                // "on", "off", "1", "0"
bool read_number(std::string_view text, double& value);
std::string bytes_text(std::uint64_t bytes);  // the largest suffix that divides it
std::string milliseconds_text(std::int64_t milliseconds);
std::string number_text(double value);

/// A value beside the range, with what it means: {-1, "not by growth"}.
struct Also {
  std::int64_t value;
  const char* meaning;
};

/// Integers of any width.
template <typename T>
class IntegerOption final : public OptionField {
 public:
  IntegerOption(const char* name, T Options::* field, T least, T most) : IntegerOption(name, field, least, most, {}) {}
  IntegerOption(const char* name, T Options::* field, T least, T most, std::vector<Also> also)
      : OptionField(name), field_(field), least_(least), most_(most), also_(std::move(also)) {}

  bool parse(std::string_view text, Options& options) const override {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return false;
    options.*field_ = value;
    return true;
  }
  std::string complaint(const Options& options) const override {
    const T value = options.*field_;
    if (value >= least_ && value <= most_) return {};
    for (const Also& also : also_)
      if (value == static_cast<T>(also.value)) return {};
    return expectation();
  }
  std::string expectation() const override {
    std::string text = "expected an integer from " + std::to_string(least_) + " to " + std::to_string(most_);
    for (const Also& also : also_) text += ", or " + std::to_string(also.value) + " (" + also.meaning + ")";
    return text;
  }
  std::string text(const Options& options) const override { return std::to_string(options.*field_); }

 private:
  T Options::* field_;
  T least_, most_;
  std::vector<Also> also_;
};

/// Bytes, with suffixes.
class BytesOption final : public OptionField {
 public:
  /// `zero`: what 0 means; null: 0 is not allowed.
  BytesOption(const char* name, std::uint64_t Options::* field, std::uint64_t least, std::uint64_t most,
              const char* zero = nullptr)
      : OptionField(name), field_(field), least_(least), most_(most), zero_(zero) {}
  bool parse(std::string_view text, Options& options) const override;
  std::string complaint(const Options& options) const override;
  std::string expectation() const override;
  std::string text(const Options& options) const override;

 private:
  std::uint64_t Options::* field_;
  std::uint64_t least_, most_;
  const char* zero_;
};

class DurationOption final : public OptionField {
 public:
  using Milliseconds = std::chrono::milliseconds;
  DurationOption(const char* name, Milliseconds Options::* field, std::int64_t least_ms, std::int64_t most_ms,
                 const char* zero = nullptr)
      : OptionField(name), field_(field), least_ms_(least_ms), most_ms_(most_ms), zero_(zero) {}
  bool parse(std::string_view text, Options& options) const override;
  std::string complaint(const Options& options) const override;
  std::string expectation() const override;
  std::string text(const Options& options) const override;

 private:
  Milliseconds Options::* field_;
  std::int64_t least_ms_, most_ms_;
  const char* zero_;
};

/// A fraction.
class ShareOption final : public OptionField {
 public:
  ShareOption(const char* name, double Options::* field, double least, double most)
      : OptionField(name), field_(field), least_(least), most_(most) {}
  bool parse(std::string_view text, Options& options) const override;
  std::string complaint(const Options& options) const override;
  std::string expectation() const override;
  std::string text(const Options& options) const override;

 private:
  double Options::* field_;
  double least_, most_;
};

class SwitchOption final : public OptionField {
 public:
  SwitchOption(const char* name, bool Options::* field) : OptionField(name), field_(field) {}
  bool parse(std::string_view text, Options& options) const override;
  std::string complaint(const Options& options) const override;
  std::string expectation() const override;
  std::string text(const Options& options) const override;

 private:
  bool Options::* field_;
};

/// The path of a file; empty: none.
class PathOption final : public OptionField {
 public:
  PathOption(const char* name, std::string Options::* field) : OptionField(name), field_(field) {}
  bool parse(std::string_view text, Options& options) const override;
  std::string complaint(const Options& options) const override;
  std::string expectation() const override;
  std::string text(const Options& options) const override;

 private:
  std::string Options::* field_;
};

/// An enumeration: the names of its values, and which of them this build offers.
template <typename E>
class EnumOption final : public OptionField {
 public:
  struct Name {
    E value;
    const char* name;
    bool available;
  };
  EnumOption(const char* name, E Options::* field, std::vector<Name> names)
      : OptionField(name), field_(field), names_(std::move(names)) {}

  bool parse(std::string_view text, Options& options) const override {
    for (const Name& name : names_)
      if (text == name.name) {
        options.*field_ = name.value;
        return true;
      }
    return false;
  }
  std::string complaint(const Options& options) const override {
    const Name* name = find(options.*field_);
    if (name == nullptr) return expectation();
    return name->available ? std::string() : "not available in this build; available: " + list();
  }
  std::string expectation() const override { return "expected one of " + list(); }
  std::string text(const Options& options) const override {
    const Name* name = find(options.*field_);
    return name != nullptr ? name->name : std::to_string(static_cast<unsigned>(options.*field_));
  }

 private:
  const Name* find(E value) const {
    for (const Name& name : names_)
      if (name.value == value) return &name;
    return nullptr;
  }
  std::string list() const {
    std::string text;
    for (const Name& name : names_)
      if (name.available) text += (text.empty() ? "" : ", ") + std::string(name.name);
    return text;
  }

  E Options::* field_;
  std::vector<Name> names_;
};

}  // namespace tandem::boot
