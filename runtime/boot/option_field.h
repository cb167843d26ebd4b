#pragma once
// One field of Options: its name, how its value is read from text, checked and written. The kinds of fields
// are in option_field.cpp, the fields themselves in option_table.cpp.

#include <memory>
#include <string>
#include <string_view>

#include <tandem/runtime.h>

namespace tandem::boot {

class OptionField {
 public:
  explicit OptionField(const char* name) : name_(name) {}
  virtual ~OptionField() = default;

  /// As in Options: "gc_percent".
  std::string_view name() const { return name_; }
  /// "TANDEM_GC_PERCENT".
  std::string variable() const;

  /// Reads the text into the field. False: it is no value of this kind (its range is not looked at here).
  virtual bool parse(std::string_view text, Options& options) const = 0;
  /// Empty: the value is allowed. Otherwise what is wrong: "expected an integer from 1 to 256".
  virtual std::string complaint(const Options& options) const = 0;
  /// What parse would read, for messages about text that is no value: "expected an integer from 1 to 256".
  virtual std::string expectation() const = 0;
  /// Text that parse reads back to the same value.
  virtual std::string text(const Options& options) const = 0;

 private:
  const char* name_;
};

using OptionFieldPointer = std::unique_ptr<const OptionField>;

}  // namespace tandem::boot
