// The many ways to name a function, and the ARNs that are given back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/call.h"
#include "aws/error.h"

namespace reef::service::lambda {

struct FunctionName {
  std::string account, region, name;
  std::string qualifier;  // version, alias, "$LATEST" or "" when none was given

  std::string arn() const;             // unqualified
  std::string qualified_arn() const;   // with the qualifier, if any
  std::string key() const { return account + "/" + region + "/" + name; }
};

// "name", "name:alias", "123456789012:function:name" or an ARN; `qualifier` is the separate parameter.
aws::Reply<FunctionName> parse_function(std::string_view text, const std::optional<std::string>& qualifier, const aws::Call& call);
// The same, of a function that can be reached from the caller's region.
aws::Reply<FunctionName> parse_reachable_function(std::string_view text, const std::optional<std::string>& qualifier, const aws::Call& call);
// "arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]" only.
std::optional<FunctionName> parse_function_arn(std::string_view arn);

struct LayerName {
  std::string account, region, name;
  std::int64_t version = 0;
  std::string arn() const;
  std::string version_arn() const { return arn() + ":" + std::to_string(version); }
  std::string key() const { return account + "/" + region + "/" + name; }
};
// A name, a layer's ARN or a layer version's ARN.
aws::Reply<LayerName> parse_layer(std::string_view text, const aws::Call& call);

// The errors that many operations share.
aws::Error function_not_found(const FunctionName& name);
aws::Error not_found(std::string message);
aws::Error invalid_parameter(std::string message);
aws::Error conflict(std::string message);

}  // namespace reef::service::lambda
