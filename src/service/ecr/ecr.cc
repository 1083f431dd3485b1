#include "service/ecr/ecr.h"

#include <fmt/format.h>

#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::ecr {
namespace {

using wire::Json;

std::string record_key(const Call& call, std::string_view name) { return fmt::format("ecr/repository/{}/{}/{}", call.account, call.region, name); }

std::optional<StoredRepository> decode(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  auto repository = aws::from_json<model::Repository>((*json)["repository"]);
  if (!repository) return std::nullopt;
  StoredRepository out{.repository = *std::move(repository)};
  for (const auto& [key, value] : (*json)["tags"].as_object()) out.tags.emplace(key, value.as_string());
  if (const Json* policy = json->find("policy")) out.policy = policy->as_string();
  if (const Json* policy = json->find("lifecyclePolicy")) out.lifecycle_policy = policy->as_string();
  out.lifecycle_evaluated = from_micros((*json)["lifecycleEvaluated"].as_int().value_or(0));
  return out;
}

}  // namespace

std::optional<StoredRepository> load(const Call& call, std::string_view name) {
  const std::string* text = store::Shard::control().records().find(record_key(call, name));
  return text ? decode(*text) : std::nullopt;
}

void save(const Call& call, const StoredRepository& stored) {
  Json out = Json::object({{"repository", aws::to_json(stored.repository)}, {"lifecycleEvaluated", to_micros(stored.lifecycle_evaluated)}});
  Json& tags = out.set("tags", Json::object());
  for (const auto& [key, value] : stored.tags) tags.set(key, value);
  if (stored.policy) out.set("policy", *stored.policy);
  if (stored.lifecycle_policy) out.set("lifecyclePolicy", *stored.lifecycle_policy);
  store::Shard::control().records().put(record_key(call, *stored.repository.repository_name), out.dump());
}

bool erase(const Call& call, std::string_view name) { return store::Shard::control().records().erase(record_key(call, name)); }

std::vector<StoredRepository> load_all(const Call& call) {
  std::vector<StoredRepository> out;
  store::Shard::control().records().scan(record_key(call, ""), [&](std::string_view, const std::string& text) {
    if (auto repository = decode(text)) out.push_back(*std::move(repository));
    return true;
  });
  return out;
}

aws::Error no_repository(const Call& call, std::string_view name) {
  return {errors::kRepositoryNotFoundException,
          fmt::format("The repository with name '{}' does not exist in the registry with id '{}'", name, call.account)};
}

Reply<StoredRepository> existing(const Call& call, const std::optional<std::string>& registry, std::string_view name) {
  if (registry && *registry != call.account)
    return Err(aws::Error(errors::kRepositoryNotFoundException,
                          fmt::format("The repository with name '{}' does not exist in the registry with id '{}'", name, *registry)));
  auto found = load(call, name);
  if (!found) return Err(no_repository(call, name));
  return *std::move(found);
}

std::string registry_host(const Call& call) {
  const auto colon = call.endpoint.rfind(':');
  const std::string port = colon != std::string::npos && parse_int(call.endpoint.substr(colon + 1)) ? call.endpoint.substr(colon) : std::string();
  return fmt::format("{}.dkr.ecr.{}.localhost.localstack.cloud{}", call.account, call.region, port);
}

}  // namespace reef::service::ecr
