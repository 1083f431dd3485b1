#include "aws/invoke_policy.h"

#include <gtest/gtest.h>

namespace reef::aws {

TEST(InvokePolicy, AllowsWhatAStatementAllowsAndNoneDenies) {
  const auto judge = [](const char* statements) { return judge_invoke(*wire::Json::parse(std::string("{\"Statement\":") + statements + "}"), "arn:aws:execute-api:r:1:api/prod/GET/orders"); };
  EXPECT_EQ(judge(R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"arn:aws:execute-api:*:1:api/prod/GET/*"}])"), Verdict::kAllowed);
  EXPECT_EQ(judge(R"({"Action":["x","execute-api:*"],"Effect":"Allow","Resource":["*"]})"), Verdict::kAllowed);
  EXPECT_EQ(judge(R"([{"Action":"*","Effect":"Deny","Resource":"*"},{"Action":"*","Effect":"Allow","Resource":"*"}])"), Verdict::kDenied);
  EXPECT_EQ(judge(R"([{"Action":"*","Effect":"Allow","Resource":"arn:aws:execute-api:r:1:api/prod/POST/*"}])"), Verdict::kNotAllowed);
  EXPECT_EQ(judge(R"([{"Action":"*","Effect":"Allow","Resource":"*","Condition":{}}])"), Verdict::kNotAllowed);
  EXPECT_EQ(judge(R"([{"NotAction":"*","Effect":"Deny","Resource":"*"}])"), Verdict::kDenied);
  EXPECT_EQ(judge("[]"), Verdict::kNotAllowed);
  EXPECT_EQ(judge("7"), Verdict::kNotAllowed);
}

}  // namespace reef::aws
