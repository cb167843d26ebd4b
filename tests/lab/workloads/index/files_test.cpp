// directory.h and document_file.h, on real files.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lab/workloads/index/directory.h"
#include "lab/workloads/index/document_file.h"

namespace lab::index {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "tandem-lab-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string write(const std::string& name, const std::string& contents) {
    const std::string path = root_ / name;
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }

  fs::path root_;
};

TEST_F(Files, ListsFilesAndDirectoriesSortedWithoutFollowingLinks) {
  fs::create_directory(root_ / "sub");
  fs::create_directory_symlink(root_, root_ / "circle");
  fs::create_symlink("nowhere", root_ / "dangling");
  write("b", "");
  write("a", "");
  fs::create_symlink("a", root_ / "link");
  const DirectoryListing listing = list_directory(root_);
  EXPECT_FALSE(listing.error);
  EXPECT_EQ(listing.files, (Names{"a", "b", "dangling", "link"}));
  EXPECT_EQ(listing.directories, (Names{"sub"}));
}

TEST_F(Files, AMissingDirectoryIsAnError) {
  EXPECT_EQ(list_directory(root_ / "none").error, std::errc::no_such_file_or_directory);
}

TEST_F(Files, ReadsText) {
  const std::string long_text(300'000, 'x');
  EXPECT_EQ(read_document(write("long", long_text)).contents, long_text);
  const DocumentFile empty = read_document(write("empty", ""));
  EXPECT_EQ(empty.kind, FileKind::text);
  EXPECT_EQ(empty.contents, "");
  EXPECT_EQ(read_document(write("latin1",
                                "gr\xF6\xDF"
                                "er"))
                .kind,
            FileKind::text);
}

TEST_F(Files, FilesThatAreLongerThanTheySayAreReadWhole) {
  const DocumentFile file = read_document("/proc/self/status");  // size 0 by fstat
  EXPECT_EQ(file.kind, FileKind::text);
  EXPECT_NE(file.contents.find("Threads:"), std::string::npos);
}

TEST_F(Files, ANulByteInTheFirst8KiBMakesBinary) {
  const std::string before(8 * 1024 - 1, 'x');
  EXPECT_EQ(read_document(write("last", before + std::string(1, '\0') + "yy")).kind, FileKind::binary);
  EXPECT_EQ(read_document(write("beyond", before + "x" + std::string(1, '\0'))).kind, FileKind::text);
}

TEST_F(Files, WhatIsNoRegularFileIsUnreadableAndSaysWhy) {
  EXPECT_EQ(read_document(root_ / "none").kind, FileKind::unreadable);
  EXPECT_EQ(read_document(root_ / "none").reason, "No such file or directory");
  EXPECT_EQ(read_document(root_).kind, FileKind::unreadable);
  const std::string pipe = root_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_document(pipe).reason, "not a regular file");  // and does not wait for a writer
}

}  // namespace
}  // namespace lab::index
