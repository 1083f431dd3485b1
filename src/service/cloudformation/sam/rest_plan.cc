// Auth.UsagePlan of AWS::Serverless::Api: a plan, a key, and the key's place in the plan; one of each for an API, or shared.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiusageplan.html
#include <algorithm>

#include <fmt/format.h>

#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

constexpr std::string_view kSharedCondition = "SharedUsagePlanCondition";

// The strictest policy of those that share.
void raise_policy(Json& made, std::string_view name, const std::string& given) {
  const std::string now = made.text(name);
  const auto rank = [](const std::string& policy) { return policy == "Retain" ? 3 : policy == "Snapshot" ? 2 : policy.empty() ? 0 : 1; };
  if (rank(given) > rank(now)) made.set(name, given);
}

// The resource of that name, as it is when several APIs share it: conditions and policies of all of them.
Json& shared(Context& context, const std::string& name, std::string_view type, const Json& declaration) {
  SharedPlan& plan = context.shared_plan;
  if (!context.resources().contains(name)) context.add(name, Json::object({{"Type", type}, {"Properties", Json::object()}}));
  Json& made = *context.resources().find(name);
  raise_policy(made, "DeletionPolicy", declaration.text("DeletionPolicy"));
  raise_policy(made, "UpdateReplacePolicy", declaration.text("UpdateReplacePolicy"));
  if (plan.has_unconditional) made.erase("Condition");
  else made.set("Condition", kSharedCondition);
  return made;
}

void combine_conditions(Context& context, const Json& declaration) {
  SharedPlan& plan = context.shared_plan;
  if (plan.has_unconditional) return;
  const std::string condition = declaration.text("Condition");
  if (condition.empty()) {
    plan.has_unconditional = true;
    if (Json* all = context.document.find("Conditions")) all->erase(kSharedCondition);
    return;
  }
  if (!plan.conditions.insert(condition).second) return;
  Json combined = Json::object({{"Condition", condition}});
  if (plan.conditions.size() > 1) {
    Json any = Json::array();
    for (const std::string& each : plan.conditions) any.push_back(Json::object({{"Condition", each}}));
    combined = Json::object({{"Fn::Or", std::move(any)}});
  }
  object_at(context.document, "Conditions").set(kSharedCondition, plan.conditions.size() > 1 ? std::move(combined) : Json(condition));
}

}  // namespace

Reply<void> add_usage_plan(Context& context, const std::string& id, const Json& declaration, const std::string& stage_id) {
  const Json& in = declaration["Properties"]["Auth"]["UsagePlan"];
  if (in.is_null()) return {};
  if (!in.is_object()) return Err(invalid_resource(id, "'UsagePlan' must be a dictionary"));
  static constexpr std::string_view kCopied[] = {"UsagePlanName", "Description", "Quota", "Tags", "Throttle"};
  for (const auto& [name, value] : in.as_object())
    if (name != "CreateUsagePlan" && std::find(std::begin(kCopied), std::end(kCopied), name) == std::end(kCopied)) return Err(invalid_resource(id, "Invalid property for 'UsagePlan'"));
  const std::string kind = in.text("CreateUsagePlan");
  if (in["CreateUsagePlan"].is_null()) return Err(invalid_resource(id, "'CreateUsagePlan' is a required field for UsagePlan."));
  if (kind != "SHARED" && kind != "PER_API" && kind != "NONE") return Err(invalid_resource(id, "'CreateUsagePlan' accepts one of ['SHARED', 'PER_API', 'NONE']."));
  if (kind == "NONE") return {};
  const bool is_shared = kind == "SHARED";
  const std::string plan_id = is_shared ? "ServerlessUsagePlan" : id + "UsagePlan", key_id = is_shared ? "ServerlessApiKey" : id + "ApiKey",
                    member_id = is_shared ? "ServerlessUsagePlanKey" : id + "UsagePlanKey";
  if (is_shared) combine_conditions(context, declaration);
  const auto made = [&](const std::string& name, std::string_view type) -> Json& {
    if (is_shared) return shared(context, name, type, declaration);
    context.add(name, resource(type, Json::object(), declaration));
    return *context.resources().find(name);
  };
  context.renamed[id + ".UsagePlan"] = plan_id;
  context.renamed[id + ".ApiKey"] = key_id;
  context.renamed[id + ".UsagePlanKey"] = member_id;
  const auto append = [](Json& properties, std::string_view list, Json value) {
    if (!properties.contains(list)) properties.set(list, Json::array());
    properties.find(list)->push_back(std::move(value));
  };
  {
    Json& plan = made(plan_id, "AWS::ApiGateway::UsagePlan");
    append(plan, "DependsOn", id);
    append(*plan.find("Properties"), "ApiStages", Json::object({{"ApiId", ref_to(id)}, {"Stage", ref_to(stage_id)}}));
    for (const std::string_view name : kCopied)
      if (!is_empty(in[name])) plan.find("Properties")->set(name, in[name]);
  }
  {
    Json& key = made(key_id, "AWS::ApiGateway::ApiKey");
    key.set("DependsOn", Json::array({plan_id}));
    key.find("Properties")->set("Enabled", true);
    append(*key.find("Properties"), "StageKeys", Json::object({{"RestApiId", ref_to(id)}, {"StageName", ref_to(stage_id)}}));
  }
  Json& member = made(member_id, "AWS::ApiGateway::UsagePlanKey");
  member.set("DependsOn", Json::array({key_id}));
  member.set("Properties", Json::object({{"KeyId", ref_to(key_id)}, {"KeyType", "API_KEY"}, {"UsagePlanId", ref_to(plan_id)}}));
  return {};
}

}  // namespace reef::cloudformation::sam
