#include "service/cloudformation/stack_policy.h"

#include <gtest/gtest.h>

namespace reef::cloudformation {
namespace {

TEST(StackPolicy, DeniesWhatIsDeniedAndWhatNobodyAllows) {
  constexpr std::string_view kPolicy = R"({"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"},
      {"Effect":"Deny","Action":["Update:Replace","Update:Delete"],"Principal":"*","Resource":"LogicalResourceId/Db*"}]})";
  EXPECT_TRUE(is_allowed_by_policy("", "Update:Delete", "Db1", "T"));
  EXPECT_TRUE(is_allowed_by_policy(kPolicy, "Update:Modify", "Db1", "T"));
  EXPECT_FALSE(is_allowed_by_policy(kPolicy, "Update:Delete", "Db1", "T"));
  EXPECT_TRUE(is_allowed_by_policy(kPolicy, "Update:Delete", "Queue", "T"));
  EXPECT_FALSE(is_allowed_by_policy(R"({"Statement":[{"Effect":"Allow","Action":"Update:*","Resource":"*","Condition":{"StringEquals":{"ResourceType":["AWS::SQS::Queue"]}}}]})",
                                    "Update:Modify", "A", "AWS::DynamoDB::Table"));
}

}  // namespace
}  // namespace reef::cloudformation
