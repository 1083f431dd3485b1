// What the parts of the serverless transform share: the template being rewritten and the small pieces of JSON that
// they all make.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/cloudformation/sam/transform.h"

namespace reef::cloudformation::sam {

// An API as functions see it while they add their routes to it.
struct ApiUse {
  std::map<std::string, std::set<std::string>> conditions;  // of the functions behind each path; "" when one has none
  std::vector<std::string> deletion_policies, replace_policies;
  std::set<std::string> functions;
};

// The usage plan that several REST APIs share.
struct SharedPlan {
  bool has_unconditional = false;
  std::set<std::string> conditions;  // of the APIs
};

struct Context {
  Json document;                                   // what comes out
  const std::map<std::string, Json, std::less<>>& parameters;
  std::string region;
  Json serverless;                                 // logical id -> serverless resource, Globals applied
  std::map<std::string, std::string> renamed;      // "Layer" -> "Layer0123456789", "Fn.Alias" -> "FnAliaslive"
  std::map<std::string, ApiUse> uses;              // by API's logical id
  SharedPlan shared_plan;
  std::int64_t now_seconds = 0;

  Json& resources() { return *document.find("Resources"); }
  void add(const std::string& logical_id, Json resource) { resources().set(logical_id, std::move(resource)); }
  // Ref to a parameter becomes its value; everything else stays.
  Json resolved(const Json& value) const;
  std::string partition() const;
  std::string managed_policy_arn(std::string_view name) const;
};

// "Transform AWS::Serverless-2016-10-31 failed with: ..." for a resource.
aws::Error invalid_resource(std::string_view logical_id, std::string_view message);

Json ref_to(std::string_view name);
Json get_att(std::string_view name, std::string_view attribute);
Json sub(std::string_view text);
Json sub(std::string_view text, Json variables);
// {"Type": type, "Properties": properties} with Condition, DeletionPolicy and UpdateReplacePolicy of `like`.
Json resource(std::string_view type, Json properties, const Json& like);
// [{"Key", "Value"}] from a map.
Json tag_list(const Json& tags, std::string_view created_by);
// `prefix` and ten characters of the hash of `data`.
std::string hashed_id(std::string_view prefix, const Json& data);
std::string hashed_text_id(std::string_view prefix, std::string_view text);
// Compact JSON with sorted keys.
std::string sorted_dump(const Json& value);
bool is_alphanumeric(std::string_view text);
// Copies members of `from` that are there.
void copy_members(const Json& from, Json& to, std::initializer_list<std::string_view> names);
// CodeUri, ContentUri, DefinitionUri: "s3://bucket/key" or {Bucket, Key, Version} to {names...}.
Reply<Json> s3_location(std::string_view logical_id, std::string_view property, const Json& uri, std::string_view bucket, std::string_view key,
                        std::string_view version);
// Refuses properties that are not in `known`, by name.
Reply<void> check_known(std::string_view logical_id, std::string_view type, const Json& properties, std::initializer_list<std::string_view> known);

// The parts, each adding what its resource stands for.
Reply<void> expand_function(Context& context, const std::string& logical_id, const Json& declaration);
Reply<void> expand_rest_api(Context& context, const std::string& logical_id, const Json& declaration);
// Puts the authorizers of an HTTP API into its definition.
Reply<void> add_http_auth(Context& context, const std::string& id, const Json& auth, Json& body);
Reply<void> expand_http_api(Context& context, const std::string& logical_id, const Json& declaration);
Reply<void> expand_simple_table(Context& context, const std::string& logical_id, const Json& declaration);
Reply<void> expand_layer(Context& context, const std::string& logical_id, const Json& declaration);
Reply<void> expand_connector(Context& context, const std::string& logical_id, const Json& declaration);
// The Connectors attribute of any resource.
Reply<void> expand_embedded_connectors(Context& context, const std::string& resource_id, const Json& connectors);

// Events of a function: resources of their own, routes in an API. Managed policies that its role then needs go to
// `policies`.
struct FunctionTarget {
  std::string logical_id;
  std::string invoked;      // the function's id, or its alias's
  bool is_alias;
  const Json& declaration;
};
Reply<void> expand_event(Context& context, const FunctionTarget& target, const std::string& event_id, const Json& event, Json& policies);

// The inline policy that sending to a destination needs: its name begins with the logical id of what sends.
Json destination_policy(std::string_view type, const std::string& logical_id, const Json& destination);

// {"DynamoDBCrudPolicy": {"TableName": ...}} as a policy document; nothing when there is no such template.
Reply<std::optional<Json>> policy_from_template(std::string_view logical_id, const std::string& name, const Json& parameters);

// The implicit APIs, made when a function needs them.
inline constexpr std::string_view kImplicitRestApi = "ServerlessRestApi";
inline constexpr std::string_view kImplicitHttpApi = "ServerlessHttpApi";

}  // namespace reef::cloudformation::sam
