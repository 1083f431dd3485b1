#include "service/apigateway/refusals.h"

#include <gtest/gtest.h>

namespace reef::service::apigateway {
namespace {

struct Asked {
  http::Request http;
  aws::ProxyRequest request{.http = http, .body = {}, .account = "111122223333", .api_id = "abc", .stage = "prod", .domain = "abc.execute-api.us-east-1.amazonaws.com",
                            .route_key = {}, .resource_path = "/a", .resource_id = "r1", .path = "/a", .stage_in_path = false, .parameters = {}, .stage_variables = {{"v", "one"}},
                            .request_id = "id-1", .trace_id = {}, .now = {}, .body_is_text = true, .authorizer = {}, .identity = {}};
};

TEST(Refusals, SayWhatAwsSaysByDefault) {
  Asked asked;
  const http::Response out = render(missing_token(), {}, asked.request);
  EXPECT_EQ(out.status, 403);
  EXPECT_EQ(out.body, R"({"message":"Missing Authentication Token"})");
  EXPECT_EQ(*out.find("x-amzn-errortype"), "MissingAuthenticationTokenException");
  EXPECT_EQ(render(denied("no"), {}, asked.request).body, R"({"Message":"no"})");
  EXPECT_EQ(render(authorizer_broken(), {}, asked.request).body, R"({"message":null})");
}

TEST(Refusals, TakeTheApisOwnWords) {
  Asked asked;
  CustomResponses own;
  own["DEFAULT_4XX"].response_parameters = {{"gatewayresponse.header.Access-Control-Allow-Origin", "'*'"}, {"gatewayresponse.header.X-Stage", "context.stage"}};
  own["UNAUTHORIZED"].status_code = "418";
  own["UNAUTHORIZED"].response_templates.emplace()["application/json"] = R"({"m":$context.error.messageString,"t":"$context.error.responseType","v":"${stageVariables.v}"})";
  const http::Response general = render(throttled(), own, asked.request);
  EXPECT_EQ(general.status, 429);
  EXPECT_EQ(general.body, R"({"message":"Too Many Requests"})");
  EXPECT_EQ(*general.find("access-control-allow-origin"), "*");
  EXPECT_EQ(*general.find("x-stage"), "prod");
  const http::Response special = render(unauthorized(), own, asked.request);
  EXPECT_EQ(special.status, 418);
  EXPECT_EQ(special.body, R"({"m":"Unauthorized","t":"UNAUTHORIZED","v":"one"})");
  EXPECT_FALSE(special.find("access-control-allow-origin"));
}

TEST(Refusals, TemplatesLeaveWhatTheyDoNotKnow) {
  const auto echo = [](std::string_view name) { return "<" + std::string(name) + ">"; };
  EXPECT_EQ(fill_template("a $context.b. $5 $unknown.x ${context.c", echo), "a <context.b>. $5 $unknown.x ${context.c");
  EXPECT_EQ(fill_template("$", echo), "$");
}

}  // namespace
}  // namespace reef::service::apigateway
