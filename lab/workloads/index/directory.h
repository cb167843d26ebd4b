#pragma once
// Business logic: one directory's entries. Blocks in the file system; knows nothing of goroutines.
#include <string>
#include <system_error>
#include <vector>

namespace lab::index {

struct DirectoryListing {
  std::vector<std::string> files;        // names of all entries that are not directories
  std::vector<std::string> directories;  // names of subdirectories; links to directories are not followed
  std::error_code error;                 // why the listing is not complete, if it is not
};

// Both lists are sorted, so that the same tree is always walked in the same order. A link to a directory
// appears in neither list (following it could lead in circles); a link to anything else is a file.
DirectoryListing list_directory(const std::string& path);

}  // namespace lab::index
