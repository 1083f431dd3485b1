#include "cli/resolver_setup.h"

#include <gtest/gtest.h>

namespace reef::cli {
namespace {

TEST(ResolverSetup, OursComesFirstAndTheRestStays) {
  const std::string before = "search a.example\nnameserver 10.0.0.2\noptions ndots:2\n";
  const std::string after = resolv_conf_with("127.0.0.1", before);
  EXPECT_TRUE(after.ends_with("\nnameserver 127.0.0.1\n" + before));
  EXPECT_TRUE(after.starts_with("#"));
}

}  // namespace
}  // namespace reef::cli
