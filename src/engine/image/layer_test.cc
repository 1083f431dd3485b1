#include "engine/image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "io/socket.h"

namespace reef::image {
namespace {
namespace fs = std::filesystem;

struct Item {
  std::string name;
  std::string text;
  char kind = 'f';  // file, d(irectory), l(ink), h(ard link), c(haracter device)
  unsigned mode = 0644;
};

class Layer : public testing::Test {
 protected:
  Layer() {
    char name[] = "/tmp/atoll-layer-XXXXXX";
    base_ = ::mkdtemp(name);
    fs::create_directory(base_ + "/root");
  }
  ~Layer() override { fs::remove_all(base_); }

  std::string make(const std::vector<Item>& items, bool gzip = false) {
    const std::string path = base_ + "/layer";
    for (const bool compressed : {false, true}) {
      if (compressed && !gzip) break;
      archive* out = ::archive_write_new();
      ::archive_write_set_format_pax(out);
      if (compressed) ::archive_write_add_filter_gzip(out);
      ::archive_write_open_filename(out, path.c_str());
      for (const Item& item : items) {
        archive_entry* entry = ::archive_entry_new();
        ::archive_entry_set_pathname(entry, item.name.c_str());
        ::archive_entry_set_perm(entry, item.mode);
        ::archive_entry_set_filetype(entry, item.kind == 'd' ? AE_IFDIR : item.kind == 'l' ? AE_IFLNK : item.kind == 'c' ? AE_IFCHR : AE_IFREG);
        if (item.kind == 'l') ::archive_entry_set_symlink(entry, item.text.c_str());
        if (item.kind == 'h') ::archive_entry_set_hardlink(entry, item.text.c_str());
        if (item.kind == 'f') ::archive_entry_set_size(entry, static_cast<la_int64_t>(item.text.size()));
        ::archive_write_header(out, entry);
        if (item.kind == 'f') ::archive_write_data(out, item.text.data(), item.text.size());
        ::archive_entry_free(entry);
      }
      ::archive_write_close(out);
      ::archive_write_free(out);
      std::ifstream file(path, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), {});
      if (!compressed) diff_id_ = "sha256:" + sha256_hex(bytes);
    }
    return path;
  }
  Result<void, Failure> apply(const std::vector<Item>& items, bool gzip = false) {
    const std::string path = make(items, gzip);
    const io::Fd root(::open((base_ + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return apply_layer(root.get(), path, diff_id_);
  }
  std::string text(const std::string& name) {
    std::ifstream file(base_ + "/root/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool there(const std::string& name) { return fs::exists(fs::symlink_status(base_ + "/root/" + name)); }

  std::string base_, diff_id_;
};

TEST_F(Layer, LaysFilesFoldersAndLinks) {
  ASSERT_TRUE(apply({{"usr/", "", 'd', 0755}, {"usr/bin/app", "code", 'f', 0755}, {"bin", "usr/bin", 'l'}, {"bin/second", "two"}, {"third", "usr/bin/app", 'h'}}, true));
  EXPECT_EQ(text("usr/bin/app"), "code");
  EXPECT_EQ(text("usr/bin/second"), "two");
  EXPECT_EQ(text("third"), "code");
  struct stat info{};
  ::stat((base_ + "/root/usr/bin/app").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0755u);
}

TEST_F(Layer, ChecksTheDigest) {
  const std::string path = make({{"a", "1"}});
  const io::Fd root(::open((base_ + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto result = apply_layer(root.get(), path, "sha256:" + std::string(64, '0'));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("digest"), std::string::npos);
}

TEST_F(Layer, RefusesNamesThatClimb) {
  EXPECT_FALSE(apply({{"../outside", "x"}}));
  EXPECT_FALSE(apply({{"a/../../outside", "x"}}));
  EXPECT_FALSE(fs::exists(base_ + "/outside"));
}

TEST_F(Layer, LinksNeverLeadOutside) {
  fs::create_directory(base_ + "/secret");
  std::ofstream(base_ + "/secret/kept") << "kept";
  // Absolute and climbing links are legal in an image; what is written through them stays inside.
  static_cast<void>(apply({{"out", base_ + "/secret", 'l'}, {"out/kept", "changed"}}));
  static_cast<void>(apply({{"up", "../secret", 'l'}, {"up/kept", "changed"}}));
  static_cast<void>(apply({{"deep", "../../../../../../../../tmp", 'l'}, {"deep/atoll-layer-test", "x"}}));
  static_cast<void>(apply({{"pair", base_ + "/secret/kept", 'l'}, {"pair", "changed"}}));
  static_cast<void>(apply({{"hard", "../secret/kept", 'h'}}));
  std::ifstream kept(base_ + "/secret/kept");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), "kept");
  EXPECT_FALSE(fs::exists("/tmp/atoll-layer-test"));
  EXPECT_FALSE(there("hard"));
}

TEST_F(Layer, WhiteoutsHideLowerLayersOnly) {
  ASSERT_TRUE(apply({{"d/a", "1"}, {"d/b", "2"}, {"d/sub/c", "3"}, {"e", "4"}}));
  ASSERT_TRUE(apply({{"d/new", "5"}, {"d/sub/new", "6"}, {"d/.wh..wh..opq", ""}, {".wh.e", ""}}));
  EXPECT_FALSE(there("d/a"));
  EXPECT_FALSE(there("d/sub/c"));
  EXPECT_FALSE(there("e"));
  EXPECT_EQ(text("d/new"), "5");
  EXPECT_EQ(text("d/sub/new"), "6");
}

TEST_F(Layer, WhiteoutsDoNotFollowLinks) {
  fs::create_directory(base_ + "/secret");
  std::ofstream(base_ + "/secret/kept") << "kept";
  ASSERT_TRUE(apply({{"link", base_ + "/secret", 'l'}}));
  static_cast<void>(apply({{"link/.wh.kept", ""}}));
  static_cast<void>(apply({{".wh.link", ""}}));
  static_cast<void>(apply({{".wh...", ""}}));
  EXPECT_TRUE(fs::exists(base_ + "/secret/kept"));
  EXPECT_FALSE(there("link"));
}

TEST_F(Layer, FilesAndFoldersReplaceEachOther) {
  ASSERT_TRUE(apply({{"a/b", "1"}, {"c", "2"}}));
  ASSERT_TRUE(apply({{"a", "file"}, {"c/d", "3"}}));
  EXPECT_EQ(text("a"), "file");
  EXPECT_EQ(text("c/d"), "3");
}

TEST_F(Layer, LeavesDevicesAndSetUserIdOut) {
  ASSERT_TRUE(apply({{"null", "", 'c'}, {"su", "x", 'f', 04755}}));
  EXPECT_FALSE(there("null"));
  struct stat info{};
  ::stat((base_ + "/root/su").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0755u);
}

TEST_F(Layer, BoundsWhatIsUnpacked) {
  const std::string path = make({{"zeros", std::string(4 << 20, '\0')}}, true);
  const io::Fd root(::open((base_ + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  EXPECT_FALSE(apply_layer(root.get(), path, diff_id_, {}, {.bytes_max = 1 << 20}));
}

}  // namespace
}  // namespace reef::image
