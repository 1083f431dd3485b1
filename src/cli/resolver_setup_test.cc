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

TEST(ResolverSetup, ResolvedAsksUsFirstAndOthersWhileWeAreAway) {
  EXPECT_TRUE(resolved_drop_in({.address = "127.0.0.1", .port = 4553}, "# from DHCP\nnameserver 10.0.0.2\nnameserver 127.0.0.1\nsearch a.example\nnameserver fe80::1%eth0\n", true)
                  .ends_with("# The folder was made as well.\n[Resolve]\nDNS=\nDNS=127.0.0.1:4553 10.0.0.2 fe80::1%eth0\nDomains=~.\n"));
  EXPECT_TRUE(resolved_drop_in({.address = "127.0.0.1", .port = 53}, "", false).ends_with("remove` brings back what was here.\n[Resolve]\nDNS=\nDNS=127.0.0.1:53\nDomains=~.\n"));
}

TEST(ResolverSetup, KnowsWhenResolvedIsAsked) {
  EXPECT_TRUE(names_resolved("# stub\nnameserver 127.0.0.53\noptions edns0\n"));
  EXPECT_FALSE(names_resolved("# nameserver 127.0.0.53\nnameserver 10.0.0.2\n"));
}

}  // namespace
}  // namespace reef::cli
