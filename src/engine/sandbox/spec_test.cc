#include "engine/sandbox/spec.h"

#include <gtest/gtest.h>

namespace reef::sandbox {
namespace {

TEST(SandboxSpec, SurvivesTheWayToTheSpawner) {
  Spec spec;
  spec.id = "a";
  spec.argv = {"/bin/x", "y z"};
  spec.env = {"A=1", "B="};
  spec.binds = {{"/data/code", "/var/task", true}, {"/data/out", "/mnt", false}};
  spec.later_root = "/data";
  spec.later_targets = {"/opt"};
  spec.listen_ports = {9001, 80};
  spec.limits.memory_bytes = 1ull << 40;
  const auto copy = decode(encode(spec));
  ASSERT_TRUE(copy.has_value());
  EXPECT_EQ(copy->argv, spec.argv);
  EXPECT_EQ(copy->env, spec.env);
  EXPECT_EQ(copy->binds[1].source, "/data/out");
  EXPECT_FALSE(copy->binds[1].read_only);
  EXPECT_EQ(copy->listen_ports, spec.listen_ports);
  EXPECT_EQ(copy->limits.memory_bytes, spec.limits.memory_bytes);
  EXPECT_EQ(copy->user_name, "sbx_user1051");
  EXPECT_EQ(encode(*copy), encode(spec));
}

TEST(SandboxSpec, RefusesATruncatedOne) {
  const std::string bytes = encode(Spec{});
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(bytes.substr(0, size)).has_value()) << size;
}

}  // namespace
}  // namespace reef::sandbox
