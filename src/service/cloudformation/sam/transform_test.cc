#include "service/cloudformation/sam/transform.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace reef::cloudformation::sam {
namespace {

Json transformed(std::string_view yaml) {
  auto out = transform(parse_template(yaml).value(), {}, "us-east-1");
  if (!out) return Json(out.error().message);
  return *std::move(out);
}

std::vector<std::string> ids(const Json& document) {
  std::vector<std::string> out;
  for (const auto& [name, resource] : document["Resources"].as_object()) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

constexpr std::string_view kOrders = R"(
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Timeout: 5, Environment: {Variables: {A: '1'}}}
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
  Create:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      CodeUri: s3://bucket/key
      Environment: {Variables: {B: '2'}}
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Table}
        - AmazonS3ReadOnlyAccess
      Events:
        Post: {Type: HttpApi, Properties: {Path: /orders, Method: post}}
        Get: {Type: HttpApi, Properties: {Path: '/orders/{id}', Method: get}}
        Jobs: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSize: 5}}
  Q: {Type: AWS::SQS::Queue}
)";

TEST(Serverless, MakesWhatSamMakes) {
  const Json out = transformed(kOrders);
  EXPECT_EQ(ids(out), (std::vector<std::string>{"Create", "CreateGetPermission", "CreateJobs", "CreatePostPermission", "CreateRole", "Q",
                                                "ServerlessHttpApi", "ServerlessHttpApiApiGatewayDefaultStage", "Table"}));
  const Json& function = out["Resources"]["Create"]["Properties"];
  EXPECT_EQ(function["Timeout"].as_int(), 5);
  EXPECT_EQ(function["Environment"].dump(), R"({"Variables":{"A":"1","B":"2"}})");
  EXPECT_EQ(function["Code"].dump(), R"({"S3Bucket":"bucket","S3Key":"key"})");
  EXPECT_EQ(function["Role"].dump(), R"({"Fn::GetAtt":["CreateRole","Arn"]})");
  const Json& role = out["Resources"]["CreateRole"]["Properties"];
  EXPECT_EQ(role["ManagedPolicyArns"].dump(), R"(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole","arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess","arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"])");
  EXPECT_EQ(role["Policies"].at(0).text("PolicyName"), "CreateRolePolicy0");
  EXPECT_EQ(out["Resources"]["CreateGetPermission"]["Properties"]["SourceArn"]["Fn::Sub"].at(0).as_string(),
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/GET/orders/*");
  EXPECT_EQ(out["Resources"]["ServerlessHttpApi"]["Properties"]["Body"]["paths"]["/orders/{id}"]["get"]["parameters"].dump(),
            R"([{"name":"id","in":"path","required":true}])");
  EXPECT_EQ(out["Resources"]["Table"]["Type"].as_string(), "AWS::DynamoDB::Table");
}

TEST(Serverless, PublishesVersionsWhenCodeChanges) {
  const std::string first = std::string(kOrders) + "  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: r, Handler: h, CodeUri: 's3://b/1', AutoPublishAlias: live}\n"
                                                   "Outputs:\n  V: {Value: !Ref F.Version}\n  A: {Value: !GetAtt F.Alias.Arn}\n";
  std::string second = first;
  second.replace(second.find("s3://b/1"), 8, "s3://b/2");
  const Json one = transformed(first), two = transformed(second);
  EXPECT_TRUE(one["Outputs"]["V"]["Value"].text("Ref").starts_with("FVersion"));
  EXPECT_NE(one["Outputs"]["V"]["Value"], two["Outputs"]["V"]["Value"]);
  EXPECT_EQ(one["Outputs"]["A"]["Value"].dump(), R"({"Fn::GetAtt":["FAliaslive","Arn"]})");
}

TEST(Serverless, ImplicitRestApiHasStageAndHashedDeployment) {
  const Json out = transformed("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: r, Handler: h, InlineCode: x, Events: {E: {Type: Api, Properties: {Path: /a, Method: GET}}}}\n");
  EXPECT_TRUE(out["Resources"].contains("ServerlessRestApi"));
  EXPECT_TRUE(out["Resources"].contains("ServerlessRestApiProdStage"));
  EXPECT_TRUE(out["Resources"].contains("FEPermissionProd"));
  const std::string deployment = out["Resources"]["ServerlessRestApiProdStage"]["Properties"]["DeploymentId"].text("Ref");
  EXPECT_EQ(deployment.size(), std::string("ServerlessRestApiDeployment").size() + 10);
  EXPECT_TRUE(out["Resources"].contains(deployment));
}

TEST(Serverless, MakesARoleWhereNoneIsGiven) {
  const Json out = transformed("Conditions: {Own: !Equals [a, b]}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: r, Handler: h, InlineCode: x, Role: !If [Own, arn, !Ref 'AWS::NoValue']}\n");
  EXPECT_EQ(out["Resources"]["F"]["Properties"]["Role"].dump(), R"({"Fn::If":["Own","arn",{"Fn::GetAtt":["FRole","Arn"]}]})");
  EXPECT_EQ(out["Resources"]["FRole"].text("Condition"), "NOTOwn");
  EXPECT_EQ(out["Conditions"]["NOTOwn"].dump(), R"({"Fn::Not":[{"Condition":"Own"}]})");
}

TEST(Serverless, PoolsCallFunctions) {
  const Json out = transformed("Resources:\n  Pool: {Type: AWS::Cognito::UserPool}\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: r, Handler: h, InlineCode: x, Events: {E: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: [PreSignUp, CustomMessage]}}}}\n");
  EXPECT_EQ(out["Resources"]["Pool"]["Properties"]["LambdaConfig"].dump(), R"({"PreSignUp":{"Fn::GetAtt":["F","Arn"]},"CustomMessage":{"Fn::GetAtt":["F","Arn"]}})");
  EXPECT_EQ(out["Resources"]["FCognitoPermission"]["Properties"]["SourceArn"].dump(), R"({"Fn::GetAtt":["Pool","Arn"]})");
}

TEST(Serverless, NamesWhatItDoesNotKnow) {
  const auto message = [](std::string_view yaml) { return transformed(yaml).as_string(); };
  EXPECT_NE(message("Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: r, Handler: h, InlineCode: x, Foo: 1}}}")
                .find("Resource with id [F] is invalid. property Foo not defined for resource of type AWS::Serverless::Function"), std::string::npos);
  EXPECT_NE(message("Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: r, Handler: h, InlineCode: x, Events: {E: {Type: Kafkaesque}}}}}")
                .find("Event with id [E] is invalid. Events of type Kafkaesque are not supported"), std::string::npos);
  EXPECT_NE(message("Resources: {M: {Type: AWS::Serverless::StateMachine}}").find("AWS::Serverless::StateMachine"), std::string::npos);
}

}  // namespace
}  // namespace reef::cloudformation::sam
