// How much of a usage plan its keys have used: requests per day, week or month by counting. No clock inside: `now` is an
// argument.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "aws/models/apigateway.h"
#include "base/time.h"
#include "wire/json.h"

namespace reef::service::apigateway {

// What one key has used of one plan.
class KeyUsage {
 public:
  // Whether another request is within the quota; counts it if so.
  bool count(const aws::apigateway::QuotaSettings* quota, std::string_view plan_created, Time now);
  std::int64_t remaining(const aws::apigateway::QuotaSettings& quota, std::string_view plan_created, std::string_view day) const;
  // As UpdateUsage does: the rest of the period that is now gets that many requests.
  void grant(const aws::apigateway::QuotaSettings& quota, std::string_view plan_created, Time now, std::int64_t remaining);
  std::int64_t used_on(std::string_view day) const;

  wire::Json to_json() const;
  static KeyUsage from_json(const wire::Json& json);

 private:
  std::int64_t used_since(std::string_view first, std::string_view last) const;

  std::map<std::string, std::int64_t, std::less<>> used_;     // by day, "2026-11-21"
  std::map<std::string, std::int64_t, std::less<>> granted_;  // by the first day of a period
};

std::string day_of(Time now);                                          // "2026-11-21"
// The first day of the period that a day is in: "DAY", "WEEK" (from Sunday), "MONTH".
std::string period_start(std::string_view period, std::string_view day);
std::string next_day(std::string_view day);

}  // namespace reef::service::apigateway
