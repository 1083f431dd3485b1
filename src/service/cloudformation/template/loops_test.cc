#include "service/cloudformation/template/loops.h"

#include <gtest/gtest.h>

namespace reef::cloudformation {
namespace {

std::string expanded(std::string_view yaml) {
  Scope scope{.account = "123456789012", .region = "eu-west-1"};
  scope.parameters = {{"Names", Json::array({"a", "b.c"})}, {"Keep", "Retain"}};
  const auto document = parse_template(yaml);
  if (!document) return document.error().message;
  const auto out = expand_loops(*document, scope);
  return out ? out->dump() : out.error().message;
}

TEST(Loops, RepeatsForEveryValue) {
  EXPECT_EQ(expanded("{Fn::ForEach::Q: [N, [x, y], {'Queue${N}': {Name: '${N}.fifo', Ref: {Ref: N}, At: !GetAtt 'Q${N}.Arn'}}]}"),
            R"({"Queuex":{"Name":"x.fifo","Ref":"x","At":{"Fn::GetAtt":["Qx","Arn"]}},"Queuey":{"Name":"y.fifo","Ref":"y","At":{"Fn::GetAtt":["Qy","Arn"]}}})");
}

TEST(Loops, TakesCollectionsOfParametersAndPlainIdentifiers) {
  EXPECT_EQ(expanded("{Fn::ForEach::Q: [N, !Ref Names, {'Q&{N}': '${N}'}]}"), R"({"Qa":"a","Qbc":"b.c"})");
  EXPECT_EQ(expanded("{Fn::ForEach::Q: [N, [!Ref Names, z], {'Q&{N}': 1}]}"), R"({"Qa":1,"Qbc":1,"Qz":1})");
}

TEST(Loops, Nest) {
  EXPECT_EQ(expanded("{Before: 1, Fn::ForEach::A: [X, [p, q], {Fn::ForEach::B: [Y, ['1', '2'], {'${X}${Y}': '${X}'}]}], After: 2}"),
            R"({"Before":1,"p1":"p","p2":"p","q1":"q","q2":"q","After":2})");
}

TEST(Loops, NamesMayBeFunctions) {
  EXPECT_EQ(expanded("{Fn::ForEach::Q: [N, [x], {'Q${N}': !GetAtt [!Sub 'Q${N}', !Ref Keep], 'R${N}': {Ref: !Sub 'Q${N}'}}]}"),
            R"({"Qx":{"Fn::GetAtt":["Qx","Retain"]},"Rx":{"Ref":"Qx"}})");
}

TEST(Loops, KnowPoliciesWrittenAsFunctions) {
  EXPECT_EQ(expanded("{Resources: {Q: {Type: T, DeletionPolicy: !Ref Keep}}}"), R"({"Resources":{"Q":{"Type":"T","DeletionPolicy":"Retain"}}})");
}

TEST(Loops, RefuseWhatCannotBe) {
  EXPECT_TRUE(expanded("{Fn::ForEach::Q: [N, [x]]}").find("layout is incorrect") != std::string::npos);
  EXPECT_TRUE(expanded("{Fn::ForEach::Q: [N, {a: b}, {'${N}': 1}]}").find("must be a list") != std::string::npos);
  EXPECT_TRUE(expanded("{Fn::ForEach::Q: [Keep, [x], {'${Keep}': 1}]}").find("is a parameter") != std::string::npos);
  EXPECT_TRUE(expanded("{Fn::ForEach::Q: [N, [x, y], {Same: 1}]}").find("duplicate key Same") != std::string::npos);
}

TEST(Loops, AreBounded) {
  std::string list = "[";
  for (int i = 0; i < 100; ++i) list += std::to_string(i) + ",";
  list += "100]";
  EXPECT_TRUE(expanded("{Fn::ForEach::A: [X, " + list + ", {Fn::ForEach::B: [Y, " + list + ", {'a${X}b${Y}': 1}]}]}").find("repetitions") != std::string::npos);
}

}  // namespace
}  // namespace reef::cloudformation
