#pragma once
// Business logic: the contents of one file, or why it is no document. Blocks in the file system; knows
// nothing of goroutines.
#include <string>

namespace lab::index {

enum class FileKind { text, binary, unreadable };

struct DocumentFile {
  FileKind kind = FileKind::unreadable;
  std::string contents;  // of a text file; may be empty
  std::string reason;    // why it is unreadable, for people
};

// A file is binary when one of its first 8 KiB is a NUL byte. Anything that is no regular file is unreadable.
DocumentFile read_document(const std::string& path);

}  // namespace lab::index
