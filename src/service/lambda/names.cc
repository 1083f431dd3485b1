#include "service/lambda/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "aws/models/lambda.h"
#include "base/text.h"

namespace reef::service::lambda {
namespace {

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

aws::Error of_user(aws::Error error) {
  error.fields.set("Type", "User");
  return error;
}

}  // namespace

std::string FunctionName::arn() const { return fmt::format("arn:aws:lambda:{}:{}:function:{}", region, account, name); }
std::string FunctionName::qualified_arn() const { return qualifier.empty() ? arn() : arn() + ":" + qualifier; }
std::string LayerName::arn() const { return fmt::format("arn:aws:lambda:{}:{}:layer:{}", region, account, name); }

aws::Error function_not_found(const FunctionName& name) { return not_found("Function not found: " + name.qualified_arn()); }
aws::Error not_found(std::string message) {
  return of_user(aws::Error(aws::lambda::errors::kResourceNotFoundException, std::move(message)));
}
aws::Error invalid_parameter(std::string message) {
  return of_user(aws::Error(aws::lambda::errors::kInvalidParameterValueException, std::move(message)));
}
aws::Error conflict(std::string message) {
  return of_user(aws::Error(aws::lambda::errors::kResourceConflictException, std::move(message)));
}

std::optional<FunctionName> parse_function_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 7 || parts.size() > 8 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function") return std::nullopt;
  return FunctionName{std::string(parts[4]), std::string(parts[3]), std::string(parts[6]), parts.size() == 8 ? std::string(parts[7]) : std::string()};
}

aws::Reply<FunctionName> parse_function(std::string_view text, const std::optional<std::string>& qualifier, const aws::Call& call) {
  FunctionName name{.account = call.account, .region = call.region};
  if (const auto arn = parse_function_arn(text)) {
    name = *arn;
  } else {
    auto parts = split(text, ':');
    if (parts.size() >= 3 && is_account(parts[0]) && parts[1] == "function") {
      name.account = parts[0];
      parts.erase(parts.begin(), parts.begin() + 2);
    } else if (parts.size() >= 2 && parts[0] == "function") {
      parts.erase(parts.begin());
    }
    name.name = parts[0];
    if (parts.size() == 2) name.qualifier = parts[1];
    if (parts.size() > 2 || name.name.empty())
      return Err(invalid_parameter(fmt::format("{} is not a valid function name or ARN.", text)));
  }
  if (qualifier && !qualifier->empty()) {
    if (!name.qualifier.empty() && name.qualifier != *qualifier)
      return Err(invalid_parameter("The derived qualifier from the function name does not match the specified qualifier."));
    name.qualifier = *qualifier;
  }
  return name;
}

aws::Reply<FunctionName> parse_reachable_function(std::string_view text, const std::optional<std::string>& qualifier, const aws::Call& call) {
  FunctionName name = TRY(parse_function(text, qualifier, call));
  if (name.region != call.region)
    return Err(not_found(fmt::format("Functions from '{}' are not reachable in this region ('{}')", name.region, call.region)));
  return name;
}

aws::Reply<LayerName> parse_layer(std::string_view text, const aws::Call& call) {
  LayerName name{.account = call.account, .region = call.region};
  if (!text.starts_with("arn:")) {
    name.name = text;
    return name;
  }
  const auto parts = split(text, ':');
  if (parts.size() < 7 || parts.size() > 8 || parts[5] != "layer") return Err(invalid_parameter(fmt::format("{} is not a valid layer ARN.", text)));
  name.region = parts[3];
  name.account = parts[4];
  name.name = parts[6];
  if (parts.size() == 8) {
    const auto version = parse_int<std::int64_t>(parts[7]);
    if (!version) return Err(invalid_parameter(fmt::format("{} is not a valid layer ARN.", text)));
    name.version = *version;
  }
  return name;
}

}  // namespace reef::service::lambda
