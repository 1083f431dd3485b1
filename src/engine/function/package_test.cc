#include "engine/function/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace reef::function {
namespace {

struct Entry {
  std::string path, content;
  int type = AE_IFREG, mode = 0600;
};

std::string make_zip(const std::vector<Entry>& entries) {
  std::string out(1 << 20, 0);
  std::size_t used = 0;
  archive* zip = ::archive_write_new();
  ::archive_write_set_format_zip(zip);
  ::archive_write_open_memory(zip, out.data(), out.size(), &used);
  for (const Entry& e : entries) {
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, e.path.c_str());
    ::archive_entry_set_filetype(entry, e.type);
    ::archive_entry_set_perm(entry, e.mode);
    if (e.type == AE_IFLNK) ::archive_entry_set_symlink(entry, e.content.c_str());
    ::archive_entry_set_size(entry, e.type == AE_IFREG ? static_cast<la_int64_t>(e.content.size()) : 0);
    ::archive_write_header(zip, entry);
    if (e.type == AE_IFREG) ::archive_write_data(zip, e.content.data(), e.content.size());
    ::archive_entry_free(entry);
  }
  ::archive_write_close(zip);
  ::archive_write_free(zip);
  out.resize(used);
  return out;
}

struct UnpackZip : testing::Test {
  std::string folder = std::filesystem::temp_directory_path() / ("atoll-package-" + std::to_string(::getpid()));
  ~UnpackZip() override { std::filesystem::remove_all(folder); }
};

TEST_F(UnpackZip, WritesReadableFilesAndKeepsExecutables) {
  const auto size = unpack_zip(make_zip({{"a/b.txt", "hello"}, {"bootstrap", "#!", AE_IFREG, 0755}, {"link", "a/b.txt", AE_IFLNK}}), folder, 1000);
  ASSERT_TRUE(size.has_value()) << size.error().detail;
  EXPECT_EQ(*size, 7u);
  std::string text;
  std::ifstream(folder + "/link") >> text;
  EXPECT_EQ(text, "hello");
  struct stat info{};
  ::stat((folder + "/a/b.txt").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
  ::stat((folder + "/bootstrap").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0755u);
}

TEST_F(UnpackZip, RefusesToLeaveTheFolder) {
  EXPECT_EQ(unpack_zip(make_zip({{"../x", "1"}}), folder, 1000).error().why, PackageProblem::kUnsafe);
  EXPECT_EQ(unpack_zip(make_zip({{"a/../../x", "1"}}), folder, 1000).error().why, PackageProblem::kUnsafe);
  EXPECT_EQ(unpack_zip(make_zip({{"l", "../..", AE_IFLNK}}), folder, 1000).error().why, PackageProblem::kUnsafe);
  EXPECT_EQ(unpack_zip(make_zip({{"l", "/etc", AE_IFLNK}}), folder, 1000).error().why, PackageProblem::kUnsafe);
  EXPECT_EQ(unpack_zip(make_zip({{"d/x", "1"}, {"l", "d", AE_IFLNK}, {"l/y", "2"}}), folder, 1000).error().why, PackageProblem::kUnsafe);
}

TEST_F(UnpackZip, RefusesWhatIsNoZipOrTooLarge) {
  EXPECT_EQ(unpack_zip("hello", folder, 1000).error().why, PackageProblem::kNotAZip);
  EXPECT_EQ(unpack_zip(make_zip({{"a", std::string(2000, 'x')}}), folder, 1000).error().why, PackageProblem::kTooLarge);
  std::string cut = make_zip({{"a", std::string(2000, 'x')}});
  cut.resize(cut.size() / 2);
  EXPECT_FALSE(unpack_zip(cut, folder, 10'000).has_value());
}

}  // namespace
}  // namespace reef::function
