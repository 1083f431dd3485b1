// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateUsagePlan.html and its kin.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

constexpr int kUsageDaysMax = 90;

Reply<StoredPlan*> plan_of(RestApis& apis, const Call& call, const std::string& id) {
  StoredPlan* plan = apis.keys.find_plan(call, id);
  if (!plan) return Err(not_found("Invalid Usage Plan ID specified"));
  return plan;
}

Reply<void> check_plan(RestApis& apis, const Call& call, const model::UsagePlan& plan) {
  for (const model::ApiStage& stage : plan.api_stages.value_or(std::vector<model::ApiStage>{})) {
    const StoredApi* api = apis.find(call, stage.api_id.value_or(""));
    if (!api || !api->stages.contains(stage.stage.value_or(""))) return Err(not_found("API Stage not found: " + stage.api_id.value_or("") + ":" + stage.stage.value_or("")));
  }
  if (plan.quota) {
    const std::string period = plan.quota->period.value_or("");
    if (period != "DAY" && period != "WEEK" && period != "MONTH") return Err(bad_request("Usage Plan quota period must be one of [DAY, WEEK, MONTH]"));
    if (plan.quota->limit.value_or(0) < 1) return Err(bad_request("Usage Plan quota limit must be greater than 0"));
    const std::int32_t offset = plan.quota->offset.value_or(0), most = period == "DAY" ? 0 : period == "WEEK" ? 6 : 27;
    if (offset < 0 || offset > most) return Err(bad_request(fmt::format("Usage Plan quota offset must be zero in the {} period", period)));
  }
  return {};
}

model::UsagePlanKey shown(const StoredKey& key) {
  model::UsagePlanKey out;
  out.id = key.key.id;
  out.type = "API_KEY";
  out.name = key.key.name;
  out.value = key.key.value;
  return out;
}

// "/apiStages" with "api:stage", and the limits of one method of a stage; everything else is a member.
Reply<bool> patch_stage(model::UsagePlan& plan, const model::PatchOperation& operation) {
  const std::string path = operation.path.value_or(""), value = operation.value.value_or(""), op = operation.op.value_or("");
  constexpr std::string_view kStages = "/apiStages";
  if (!path.starts_with(kStages)) return false;
  if (!plan.api_stages) plan.api_stages.emplace();
  auto& stages = *plan.api_stages;
  const auto find = [&](std::string_view name) {
    const auto colon = name.find(':');
    return std::find_if(stages.begin(), stages.end(), [&](const model::ApiStage& each) { return each.api_id.value_or("") == name.substr(0, colon) && each.stage.value_or("") == (colon == std::string_view::npos ? "" : name.substr(colon + 1)); });
  };
  if (path == kStages) {
    if (op == "remove") return stages.erase(std::remove_if(stages.begin(), stages.end(), [&](const model::ApiStage& each) { return each.api_id.value_or("") + ":" + each.stage.value_or("") == value; }), stages.end()), true;
    if (op != "add" || value.find(':') == std::string::npos) return Err(bad_request("Invalid patch operation for /apiStages"));
    if (find(value) != stages.end()) return true;
    model::ApiStage stage;
    stage.api_id = value.substr(0, value.find(':'));
    stage.stage = value.substr(value.find(':') + 1);
    stages.push_back(std::move(stage));
    return true;
  }
  // "/apiStages/api:stage/throttle/~1orders/GET/rateLimit"
  const auto steps = split(std::string_view(path).substr(kStages.size() + 1), '/');
  const auto stage = find(steps[0]);
  if (stage == stages.end() || steps.size() < 4 || steps[1] != "throttle") return Err(bad_request("Invalid patch path " + path));
  const std::string method = replace_all(std::string(steps[2]), "~1", "/") + "/" + std::string(steps[3]);
  if (!stage->throttle) stage->throttle.emplace();
  if (op == "remove") return stage->throttle->erase(method), true;
  model::ThrottleSettings& limits = (*stage->throttle)[method];
  if (steps.size() == 5 && steps[4] == "rateLimit") limits.rate_limit = wire::Json::number(value).as_double();
  else if (steps.size() == 5 && steps[4] == "burstLimit") limits.burst_limit = parse_int<std::int32_t>(value);
  else return Err(bad_request("Invalid patch path " + path));
  return true;
}

}  // namespace

Task<Reply<model::CreateUsagePlanOutput>> CreateUsagePlan(RestApis& apis, const model::CreateUsagePlanInput& in, const Call& call) {
  model::UsagePlan plan;
  plan.id = apis.new_id(6);
  plan.name = in.name;
  plan.description = in.description;
  plan.api_stages = in.api_stages.value_or(std::vector<model::ApiStage>{});
  plan.throttle = in.throttle;
  plan.quota = in.quota;
  if (plan.quota && !plan.quota->offset) plan.quota->offset = 0;
  plan.tags = in.tags;
  CO_TRY(check_plan(apis, call, plan));
  apis.keys.add(StoredPlan{.plan = plan, .account = call.account, .region = call.region, .created_day = day_of(call.now), .keys = {}, .usage = {}, .buckets = {}});
  co_await committed();
  co_return plan;
}

Task<Reply<model::GetUsagePlanOutput>> GetUsagePlan(RestApis& apis, const model::GetUsagePlanInput& in, const Call& call) {
  co_return CO_TRY(plan_of(apis, call, in.usage_plan_id))->plan;
}

Task<Reply<model::GetUsagePlansOutput>> GetUsagePlans(RestApis& apis, const model::GetUsagePlansInput& in, const Call& call) {
  model::GetUsagePlansOutput out;
  auto& items = out.items.emplace();
  for (const StoredPlan* plan : apis.keys.plans(call))
    if (!in.key_id || std::find(plan->keys.begin(), plan->keys.end(), *in.key_id) != plan->keys.end()) items.push_back(plan->plan);
  co_return out;
}

Task<Reply<model::UpdateUsagePlanOutput>> UpdateUsagePlan(RestApis& apis, const model::UpdateUsagePlanInput& in, const Call& call) {
  StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  model::UsagePlan edited = plan->plan;
  std::vector<model::PatchOperation> others;
  for (const auto& operation : in.patch_operations.value_or(std::vector<model::PatchOperation>{}))
    if (!CO_TRY(patch_stage(edited, operation))) others.push_back(operation);
  CO_TRY(patch(edited, std::optional(std::move(others))));
  CO_TRY(check_plan(apis, call, edited));
  plan->plan = edited;
  plan->buckets.clear();
  apis.keys.changed(*plan);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteUsagePlanOutput>> DeleteUsagePlan(RestApis& apis, const model::DeleteUsagePlanInput& in, const Call& call) {
  StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  if (plan->plan.api_stages && !plan->plan.api_stages->empty())
    co_return Err(bad_request(fmt::format("Cannot delete Usage Plan {} because there are API Stages associated with it. Remove all API stages from the usage plan first.", in.usage_plan_id)));
  apis.keys.remove_plan(in.usage_plan_id);
  co_await committed();
  co_return model::DeleteUsagePlanOutput{};
}

Task<Reply<model::CreateUsagePlanKeyOutput>> CreateUsagePlanKey(RestApis& apis, const model::CreateUsagePlanKeyInput& in, const Call& call) {
  StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  if (in.key_type != "API_KEY") co_return Err(bad_request("Invalid key type specified. Must be API_KEY"));
  const StoredKey* key = apis.keys.find_key(call, in.key_id);
  if (!key) co_return Err(not_found("Invalid API Key identifier specified"));
  if (std::find(plan->keys.begin(), plan->keys.end(), in.key_id) != plan->keys.end())
    co_return Err(aws::Error(errors::kConflictException, fmt::format("Usage Plan {} already contains API Key {}", in.usage_plan_id, in.key_id)));
  plan->keys.push_back(in.key_id);
  apis.keys.changed(*plan);
  const model::UsagePlanKey out = shown(*key);
  co_await committed();
  co_return out;
}

Task<Reply<model::GetUsagePlanKeyOutput>> GetUsagePlanKey(RestApis& apis, const model::GetUsagePlanKeyInput& in, const Call& call) {
  const StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  const StoredKey* key = apis.keys.find_key(call, in.key_id);
  if (!key || std::find(plan->keys.begin(), plan->keys.end(), in.key_id) == plan->keys.end())
    co_return Err(not_found(fmt::format("Usage Plan ID {} is not associated with API Key {}", in.usage_plan_id, in.key_id)));
  co_return shown(*key);
}

Task<Reply<model::GetUsagePlanKeysOutput>> GetUsagePlanKeys(RestApis& apis, const model::GetUsagePlanKeysInput& in, const Call& call) {
  const StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  model::GetUsagePlanKeysOutput out;
  auto& items = out.items.emplace();
  for (const std::string& id : plan->keys)
    if (const StoredKey* key = apis.keys.find_key(call, id); key && (!in.name_query || key->key.name.value_or("").starts_with(*in.name_query))) items.push_back(shown(*key));
  co_return out;
}

Task<Reply<model::DeleteUsagePlanKeyOutput>> DeleteUsagePlanKey(RestApis& apis, const model::DeleteUsagePlanKeyInput& in, const Call& call) {
  StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  if (std::erase(plan->keys, in.key_id) == 0) co_return Err(not_found(fmt::format("Usage Plan ID {} is not associated with API Key {}", in.usage_plan_id, in.key_id)));
  apis.keys.changed(*plan);
  co_await committed();
  co_return model::DeleteUsagePlanKeyOutput{};
}

// https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
Task<Reply<model::GetUsageOutput>> GetUsage(RestApis& apis, const model::GetUsageInput& in, const Call& call) {
  const StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  if (in.start_date.size() != 10 || in.end_date.size() != 10 || in.end_date < in.start_date) co_return Err(bad_request("Invalid date range: the dates must be YYYY-MM-DD, the start not after the end"));
  model::GetUsageOutput out;
  out.usage_plan_id = in.usage_plan_id;
  out.start_date = in.start_date;
  out.end_date = in.end_date;
  auto& items = out.items.emplace();
  for (const auto& [key, usage] : plan->usage) {
    if (in.key_id && key != *in.key_id) continue;
    auto& days = items[key];
    std::string day = in.start_date;
    for (int i = 0; i < kUsageDaysMax && day <= in.end_date; ++i, day = next_day(day))
      days.push_back({usage.used_on(day), plan->plan.quota ? usage.remaining(*plan->plan.quota, plan->created_day, day) : 0});
  }
  co_return out;
}

Task<Reply<model::UpdateUsageOutput>> UpdateUsage(RestApis& apis, const model::UpdateUsageInput& in, const Call& call) {
  StoredPlan* plan = CO_TRY(plan_of(apis, call, in.usage_plan_id));
  if (std::find(plan->keys.begin(), plan->keys.end(), in.key_id) == plan->keys.end()) co_return Err(not_found(fmt::format("Usage Plan ID {} is not associated with API Key {}", in.usage_plan_id, in.key_id)));
  if (!plan->plan.quota) co_return Err(bad_request("Usage Plan does not have a quota"));
  for (const auto& operation : in.patch_operations.value_or(std::vector<model::PatchOperation>{})) {
    const auto wanted = parse_int<std::int64_t>(operation.value.value_or(""));
    if (operation.op != "replace" || operation.path != "/remaining" || !wanted || *wanted < 0) co_return Err(bad_request("Invalid patch operation specified. Must be 'replace' of '/remaining'"));
    plan->usage[in.key_id].grant(*plan->plan.quota, plan->created_day, call.now, *wanted);
  }
  apis.keys.usage_changed(*plan, in.key_id);
  const std::string day = day_of(call.now);
  model::UpdateUsageOutput out;
  out.usage_plan_id = in.usage_plan_id;
  out.start_date = out.end_date = day;
  const KeyUsage& usage = plan->usage[in.key_id];
  out.items.emplace()[in.key_id] = {{usage.used_on(day), usage.remaining(*plan->plan.quota, plan->created_day, day)}};
  co_await committed();
  co_return out;
}

}  // namespace reef::service::apigateway::operations
