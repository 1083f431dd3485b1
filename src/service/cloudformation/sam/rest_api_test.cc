// Auth, gateway responses, models, usage plans and domains of AWS::Serverless::Api.
#include <gtest/gtest.h>

#include "service/cloudformation/sam/transform.h"

namespace reef::cloudformation::sam {
namespace {

Json transformed(const std::string& api, const std::string& events, const std::string& more = "") {
  const std::string yaml = "Resources:\n  Shop:\n    Type: AWS::Serverless::Api\n    Properties: {StageName: live" + (api.empty() ? "" : ", " + api) + "}\n" +
                           "  F:\n    Type: AWS::Serverless::Function\n" + more + "    Properties: {Runtime: r, Handler: h, InlineCode: x, Events: {" + events + "}}\n";
  auto out = transform(parse_template(yaml).value(), {}, "us-east-1");
  return out ? *std::move(out) : Json(out.error().message);
}
std::string event(const std::string& name, const std::string& method, const std::string& more = "") {
  return name + ": {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /a, Method: " + method + (more.empty() ? "" : ", " + more) + "}}";
}
const Json& body_of(const Json& document) { return document["Resources"]["Shop"]["Properties"]["Body"]; }

constexpr const char* kAuthorizers =
    "Authorizers: {Token: {FunctionArn: arn, Identity: {Header: X-T, ValidationExpression: '^a', ReauthorizeEvery: 5}},"
    " Request: {FunctionArn: arn, FunctionPayloadType: REQUEST, FunctionInvokeRole: role, Identity: {Headers: [h], QueryStrings: [q], Context: [c]}},"
    " Pool: {UserPoolArn: pool, AuthorizationScopes: [read]}}";

TEST(ServerlessApiAuth, DefinesAuthorizers) {
  const Json out = transformed(std::string("Auth: {DefaultAuthorizer: Pool, ") + kAuthorizers + "}", event("E", "get") + ", " + event("N", "put", "Auth: {Authorizer: NONE}"));
  const Json& schemes = body_of(out)["securityDefinitions"];
  EXPECT_EQ(schemes["Pool"].dump(),
            R"({"type":"apiKey","name":"Authorization","in":"header","x-amazon-apigateway-authtype":"cognito_user_pools","x-amazon-apigateway-authorizer":{"type":"cognito_user_pools","providerARNs":["pool"]}})");
  EXPECT_EQ(schemes["Token"].text("name"), "X-T");
  EXPECT_EQ(schemes["Token"]["x-amazon-apigateway-authorizer"].text("identityValidationExpression"), "^a");
  EXPECT_EQ(schemes["Request"].text("name"), "Unused");
  EXPECT_EQ(schemes["Request"]["x-amazon-apigateway-authorizer"].text("identitySource"), "method.request.header.h, method.request.querystring.q, context.c");
  EXPECT_EQ(schemes["Request"]["x-amazon-apigateway-authorizer"].text("authorizerCredentials"), "role");
  EXPECT_EQ(body_of(out)["paths"]["/a"]["get"]["security"].dump(), R"([{"Pool":["read"]}])");
  EXPECT_EQ(body_of(out)["paths"]["/a"]["put"]["security"].dump(), R"([{"NONE":[]}])");
  EXPECT_TRUE(out["Resources"].contains("ShopTokenAuthorizerPermission"));
  EXPECT_FALSE(out["Resources"].contains("ShopPoolAuthorizerPermission"));
}

TEST(ServerlessApiAuth, PreflightsMayGoUnguarded) {
  const std::string rest = std::string("Auth: {DefaultAuthorizer: Token, ApiKeyRequired: true, AddApiKeyRequiredToCorsPreflight: false, AddDefaultAuthorizerToCorsPreflight: false, ") + kAuthorizers + "}";
  const Json out = transformed("Cors: \"'*'\", " + rest, event("E", "get") + ", " + event("K", "put", "Auth: {ApiKeyRequired: false}"));
  EXPECT_FALSE(body_of(out)["paths"]["/a"]["options"].contains("security"));
  EXPECT_EQ(body_of(out)["paths"]["/a"]["get"]["security"].dump(), R"([{"Token":[]},{"api_key":[]}])");
  EXPECT_EQ(body_of(out)["paths"]["/a"]["put"]["security"].dump(), R"([{"Token":[]}])");
  EXPECT_EQ(body_of(out)["securityDefinitions"]["api_key"].text("name"), "x-api-key");
}

TEST(ServerlessApiAuth, IamCallersUseTheirOwnRights) {
  const Json out = transformed("Auth: {DefaultAuthorizer: AWS_IAM}", event("E", "get") + ", " + event("R", "put", "Auth: {Authorizer: AWS_IAM, InvokeRole: NONE}"));
  EXPECT_EQ(body_of(out)["paths"]["/a"]["get"]["x-amazon-apigateway-integration"].text("credentials"), "arn:aws:iam::*:user/*");
  EXPECT_FALSE(body_of(out)["paths"]["/a"]["put"]["x-amazon-apigateway-integration"].contains("credentials"));
  EXPECT_EQ(body_of(out)["securityDefinitions"]["AWS_IAM"].text("x-amazon-apigateway-authtype"), "awsSigv4");
}

TEST(ServerlessApiAuth, SaysWhatIsWrong) {
  const auto message = [](const std::string& api, const std::string& events) { return transformed(api, events).as_string(); };
  EXPECT_NE(message("Auth: {DefaultAuthorizer: Nobody, Authorizers: {T: {FunctionArn: a}}}", event("E", "get")).find("Unable to set DefaultAuthorizer because 'Nobody' was not defined in 'Authorizers'."), std::string::npos);
  EXPECT_NE(message("", event("E", "get", "Auth: {Authorizer: T}")).find("because the related API does not define any Authorizers."), std::string::npos);
  EXPECT_NE(message("", event("E", "get", "Auth: {Authorizer: NONE}")).find("'NONE' is only a valid value when a DefaultAuthorizer"), std::string::npos);
  EXPECT_NE(message("Auth: {Authorizers: {R: {FunctionArn: a, FunctionPayloadType: REQUEST}}}", event("E", "get")).find("R Authorizer must specify Identity"), std::string::npos);
}

TEST(ServerlessApiAuth, WritesResourcePolicies) {
  const Json out = transformed("Auth: {ResourcePolicy: {IpRangeWhitelist: [10.0.0.0/8]}}", event("E", "any"));
  const Json& policy = body_of(out)["x-amazon-apigateway-policy"];
  EXPECT_EQ(policy["Statement"].size(), 2u);
  EXPECT_EQ(policy["Statement"].at(1)["Condition"].dump(), R"({"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8"]}})");
  EXPECT_EQ(policy["Statement"].at(0)["Resource"].dump(), R"([{"Fn::Sub":["execute-api:/${__Stage__}/*/a",{"__Stage__":"live"}]}])");
}

TEST(ServerlessApi, ChecksRequestsAndWordsRefusals) {
  const Json out = transformed("Models: {Order: {type: object}}, GatewayResponses: {DEFAULT_4XX: {StatusCode: 418, ResponseParameters: {Headers: {X-A: \"'1'\"}}}}",
                               event("E", "post", "RequestModel: {Model: Order, Required: true, ValidateBody: true}, RequestParameters: [method.request.header.H, {method.request.querystring.q: {Required: true, Caching: true}}]"));
  EXPECT_EQ(body_of(out)["definitions"].dump(), R"({"order":{"type":"object"}})");
  const Json& post = body_of(out)["paths"]["/a"]["post"];
  EXPECT_EQ(post.text("x-amazon-apigateway-request-validator"), "body-only");
  EXPECT_EQ(post["parameters"].at(0)["schema"].dump(), R"({"$ref":"#/definitions/order"})");
  EXPECT_EQ(post["parameters"].at(2).dump(), R"({"in":"query","name":"q","required":true,"type":"string"})");
  EXPECT_EQ(post["x-amazon-apigateway-integration"]["cacheKeyParameters"].dump(), R"(["method.request.querystring.q"])");
  EXPECT_EQ(body_of(out)["x-amazon-apigateway-gateway-responses"].dump(),
            R"({"DEFAULT_4XX":{"responseParameters":{"gatewayresponse.header.X-A":"'1'"},"responseTemplates":{},"statusCode":"418"}})");
}

TEST(ServerlessApi, MakesPlansAndDomains) {
  const Json out = transformed("Auth: {UsagePlan: {CreateUsagePlan: PER_API, Quota: {Limit: 5, Period: DAY}}}, Domain: {DomainName: api.example.com, CertificateArn: cert, BasePath: [/one, two], Route53: {HostedZoneId: Z1, IpV6: true}}",
                               event("E", "get"));
  const Json& resources = out["Resources"];
  EXPECT_EQ(resources["ShopUsagePlan"]["Properties"]["ApiStages"].dump(), R"([{"ApiId":{"Ref":"Shop"},"Stage":{"Ref":"ShopliveStage"}}])");
  EXPECT_EQ(resources["ShopUsagePlanKey"]["DependsOn"].dump(), R"(["ShopApiKey"])");
  EXPECT_EQ(resources["ShoponeBasePathMapping"]["Properties"].text("BasePath"), "one");
  EXPECT_EQ(resources["ShoptwoBasePathMapping"]["Properties"]["Stage"].dump(), R"({"Ref":"ShopliveStage"})");
  int groups = 0;
  for (const auto& [name, each] : resources.as_object())
    if (each.text("Type") == "AWS::Route53::RecordSetGroup") {
      ++groups;
      EXPECT_EQ(each["Properties"]["RecordSets"].size(), 2u);
    }
  EXPECT_EQ(groups, 1);
}

TEST(ServerlessApi, RoutesOfConditionalFunctionsAreConditional) {
  const Json out = transformed("", event("E", "get"), "    Condition: Sometimes\n");
  const Json& path = body_of(out)["paths"]["/a"];
  EXPECT_EQ(path["Fn::If"].at(0).as_string(), "Sometimes");
  EXPECT_EQ(path["Fn::If"].at(1)["get"]["Fn::If"].at(1)["x-amazon-apigateway-integration"]["uri"]["Fn::If"].at(0).as_string(), "Sometimes");
}

}  // namespace
}  // namespace reef::cloudformation::sam
