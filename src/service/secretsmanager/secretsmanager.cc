#include "service/secretsmanager/secretsmanager.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/encoding.h"
#include "wire/json.h"

namespace reef::service::secretsmanager {
namespace {

using wire::Json;

constexpr std::string_view kPrefix = "secretsmanager/secret/";

std::string record_key(std::string_view account, std::string_view region, std::string_view name) { return fmt::format("{}{}/{}/{}", kPrefix, account, region, name); }

void set_time(Json& json, std::string_view name, const std::optional<Time>& time) {
  if (time) json.set(name, to_micros(*time));
}
std::optional<Time> get_time(const Json& json, std::string_view name) {
  const auto micros = json[name].as_int();
  return micros ? std::optional(from_micros(*micros)) : std::nullopt;
}

Json to_json(const Secret& secret) {
  Json out = Json::object({{"account", secret.account}, {"region", secret.region}, {"name", secret.name}, {"arn", secret.arn}, {"description", secret.description},
                           {"kms", secret.kms_key}, {"type", secret.type}, {"policy", secret.policy}, {"rotates", secret.rotates},
                           {"function", secret.rotation_function}, {"rotating", secret.rotating}});
  set_time(out, "created", secret.created);
  set_time(out, "changed", secret.changed);
  set_time(out, "accessed", secret.accessed);
  set_time(out, "rotated", secret.rotated);
  set_time(out, "deleted", secret.deleted);
  set_time(out, "goneAt", secret.gone_at);
  set_time(out, "nextRotation", secret.next_rotation);
  if (secret.rules) out.set("rules", aws::to_json(*secret.rules));
  Json& tags = out.set("tags", Json::object());
  for (const auto& [key, value] : secret.tags) tags.set(key, value);
  Json& versions = out.set("versions", Json::array());
  for (const Version& version : secret.versions) {
    Json one = Json::object({{"id", version.id}});
    if (version.text) one.set("text", *version.text);
    if (version.binary) one.set("binary", base64_encode(*version.binary));
    set_time(one, "created", version.created);
    set_time(one, "accessed", version.accessed);
    Json& stages = one.set("stages", Json::array());
    for (const std::string& stage : version.stages) stages.push_back(stage);
    versions.push_back(std::move(one));
  }
  return out;
}

Secret from_json(const Json& json) {
  Secret out{.account = json.text("account"), .region = json.text("region"), .name = json.text("name"), .arn = json.text("arn"), .description = json.text("description"),
             .kms_key = json.text("kms"), .type = json.text("type"), .policy = json.text("policy")};
  out.created = get_time(json, "created").value_or(Time{});
  out.changed = get_time(json, "changed").value_or(Time{});
  out.accessed = get_time(json, "accessed");
  out.rotated = get_time(json, "rotated");
  out.deleted = get_time(json, "deleted");
  out.gone_at = get_time(json, "goneAt");
  out.next_rotation = get_time(json, "nextRotation");
  out.rotates = json["rotates"].as_bool();
  out.rotation_function = json.text("function");
  out.rotating = json.text("rotating");
  if (const Json* rules = json.find("rules"))
    if (auto read = aws::from_json<model::RotationRulesType>(*rules)) out.rules = *std::move(read);
  for (const auto& [key, value] : json["tags"].as_object()) out.tags.emplace(key, value.as_string());
  for (const Json& one : json["versions"].as_array()) {
    Version& version = out.versions.emplace_back();
    version.id = one.text("id");
    if (const Json* text = one.find("text")) version.text = text->as_string();
    if (const Json* binary = one.find("binary")) version.binary = base64_decode(binary->as_string());
    version.created = get_time(one, "created").value_or(Time{});
    version.accessed = get_time(one, "accessed");
    for (const Json& stage : one["stages"].as_array()) version.stages.push_back(stage.as_string());
  }
  return out;
}

std::optional<Secret> load(const std::string& key, Time now) {
  const std::string* text = store::Shard::control().records().find(key);
  const auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  if (!json) return std::nullopt;
  Secret secret = from_json(*json);
  if (secret.gone_at && *secret.gone_at <= now) {
    erase(secret);
    return std::nullopt;
  }
  return secret;
}

std::vector<Secret> scan(const std::string& prefix) {
  const Time now = store::Shard::control().now();
  std::vector<Secret> out;
  store::Shard::control().records().scan(prefix, [&](std::string_view, const std::string& text) {
    if (const auto json = Json::parse(text)) out.push_back(from_json(*json));
    return true;
  });
  std::erase_if(out, [&](const Secret& secret) { return secret.gone_at && *secret.gone_at <= now; });
  return out;
}

}  // namespace

bool Version::has(std::string_view stage) const { return std::find(stages.begin(), stages.end(), stage) != stages.end(); }

Version* Secret::version(std::string_view id) {
  const auto found = std::find_if(versions.begin(), versions.end(), [&](const Version& one) { return one.id == id; });
  return found == versions.end() ? nullptr : &*found;
}

Version* Secret::staged(std::string_view stage) {
  const auto found = std::find_if(versions.begin(), versions.end(), [&](const Version& one) { return one.has(stage); });
  return found == versions.end() ? nullptr : &*found;
}

void Secret::move_stage(std::string_view stage, Version* to) {
  for (Version& one : versions) std::erase(one.stages, stage);
  if (to) to->stages.emplace_back(stage);
}

void Secret::make_current(Version& version) {
  Version* before = staged(kCurrent);
  if (before == &version) return;
  move_stage(kCurrent, &version);
  move_stage(kPrevious, before);
}

void Secret::prune() {
  while (versions.size() > kVersionsMax) {
    const auto unused = std::find_if(versions.begin(), versions.end(), [](const Version& one) { return one.stages.empty(); });
    if (unused == versions.end()) return;
    versions.erase(unused);
  }
}

std::optional<Secret> find_secret(const Call& call, std::string_view id) {
  if (!id.starts_with("arn:")) return load(record_key(call.account, call.region, id), call.now);
  const auto at = id.find(":secret:");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view name = id.substr(at + 8);
  const std::string prefix = call.arn("secretsmanager", "secret:");
  if (!id.starts_with(prefix)) return std::nullopt;
  // With its random end, or without.
  const auto dash = name.rfind('-');
  if (dash != std::string_view::npos && name.size() - dash == 7)
    if (auto whole = load(record_key(call.account, call.region, name.substr(0, dash)), call.now); whole && whole->arn == id) return whole;
  return load(record_key(call.account, call.region, name), call.now);
}

Reply<Secret> need_secret(const Call& call, std::string_view id, bool even_deleted) {
  auto secret = find_secret(call, id);
  if (!secret) return Err(not_found());
  if (secret->deleted && !even_deleted) return Err(invalid_request("You can't perform this operation on the secret because it was marked for deletion."));
  return *std::move(secret);
}

void save(const Secret& secret) { store::Shard::control().records().put(record_key(secret.account, secret.region, secret.name), to_json(secret).dump()); }
void erase(const Secret& secret) { store::Shard::control().records().erase(record_key(secret.account, secret.region, secret.name)); }
std::vector<Secret> all_secrets(std::string_view account, std::string_view region) { return scan(record_key(account, region, "")); }
std::vector<Secret> every_secret() { return scan(std::string(kPrefix)); }

aws::Error not_found() { return {errors::kResourceNotFoundException, "Secrets Manager can't find the specified secret."}; }
aws::Error invalid_parameter(std::string message) { return {errors::kInvalidParameterException, std::move(message)}; }
aws::Error invalid_request(std::string message) { return {errors::kInvalidRequestException, std::move(message)}; }

std::vector<model::Tag> to_tags(const Secret& secret) {
  std::vector<model::Tag> out;
  for (const auto& [key, value] : secret.tags) {
    model::Tag& tag = out.emplace_back();
    tag.key = key;
    tag.value = value;
  }
  return out;
}

std::map<std::string, std::vector<std::string>, std::less<>> versions_to_stages(const Secret& secret) {
  std::map<std::string, std::vector<std::string>, std::less<>> out;
  for (const Version& version : secret.versions)
    if (!version.stages.empty()) out.emplace(version.id, version.stages);
  return out;
}

}  // namespace reef::service::secretsmanager
