#include "service/cloudformation/template/evaluate.h"

#include <gtest/gtest.h>

#include "service/cloudformation/template/parameters.h"

namespace reef::cloudformation {
namespace {

Scope scope() {
  Scope out{.account = "123456789012", .region = "eu-west-1", .stack_name = "shop", .stack_id = "arn:stack"};
  out.parameters = {{"Stage", "dev"}, {"Zones", Json::array({"a", "b"})}};
  out.mappings = *Json::parse(R"({"Sizes":{"dev":{"Memory":"128"}}})");
  out.conditions = {{"IsDev", true}, {"IsProd", false}};
  out.ref = [](std::string_view name) -> std::optional<Json> { return name == "Table" ? std::optional<Json>("table-1") : std::nullopt; };
  out.attribute = [](std::string_view, std::string_view attribute) -> std::optional<Json> {
    return attribute == "Arn" ? std::optional<Json>("arn:table") : std::nullopt;
  };
  out.import_value = [](std::string_view name) { return name == "net" ? std::optional<std::string>("vpc-1") : std::nullopt; };
  return out;
}

// The value of the YAML text, or the error's message.
std::string value(std::string_view yaml) {
  const auto document = parse_template("v: " + std::string(yaml));
  if (!document) return document.error().message;
  const auto out = evaluate(*document, scope());
  if (!out) return out.error().message;
  return (**out)["v"].dump();
}

TEST(Intrinsics, ComputeValues) {
  EXPECT_EQ(value("!Ref Stage"), R"("dev")");
  EXPECT_EQ(value("!Ref AWS::Region"), R"("eu-west-1")");
  EXPECT_EQ(value("!Ref Table"), R"("table-1")");
  EXPECT_EQ(value("!GetAtt Table.Arn"), R"("arn:table")");
  EXPECT_EQ(value("!Sub 'x-${Stage}-${AWS::AccountId}-${Table.Arn}-${!Literal}'"), R"("x-dev-123456789012-arn:table-${Literal}")");
  EXPECT_EQ(value("!Sub ['${A}b', {A: !Ref Stage}]"), R"("devb")");
  EXPECT_EQ(value("!Join ['-', [a, !Ref Stage, 3]]"), R"("a-dev-3")");
  EXPECT_EQ(value("!Select [1, !Ref Zones]"), R"("b")");
  EXPECT_EQ(value("!Split [',', 'a,b']"), R"(["a","b"])");
  EXPECT_EQ(value("!FindInMap [Sizes, !Ref Stage, Memory]"), R"("128")");
  EXPECT_EQ(value("!If [IsProd, 1, !Ref Stage]"), R"("dev")");
  EXPECT_EQ(value("!Base64 abc"), R"("YWJj")");
  EXPECT_EQ(value("!ImportValue net"), R"("vpc-1")");
  EXPECT_EQ(value("!Cidr ['10.0.0.0/16', 2, 8]"), R"(["10.0.0.0/24","10.0.1.0/24"])");
  EXPECT_EQ(value("!GetAZs ''"), R"(["eu-west-1a","eu-west-1b","eu-west-1c"])");
  EXPECT_EQ(value("{a: !If [IsDev, !Ref AWS::NoValue, x], b: [!Ref AWS::NoValue, 1]}"), R"({"b":[1]})");
}

TEST(Intrinsics, SayWhatIsWrongAsAwsDoes) {
  EXPECT_EQ(value("!GetAtt Nope.Arn"), "Template error: instance of Fn::GetAtt references undefined resource Nope");
  EXPECT_EQ(value("!FindInMap [Sizes, prod, Memory]"), "Template error: Unable to get mapping for Sizes::prod::Memory");
  EXPECT_EQ(value("!Select [5, [a]]"), "Template error: Fn::Select cannot select nonexistent value at index 5");
  EXPECT_EQ(value("!ImportValue nope"), "No export named nope found.");
  EXPECT_TRUE(value("!Foo x").starts_with("Template format error: YAML not well-formed. (line 1, column 4)"));
}

TEST(Conditions, AreEvaluatedInAnyOrderAndCyclesAreFound) {
  Scope out = scope();
  ASSERT_TRUE(evaluate_conditions(parse_template("A: !And [!Condition B, !Equals [!Ref Stage, dev]]\nB: !Not [!Equals [1, 2]]").value(), out));
  EXPECT_TRUE(out.conditions.at("A"));
  EXPECT_FALSE(evaluate_conditions(parse_template("C: !Not [!Condition D]\nD: !Not [!Condition C]").value(), out));
  const auto refused = evaluate_conditions(parse_template("E: !Equals [!Ref Bucket, x]").value(), out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Template format error: Unresolved dependencies [Bucket]. Cannot reference resources in the Conditions block of the template");
}

TEST(References, FollowOnlyTheBranchesTaken) {
  std::set<std::string> out;
  collect_references(parse_template("a: !If [IsDev, !Ref X, !Ref Y]\nb: !Sub '${Z.Arn} ${!No} ${AWS::Region}'\nc: !GetAtt [W, Arn]").value(), scope(), out);
  EXPECT_EQ(out, (std::set<std::string>{"X", "Z", "AWS::Region", "W"}));
}

TEST(Parameters, AreCheckedWithAwsWording) {
  const Json section = parse_template("Size: {Type: Number, MaxValue: 10}\nStage: {Type: String, AllowedValues: [dev, prod], Default: dev}\n"
                                      "Name: {Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case only, Default: x}\n"
                                      "List: {Type: CommaDelimitedList, Default: 'a, b'}").value();
  const auto message = [&](std::vector<GivenParameter> given) {
    const auto out = resolve_parameters(section, given, {});
    return out ? std::string() : out.error().message;
  };
  EXPECT_EQ(message({}), "Parameters: [Size] must have values");
  EXPECT_EQ(message({{"Size", "1"}, {"What", "1"}}), "Parameters: [What] do not exist in the template");
  EXPECT_EQ(message({{"Size", "11"}}), "Parameter 'Size' must be a number not greater than 10");
  EXPECT_EQ(message({{"Size", "1"}, {"Stage", "test"}}), "Parameter 'Stage' must be one of AllowedValues");
  EXPECT_EQ(message({{"Size", "1"}, {"Name", "A"}}), "Parameter Name failed to satisfy constraint: lower case only");
  const auto out = resolve_parameters(section, {{"Size", {}, true}}, {{"Size", "7"}});
  ASSERT_TRUE(out);
  EXPECT_EQ(out->at(0).value, "7");
  EXPECT_EQ(out->at(3).ref_value().dump(), R"(["a","b"])");
}

TEST(Templates, SectionsAreChecked) {
  const auto message = [](std::string_view text) {
    const auto document = parse_template(text);
    if (!document) return document.error().message;
    const auto done = check_sections(*document);
    return done ? std::string() : done.error().message;
  };
  EXPECT_EQ(message("Resources: {}"), "Template format error: At least one Resources member must be defined.");
  EXPECT_EQ(message("Resources: {A: {Type: x}}\nFoo: 1"), "Invalid template property or properties [Foo]");
  EXPECT_EQ(message("just text"), "Template format error: unsupported structure.");
  EXPECT_EQ(message("{\"Resources\": "), "Template format error: JSON not well-formed. (line 1, column 14)");
  EXPECT_EQ(message("Resources: {A: {Type: x}}"), "");
}

}  // namespace
}  // namespace reef::cloudformation
