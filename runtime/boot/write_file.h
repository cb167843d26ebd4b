#pragma once
// Files that reports are written to.

#include <filesystem>
#include <string_view>

namespace tandem::boot {

/// Writes the file, which appears whole or not at all; what is no file but a device or a pipe is written to as it is. Blocks.
/// Throws std::system_error that says `who`, the path, and what failed: a file is written beside it first, under its name with
/// ".unfinished" behind, so its directory has to be one in which files can be made.
void write_file(const std::filesystem::path& path, std::string_view contents, std::string_view who);

}  // namespace tandem::boot
