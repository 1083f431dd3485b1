#include "service/cloudformation/template/known_values.h"

#include <gtest/gtest.h>

namespace reef::cloudformation {
namespace {

std::string known(std::string_view yaml) {
  Scope scope{.account = "123456789012", .region = "eu-west-1"};
  scope.parameters = {{"Stage", "dev"}};
  scope.mappings = *Json::parse(R"({"Sizes":{"dev":{"Memory":"128"}}})");
  scope.conditions = {{"IsDev", true}};
  // Of the last deployment: it may be replaced.
  scope.ref = [](std::string_view) { return std::optional<Json>("table-1"); };
  const auto document = parse_template("v: " + std::string(yaml));
  if (!document) return document.error().message;
  const auto out = known_values(*document, scope);
  return out ? (*out)["v"].dump() : out.error().message;
}

TEST(KnownValues, ApplyWhatNeedsNoResource) {
  EXPECT_EQ(known("{Runtime: !Ref Stage, Size: !FindInMap [Sizes, !Ref Stage, Memory], Nothing: !Ref AWS::NoValue}"), R"({"Runtime":"dev","Size":"128"})");
  EXPECT_EQ(known("!Sub '${AWS::Region}-${Stage}'"), R"("eu-west-1-dev")");
}

TEST(KnownValues, LeaveTheRestAsItIsWritten) {
  EXPECT_EQ(known("{Name: !Ref Table, List: [!GetAtt Table.Arn, !Ref Stage]}"), R"({"Name":{"Ref":"Table"},"List":[{"Fn::GetAtt":["Table","Arn"]},"dev"]})");
  EXPECT_EQ(known("!Sub '${Table}-${Stage}'"), R"({"Fn::Sub":"${Table}-${Stage}"})");
  EXPECT_EQ(known("!Join ['', [!ImportValue net]]"), R"({"Fn::Join":["",[{"Fn::ImportValue":"net"}]]})");
  EXPECT_EQ(known("!If [IsDev, {A: !Ref Table, B: !Ref Stage}, 1]"), R"({"A":{"Ref":"Table"},"B":"dev"})");
}

TEST(KnownValues, FindWhatCanNeverBe) {
  EXPECT_EQ(known("!FindInMap [Sizes, prod, Memory]"), "Template error: Unable to get mapping for Sizes::prod::Memory");
  EXPECT_EQ(known("!Select [3, [a, b]]"), "Template error: Fn::Select cannot select nonexistent value at index 3");
}

}  // namespace
}  // namespace reef::cloudformation
