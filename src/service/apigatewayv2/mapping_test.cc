#include "service/apigatewayv2/mapping.h"

#include <gtest/gtest.h>

namespace reef::service::apigatewayv2 {
namespace {

class Mapping : public testing::Test {
 protected:
  Mapping() {
    request.method = "POST";
    request.query = "page=2&tag=a&tag=b";
    request.headers = {{"x-one", "1"}, {"x-two", "2"}};
    values = {.request = &request, .path = "/orders/7", .parameters = {{"id", "7"}}, .request_body = R"({"a":{"b":[10,{"c":"d"}]},"t":"x"})", .response_body = {}, .response = nullptr,
              .context = nullptr, .stage_variables = &variables};
  }
  std::string mapped(std::string_view expression) { return map_value(expression, values).value_or("(none)"); }
  std::string header(const Rewritten& changed, std::string_view name) { return std::string(changed.request.header(name)); }

  http::Request request;
  std::map<std::string, std::string, std::less<>> variables{{"env", "dev"}};
  MappingValues values;
};

TEST_F(Mapping, FindsValues) {
  EXPECT_EQ(mapped("$request.header.X-One"), "1");
  EXPECT_EQ(mapped("$request.querystring.page"), "2");
  EXPECT_EQ(mapped("$request.path"), "/orders/7");
  EXPECT_EQ(mapped("$request.path.id"), "7");
  EXPECT_EQ(mapped("$request.body.a.b[1].c"), "d");
  EXPECT_EQ(mapped("$request.body.a.b[0]"), "10");
  EXPECT_EQ(mapped("$request.body.a"), R"({"b":[10,{"c":"d"}]})");
  EXPECT_EQ(mapped("$request.body"), R"({"a":{"b":[10,{"c":"d"}]},"t":"x"})");
  EXPECT_EQ(mapped("$stageVariables.env"), "dev");
}

TEST_F(Mapping, MissesWhatIsNotThere) {
  for (const char* one : {"$request.header.none", "$request.querystring.none", "$request.path.none", "$request.body.none", "$request.body.a.b[9]", "$request.body.a[0]", "$request.body.a.b[x",
                          "$response.header.x", "$context.requestId", "$stageVariables.none", "$nothing", "$"})
    EXPECT_EQ(mapped(one), "(none)") << one;
}

TEST_F(Mapping, PutsValuesIntoTexts) {
  EXPECT_EQ(mapped("static"), "static");
  EXPECT_EQ(mapped("${request.header.x-one}-${request.path.id}!"), "1-7!");
  EXPECT_EQ(mapped("a${request.header.none}b"), "ab");
  EXPECT_EQ(mapped("a${request.header"), "a${request.header");
}

TEST_F(Mapping, RewritesRequests) {
  const Rewritten changed = rewrite_request({{"overwrite:header.x-one", "$request.path.id"}, {"append:header.x-new", "n"}, {"remove:header.x-two", ""}, {"overwrite:querystring.tag", "only one"},
                                             {"append:querystring.more", "$request.header.x-one"}, {"remove:querystring.page", "''"}, {"overwrite:path", "/new/$request.path"}, {"append:header.none", "$request.header.none"}}, values);
  EXPECT_EQ(header(changed, "x-one"), "7");
  EXPECT_EQ(header(changed, "x-new"), "n");
  EXPECT_FALSE(changed.request.has_header("x-two"));
  EXPECT_FALSE(changed.request.has_header("none"));
  EXPECT_EQ(changed.request.query, "tag=only%20one&more=1");
  EXPECT_EQ(changed.path, "/new/$request.path");
  EXPECT_EQ(request.query, "page=2&tag=a&tag=b");
}

TEST_F(Mapping, MakesNoLinesOfHeaders) {
  values.request_body = R"({"evil":"a\r\nx-injected: 1"})";
  EXPECT_EQ(header(rewrite_request({{"append:header.x-new", "$request.body.evil"}}, values), "x-new"), "ax-injected: 1");
}

TEST_F(Mapping, RewritesReplies) {
  http::Response response;
  response.headers = {{"X-Kept", "k"}, {"X-Gone", "g"}};
  values.response = &response, values.response_body = R"({"code":"404"})";
  rewrite_response({{"overwrite:statuscode", "$response.body.code"}, {"append:header.x-copy", "$response.header.x-kept"}, {"remove:header.x-gone", ""}}, values, response);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers, (std::vector<std::pair<std::string, std::string>>{{"X-Kept", "k"}, {"x-copy", "k"}}));
  rewrite_response({{"overwrite:statuscode", "77"}}, values, response);
  EXPECT_EQ(response.status, 404);
}

TEST(MappingChecks, RefuseWhatCannotBe) {
  EXPECT_TRUE(check_request_parameters({{"overwrite:path", "/x"}, {"append:header.a", "b"}}));
  for (const char* key : {"overwrite:header.Authorization", "append:header.x-amz-date", "replace:header.a", "append:path", "overwrite:statuscode", "append:header.", "header.a"})
    EXPECT_FALSE(check_request_parameters({{key, "x"}})) << key;
  EXPECT_FALSE(check_request_parameters({{"append:header.a", "$response.header.b"}}));
  EXPECT_TRUE(check_response_parameters({{"200", {{"overwrite:statuscode", "204"}}}}));
  EXPECT_FALSE(check_response_parameters({{"99", {{"overwrite:statuscode", "204"}}}}));
  EXPECT_FALSE(check_response_parameters({{"200", {{"overwrite:path", "/"}}}}));
}

}  // namespace
}  // namespace reef::service::apigatewayv2
