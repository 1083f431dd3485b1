#include "engine/image/manifest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace reef::image {
namespace {

std::string digest(char c) { return "sha256:" + std::string(64, c); }

TEST(Manifest, ReadsIndexesAndChoosesThePlatform) {
  const auto index = parse_manifest(fmt::format(
      R"({{"schemaVersion":2,"manifests":[{{"digest":"{}","size":1,"platform":{{"os":"linux","architecture":"s390x"}}}},{{"digest":"{}","size":2,"platform":{{"os":"linux","architecture":"{}"}}}}]}})",
      digest('a'), digest('b'), own_architecture()));
  ASSERT_TRUE(index);
  ASSERT_TRUE(index->is_index());
  ASSERT_NE(choose_platform(*index), nullptr);
  EXPECT_EQ(choose_platform(*index)->digest, digest('b'));
}

TEST(Manifest, RefusesDigestsThatAreNone) {
  EXPECT_FALSE(parse_manifest(R"({"config":{"digest":"sha256:../../etc/passwd","size":1},"layers":[]})"));
  EXPECT_FALSE(parse_manifest(R"({"config":{"digest":"md5:00","size":1},"layers":[]})"));
  EXPECT_FALSE(parse_manifest(R"({"schemaVersion":1,"fsLayers":[]})"));
  EXPECT_FALSE(parse_manifest("nonsense"));
}

TEST(ImageConfig, ReadsWhatRunsAndHow) {
  const auto config = parse_config(fmt::format(
      R"({{"os":"linux","architecture":"amd64","config":{{"Entrypoint":["/app"],"Cmd":["--a"],"Env":["A=1"],"User":"app","WorkingDir":"/w","StopSignal":"SIGQUIT",
          "Healthcheck":{{"Test":["CMD","/h"],"Interval":5000000000}}}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}})",
      digest('c')));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->entrypoint, std::vector<std::string>{"/app"});
  EXPECT_EQ(config->stop_signal, "SIGQUIT");
  EXPECT_EQ(config->health_check->interval_seconds, 5);
  EXPECT_EQ(config->diff_ids.size(), 1u);
}

TEST(FindUser, LooksInTheImage) {
  const char* passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
  const char* group = "root:x:0:\nstaff:x:50:\n";
  EXPECT_EQ(find_user("", passwd, group)->uid, 0u);
  EXPECT_EQ(find_user("app", passwd, group)->gid, 1001u);
  EXPECT_EQ(find_user("app:staff", passwd, group)->gid, 50u);
  EXPECT_EQ(find_user("1000", passwd, group)->home, "/home/app");
  EXPECT_EQ(find_user("7:8", "", "")->gid, 8u);
  EXPECT_FALSE(find_user("nobody", passwd, group));
}

}  // namespace
}  // namespace reef::image
