#include "service/ecr/registry.h"

#include <gtest/gtest.h>

namespace reef::service::ecr {
namespace {

using Kind = RegistryPath::Kind;

TEST(RegistryPath, KnowsTheProtocol) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(parse_registry_path("/v2/")->kind, Kind::kRoot);
  EXPECT_EQ(parse_registry_path("/v2/team/orders/manifests/v1")->repository, "team/orders");
  EXPECT_EQ(parse_registry_path("/v2/team/orders/blobs/" + digest)->reference, digest);
  EXPECT_EQ(parse_registry_path("/v2/orders/blobs/uploads/")->kind, Kind::kUploads);
  EXPECT_EQ(parse_registry_path("/v2/orders/blobs/uploads/7")->reference, "7");
  EXPECT_EQ(parse_registry_path("/v2/orders/tags/list")->kind, Kind::kTags);
  for (const char* path : {"/v2/apis", "/v2/orders/blobs/../x", "/v2/../manifests/v1", "/v2/Orders/manifests/v1", "/v2/orders/manifests/a b", "/v3/"})
    EXPECT_FALSE(parse_registry_path(path)) << path;
}

TEST(RegistryOwner, ReadsTheHost) {
  const auto owner = registry_owner("123456789012.dkr.ecr.eu-west-1.localhost.localstack.cloud:4566");
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->account, "123456789012");
  EXPECT_EQ(owner->region, "eu-west-1");
  EXPECT_FALSE(registry_owner("localhost:4566"));
}

}  // namespace
}  // namespace reef::service::ecr
