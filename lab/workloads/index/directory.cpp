#include "lab/workloads/index/directory.h"

#include <algorithm>
#include <filesystem>

namespace lab::index {

DirectoryListing list_directory(const std::string& path) {
  namespace fs = std::filesystem;
  DirectoryListing listing;
  for (fs::directory_iterator entry(path, listing.error), end; !listing.error && entry != end;
       entry.increment(listing.error)) {
    std::error_code ignored;  // an entry whose type cannot be told is a file, which reading then reports
    const std::string name = entry->path().filename().string();
    const bool is_link = entry->is_symlink(ignored);
    if (!entry->is_directory(ignored))
      listing.files.push_back(name);
    else if (!is_link)
      listing.directories.push_back(name);
  }
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.directories.begin(), listing.directories.end());
  return listing;
}

}  // namespace lab::index
