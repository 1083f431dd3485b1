#include "service/eventbridge/http_request.h"

#include <gtest/gtest.h>

namespace reef::service::eventbridge {
namespace {

using wire::Json;

std::string header(const http::Outgoing& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return "";
}

TEST(Endpoint, IsReadFromItsUrl) {
  const auto one = parse_endpoint("https://api.example.com/a/*?x=1");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->tls);
  EXPECT_EQ(one->host, "api.example.com");
  EXPECT_EQ(one->port, 443);
  EXPECT_EQ(one->path, "/a/*");
  EXPECT_EQ(one->query, "x=1");
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:8080")->path, "/");
  EXPECT_FALSE(parse_endpoint("ftp://a/"));
  EXPECT_FALSE(parse_endpoint("https://a:99999/"));
}

TEST(DestinationRequest, HasPathQueryHeadersAndBodyParameters) {
  const ApiDestination destination{.endpoint = "https://a.b/items/*?fixed=1", .method = "POST"};
  Connection connection{.type = "API_KEY"};
  connection.auth = *Json::parse(R"({"ApiKeyAuthParameters":{"ApiKeyName":"x-key","ApiKeyValue":"secret"},
    "InvocationHttpParameters":{"BodyParameters":[{"Key":"extra","Value":"e"}],"HeaderParameters":[{"Key":"X-Who","Value":"connection"}]}})");
  model::Target target;
  auto& parameters = target.http_parameters.emplace();
  parameters.path_parameter_values = {"$.detail.id"};
  parameters.query_string_parameters = {{"q", "a b"}};
  parameters.header_parameters = {{"x-who", "target"}, {"x-line", "one\r\ntwo"}};
  const auto request = destination_request(destination, connection, "", target, R"({"detail":{"id":"7/8"}})", R"({"n":1})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->target, "/items/7%2F8?fixed=1&q=a%20b");
  EXPECT_EQ(request->body, R"({"n":1,"extra":"e"})");
  EXPECT_EQ(header(*request, "x-key"), "secret");
  EXPECT_EQ(header(*request, "X-Who"), "connection");
  EXPECT_EQ(header(*request, "x-who"), "");
  EXPECT_EQ(header(*request, "x-line"), "one  two");
}

TEST(TokenRequest, IsAForm) {
  const auto request = token_request(*Json::parse(R"({"AuthorizationEndpoint":"https://a.b/token","HttpMethod":"POST","ClientParameters":{"ClientID":"i","ClientSecret":"s&"},
    "OAuthHttpParameters":{"BodyParameters":[{"Key":"scope","Value":"all"}]}})"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, "grant_type=client_credentials&client_id=i&client_secret=s%26&scope=all");
  EXPECT_EQ(request->target, "/token");
}

TEST(Connection, ShowsNoSecrets) {
  const Json shown = shown_auth(*Json::parse(R"({"BasicAuthParameters":{"Username":"u","Password":"p"},"InvocationHttpParameters":{"HeaderParameters":[
    {"Key":"a","Value":"1","IsValueSecret":true},{"Key":"b","Value":"2","IsValueSecret":false}]}})"));
  EXPECT_EQ(shown.dump(), R"({"BasicAuthParameters":{"Username":"u"},"InvocationHttpParameters":{"HeaderParameters":[{"Key":"a","IsValueSecret":true},{"Key":"b","Value":"2","IsValueSecret":false}]}})");
}

}  // namespace
}  // namespace reef::service::eventbridge
