// What intrinsic functions mean, given what is known so far. Pure: resources, exports and parameters come in through
// the scope.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/cloudformation/template/template.h"

namespace reef::cloudformation {

struct Scope {
  std::string account, region, partition = "aws", url_suffix = "amazonaws.com";
  std::string stack_name, stack_id;
  std::vector<std::string> notification_arns;
  std::map<std::string, Json, std::less<>> parameters;  // text, or a list of text
  Json mappings;
  std::map<std::string, bool, std::less<>> conditions;
  bool has_language_extensions = false;
  // Nothing when there is no such resource (or it was not created); unset while only parameters may be used.
  std::function<std::optional<Json>(std::string_view resource)> ref;
  std::function<std::optional<Json>(std::string_view resource, std::string_view attribute)> attribute;
  std::function<std::optional<std::string>(std::string_view name)> import_value;
};

// The value with every function applied; nothing for AWS::NoValue.
Reply<std::optional<Json>> evaluate(const Json& value, const Scope& scope);
// Like it, but null for AWS::NoValue.
Reply<Json> evaluate_or_null(const Json& value, const Scope& scope);

// Fills scope.conditions from the template's Conditions section.
Reply<void> evaluate_conditions(const Json& section, Scope& scope);
// Rules: the first assertion that fails is the error.
Reply<void> check_rules(const Json& section, Scope& scope);

// Logical ids that the value needs, given the conditions (branches of Fn::If not taken need nothing). Names of
// parameters and pseudo parameters are included; the caller tells them apart.
void collect_references(const Json& value, const Scope& scope, std::set<std::string>& out);
// As above, for every branch: what the value mentions at all.
void collect_mentions(const Json& value, std::set<std::string>& out);

}  // namespace reef::cloudformation
