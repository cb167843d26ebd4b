#pragma once
// From what the code asked for to the options in force: the environment over it, everything checked, defaults
// that depend on the machine filled in.

#include <span>
#include <string>

#include "runtime/boot/option_field.h"

namespace tandem::boot {

inline constexpr std::uint32_t kMaxProcessors = 256;

/// The table of all fields, in the order of Options.
std::span<const OptionFieldPointer> option_fields();

/// Throws std::invalid_argument, naming field or variable, value and what is allowed: for a bad value, for an
/// option that this build does not offer, and for a variable whose name is a slip of the pen away from an
/// option's. Other unknown variables that begin with TANDEM_ are left alone: build and tests have theirs.
/// `environment` is as the global environ: "NAME=value" strings, null at the end.
Options resolve_options(const Options& from_code, const char* const* environment);

/// Empty: the values, each allowed by itself, go together. Otherwise which do not, and why.
std::string combination_complaint(const Options& options);

/// One TANDEM_FIELD=value line each.
std::string text_of(const Options& options);

/// CPUs in this process's affinity mask, 1 to kMaxProcessors.
std::uint32_t available_cpus();

}  // namespace tandem::boot
