#include "service/ecr/ecr.h"

#include <fmt/format.h>

#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/ecr/registry.h"

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

Ecr::Ecr(Parts& parts) : images(parts.get<image::Images>()), publisher(parts.get<events::Publisher>()), registry(std::make_unique<Registry>(*this)) { parts.add(*registry); }
Ecr::~Ecr() = default;

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

model::Repository new_repository(const Call& call, const std::string& name) {
  model::Repository out;
  out.repository_arn = call.arn("ecr", "repository/" + name);
  out.registry_id = call.account;
  out.repository_name = name;
  out.repository_uri = fmt::format("{}/{}", registry_host(call), name);
  out.created_at = call.now;
  out.image_tag_mutability = "MUTABLE";
  out.image_scanning_configuration = model::ImageScanningConfiguration{.scan_on_push = false};
  out.encryption_configuration = model::EncryptionConfiguration{.encryption_type = "AES256", .kms_key = {}};
  return out;
}

namespace {
StoredRepository imported(const Call& call, const std::string& name, const image::Repository& images) {
  StoredRepository out{.repository = new_repository(call, name)};
  for (const auto& [digest, one] : images.images) out.repository.created_at = std::min(*out.repository.created_at, one.pushed);
  return out;
}
}  // namespace

std::vector<StoredRepository> all_repositories(const Ecr& ecr, const Call& call) {
  std::map<std::string, StoredRepository> out;
  store::Shard::control().records().scan(record_key(call, ""), [&](std::string_view, const std::string& text) {
    if (auto repository = decode(text)) out.emplace(*repository->repository.repository_name, *std::move(repository));
    return true;
  });
  for (const auto& [name, images] : ecr.images.all())
    if (!out.contains(name)) out.emplace(name, imported(call, name, images));
  std::vector<StoredRepository> list;
  for (auto& [name, repository] : out) list.push_back(std::move(repository));
  return list;
}

aws::Error no_repository(const Call& call, std::string_view name) {
  return {errors::kRepositoryNotFoundException,
          fmt::format("The repository with name '{}' does not exist in the registry with id '{}'", name, call.account)};
}

Reply<StoredRepository> existing(const Ecr& ecr, const Call& call, const std::optional<std::string>& registry, std::string_view name) {
  if (registry && *registry != call.account)
    return Err(aws::Error(errors::kRepositoryNotFoundException,
                          fmt::format("The repository with name '{}' does not exist in the registry with id '{}'", name, *registry)));
  if (auto found = load(call, name)) return *std::move(found);
  if (const image::Repository* images = ecr.images.find_repository(name)) return imported(call, std::string(name), *images);
  return Err(no_repository(call, name));
}

std::string registry_host(const Call& call) {
  const auto colon = call.endpoint.rfind(':');
  const std::string port = colon != std::string::npos && parse_int(call.endpoint.substr(colon + 1)) ? call.endpoint.substr(colon) : std::string();
  return fmt::format("{}.dkr.ecr.{}.localhost.localstack.cloud{}", call.account, call.region, port);
}

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
void tell(const Ecr& ecr, std::string_view account, std::string_view region, std::string_view repository, std::string_view digest, std::string_view tag, std::string_view action) {
  wire::Json detail = wire::Json::object({{"result", "SUCCESS"}, {"repository-name", repository}, {"image-digest", digest}, {"action-type", action}});
  if (!tag.empty()) detail.set("image-tag", tag);
  ecr.publisher.publish({.id = {}, .detail_type = "ECR Image Action", .source = "aws.ecr", .account = std::string(account), .region = std::string(region), .time = {},
                         .resources = {fmt::format("arn:aws:ecr:{}:{}:repository/{}", region, account, repository)}, .detail = detail.dump(), .replay_name = {}});
}

}  // namespace reef::service::ecr
