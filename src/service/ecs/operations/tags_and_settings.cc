// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TagResource.html, and the account's settings.
#include <fmt/format.h>

#include "engine/store/records.h"
#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"

namespace reef::service::ecs::operations {
namespace {

constexpr std::size_t kTagsMax = 50;

// What has tags, and how it is kept.
struct Tagged {
  std::vector<model::Tag>* tags;
  std::function<void()> save;
};

Reply<Tagged> find_tagged(Ecs& ecs, const Call& call, const std::string& arn) {
  const auto missing = [] { return aws::Error(errors::kInvalidParameterException, "The specified resource could not be found."); };
  const auto colon = arn.rfind(':');
  if (!arn.starts_with("arn:") || colon == std::string::npos) return Err(aws::Error(errors::kInvalidParameterException, "Invalid arn syntax."));
  const auto of = [](std::optional<std::vector<model::Tag>>& tags) { return tags ? &*tags : &tags.emplace(); };
  if (arn.find(":task-definition/") != std::string::npos) {
    StoredDefinition* definition = find_definition(ecs, call.account, call.region, arn);
    if (!definition) return Err(missing());
    return Tagged{&definition->tags, [&call, definition] { save(call.account, call.region, *definition); }};
  }
  const auto first = arn.find('/');
  if (first == std::string::npos) return Err(missing());
  const auto second = arn.find('/', first + 1);
  const std::string name = arn.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  const auto cluster = ecs.clusters.find(scope(call, name));
  if (cluster == ecs.clusters.end()) return Err(missing());
  if (arn.find(":cluster/") != std::string::npos) return Tagged{of(cluster->second.cluster.tags), [&one = cluster->second] { save(one); }};
  if (arn.find(":service/") != std::string::npos)
    if (const ServicePtr service = find_service(ecs, call, cluster->second, arn)) return Tagged{of(service->service.tags), [service] { save(*service); }};
  if (arn.find(":task/") != std::string::npos)
    if (const TaskPtr task = find_task(ecs, call, cluster->second, arn)) return Tagged{of(task->task.tags), [task] { save(*task); }};
  return Err(missing());
}

std::string setting_key(const Call& call, std::string_view principal, std::string_view name) {
  return fmt::format("ecs-setting/{}/{}", scope(call, principal), name);
}

const std::pair<const char*, const char*> kDefaults[] = {
    {"awsvpcTrunking", "disabled"}, {"containerInsights", "disabled"}, {"containerInstanceLongArnFormat", "enabled"}, {"defaultLogDriverMode", "non-blocking"},
    {"fargateFIPSMode", "disabled"}, {"fargateTaskRetirementWaitPeriod", "7"}, {"guardDutyActivate", "off"}, {"serviceLongArnFormat", "enabled"},
    {"tagResourceAuthorization", "off"}, {"taskLongArnFormat", "enabled"}};

model::Setting put(const Call& call, const std::string& principal, const std::string& name, const std::string& value) {
  store::Shard::control().records().put(setting_key(call, principal, name), wire::Json::object({{"name", name}, {"value", value}, {"principal", principal}}).dump());
  return {.name = name, .value = value, .principal_arn = principal, .type = "user"};
}

Reply<void> check_setting(const std::string& name) {
  for (const auto& [known, value] : kDefaults)
    if (name == known) return {};
  return Err(aws::Error(errors::kInvalidParameterException, "Invalid setting name: " + name));
}

}  // namespace

Task<Reply<model::TagResourceOutput>> TagResource(Ecs& ecs, const model::TagResourceInput& in, const Call& call) {
  const Tagged tagged = CO_TRY(find_tagged(ecs, call, in.resource_arn));
  for (const model::Tag& tag : in.tags) {
    const auto found = std::find_if(tagged.tags->begin(), tagged.tags->end(), [&](const model::Tag& one) { return one.key == tag.key; });
    if (found != tagged.tags->end()) found->value = tag.value;
    else tagged.tags->push_back(tag);
  }
  if (tagged.tags->size() > kTagsMax) {
    tagged.tags->resize(tagged.tags->size() - in.tags.size());
    co_return Err(aws::Error(errors::kInvalidParameterException, fmt::format("A resource can have at most {} tags.", kTagsMax)));
  }
  tagged.save();
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(Ecs& ecs, const model::UntagResourceInput& in, const Call& call) {
  const Tagged tagged = CO_TRY(find_tagged(ecs, call, in.resource_arn));
  std::erase_if(*tagged.tags, [&](const model::Tag& tag) { return std::find(in.tag_keys.begin(), in.tag_keys.end(), tag.key.value_or("")) != in.tag_keys.end(); });
  tagged.save();
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(Ecs& ecs, const model::ListTagsForResourceInput& in, const Call& call) {
  co_return model::ListTagsForResourceOutput{.tags = *CO_TRY(find_tagged(ecs, call, in.resource_arn)).tags};
}

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutAccountSetting.html
Task<Reply<model::PutAccountSettingOutput>> PutAccountSetting(Ecs&, const model::PutAccountSettingInput& in, const Call& call) {
  CO_TRY(check_setting(in.name));
  model::PutAccountSettingOutput out{.setting = put(call, in.principal_arn.value_or(call.principal.arn), in.name, in.value)};
  co_await committed();
  co_return out;
}

Task<Reply<model::PutAccountSettingDefaultOutput>> PutAccountSettingDefault(Ecs&, const model::PutAccountSettingDefaultInput& in, const Call& call) {
  CO_TRY(check_setting(in.name));
  model::PutAccountSettingDefaultOutput out{.setting = put(call, "arn:aws:iam::" + call.account + ":root", in.name, in.value)};
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteAccountSettingOutput>> DeleteAccountSetting(Ecs&, const model::DeleteAccountSettingInput& in, const Call& call) {
  CO_TRY(check_setting(in.name));
  const std::string principal = in.principal_arn.value_or(call.principal.arn);
  store::Shard::control().records().erase(setting_key(call, principal, in.name));
  co_await committed();
  co_return model::DeleteAccountSettingOutput{.setting = model::Setting{.name = in.name, .value = "", .principal_arn = principal, .type = "user"}};
}

Task<Reply<model::ListAccountSettingsOutput>> ListAccountSettings(Ecs&, const model::ListAccountSettingsInput& in, const Call& call) {
  model::ListAccountSettingsOutput out;
  auto& list = out.settings.emplace();
  const std::string principal = in.principal_arn.value_or(call.principal.arn), root = "arn:aws:iam::" + call.account + ":root";
  const auto value_of = [&](const std::string& who, const char* name) -> std::optional<std::string> {
    const std::string* text = store::Shard::control().records().find(setting_key(call, who, name));
    const auto json = text ? wire::Json::parse(*text) : Err(wire::JsonError{});
    return json ? std::optional(json->text("value")) : std::nullopt;
  };
  for (const auto& [name, standard] : kDefaults) {
    if (in.name && *in.name != name) continue;
    std::optional<std::string> value = value_of(principal, name);
    if (in.effective_settings.value_or(false)) {
      if (!value) value = value_of(root, name);
      if (!value) value = standard;
    }
    if (value && (!in.value || in.value == value)) list.push_back({.name = name, .value = value, .principal_arn = principal, .type = "user"});
  }
  co_return out;
}

}  // namespace reef::service::ecs::operations
