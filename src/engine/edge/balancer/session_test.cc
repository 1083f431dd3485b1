#include "engine/edge/balancer/sign_in.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

TEST(ProviderUrl, PlainHttpStaysOnThisMachine) {
  for (const char* url : {"http://localhost/x", "http://a.localhost:8080/x", "http://127.0.0.1/x", "https://127.example.com/x"})
    EXPECT_TRUE(parse_provider_url(url)) << url;
  for (const char* url : {"http://127.example.com/x", "http://example.com/", "https://user@example.com/", "https://example.com:0/", "https://example.com/ x"})
    EXPECT_FALSE(parse_provider_url(url)) << url;
}

}  // namespace
}  // namespace reef::edge
