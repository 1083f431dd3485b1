#include "service/lambda/repository.h"

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::lambda {
namespace {

using wire::Json;

store::Records& records() { return store::Shard::control().records(); }

std::optional<Json> load(const std::string& key) {
  const std::string* text = records().find(key);
  if (!text) return std::nullopt;
  auto json = Json::parse(*text);
  if (!json) return std::nullopt;
  return *std::move(json);
}

void scan(const std::string& prefix, const std::function<void(std::string_view rest, Json json)>& visit) {
  records().scan(prefix, [&](std::string_view key, const std::string& value) {
    if (auto json = Json::parse(value)) visit(key.substr(prefix.size()), *std::move(json));
    return true;
  });
}

template <class T>
T value_of(const Json& json) {
  auto value = aws::from_json<T>(json);
  return value ? *std::move(value) : T{};
}

Json tags_json(const Tags& tags) {
  Json json = Json::object();
  for (const auto& [name, value] : tags) json.set(name, value);
  return json;
}
Tags tags_of(const Json& json) {
  Tags tags;
  for (const auto& [name, value] : json.as_object()) tags[name] = value.as_string();
  return tags;
}

Json to_json(const StoredVersion& version) {
  return Json::object({{"Config", aws::to_json(version.config)}, {"Code", version.code}, {"CodeZip", version.code_zip}, {"Layers", version.layers}, {"Build", version.build}});
}
StoredVersion version_of(const Json& json) {
  return {value_of<model::FunctionConfiguration>(json["Config"]), json.text("Code"), json.text("CodeZip"), json.text("Layers"), json.text("Build")};
}
StoredFunction function_of(const Json& json) {
  StoredFunction function{version_of(json["Latest"]), tags_of(json["Tags"])};
  if (const auto reserved = json["Reserved"].as_int()) function.reserved = static_cast<std::int32_t>(*reserved);
  function.last_version = json["LastVersion"].as_int().value_or(0);
  function.published_description = json.text("PublishedDescription");
  return function;
}
StoredUrl stored_url(const Json& json) {
  return {json.text("Id"), value_of<model::FunctionUrlConfig>(json["Config"]), json.text("Qualifier")};
}
StoredMapping mapping_of(const Json& json) {
  return {value_of<model::EventSourceMappingConfiguration>(json["Config"]), json.text("Account"), json.text("Region"), json["Enabled"].as_bool(), tags_of(json["Tags"])};
}
StoredLayer layer_of(const Json& json) {
  return {value_of<model::GetLayerVersionResponse>(json["Version"]), json.text("Folder"), json.text("Zip"),
          {json.text("PolicyRevision"), json["Statements"].is_array() ? json["Statements"] : Json::array()}};
}

// '#' sorts before every character of a name, so that one function's records never mix with another's.
std::string function_key(const FunctionName& name) { return "lambda/function/" + name.key(); }
std::string part_prefix(const char* part, const FunctionName& name) { return fmt::format("lambda/{}/{}#", part, name.key()); }
std::string part_key(const char* part, const FunctionName& name, std::string_view id) { return part_prefix(part, name) + std::string(id); }
std::string version_id(const std::string& number) { return fmt::format("{:0>12}", number); }
std::string layer_prefix(const LayerName& name) { return fmt::format("lambda/layer/{}#", name.key()); }
std::string layer_key(const LayerName& name) { return fmt::format("{}{:012}", layer_prefix(name), name.version); }
constexpr const char* kParts[] = {"version", "alias", "url", "policy", "event"};

}  // namespace

void Repository::put(const std::string& key, const Json& value) {
  ++generation_;
  records().put(key, value.dump());
}
bool Repository::erase(const std::string& key) {
  ++generation_;
  return records().erase(key);
}

std::optional<StoredFunction> Repository::function(const FunctionName& name) const {
  const auto json = load(function_key(name));
  if (!json) return std::nullopt;
  return function_of(*json);
}

void Repository::put(const FunctionName& name, const StoredFunction& function) {
  Json json = Json::object({{"Latest", to_json(function.latest)}, {"Tags", tags_json(function.tags)}, {"LastVersion", function.last_version},
                            {"PublishedDescription", function.published_description}});
  if (function.reserved) json.set("Reserved", *function.reserved);
  put(function_key(name), json);
}

void Repository::erase(const FunctionName& name) {
  for (const StoredUrl& one : urls(name)) erase("lambda/url-id/" + one.id);
  for (const char* part : kParts) {
    std::vector<std::string> keys;
    records().scan(part_prefix(part, name), [&](std::string_view key, const std::string&) {
      keys.emplace_back(key);
      return true;
    });
    for (const std::string& key : keys) erase(key);
  }
  erase(function_key(name));
}

std::vector<std::pair<FunctionName, StoredFunction>> Repository::functions(const std::string& account, const std::string& region) const {
  std::vector<std::pair<FunctionName, StoredFunction>> all;
  scan(fmt::format("lambda/function/{}/{}/", account, region), [&](std::string_view rest, Json json) {
    all.emplace_back(FunctionName{account, region, std::string(rest)}, function_of(json));
  });
  return all;
}

std::optional<StoredVersion> Repository::version(const FunctionName& name, const std::string& number) const {
  const auto json = load(part_key("version", name, version_id(number)));
  if (!json) return std::nullopt;
  return version_of(*json);
}
void Repository::put_version(const FunctionName& name, const std::string& number, const StoredVersion& version) {
  put(part_key("version", name, version_id(number)), to_json(version));
}
bool Repository::erase_version(const FunctionName& name, const std::string& number) { return erase(part_key("version", name, version_id(number))); }
std::vector<StoredVersion> Repository::versions(const FunctionName& name) const {
  std::vector<StoredVersion> all;
  scan(part_prefix("version", name), [&](std::string_view, Json json) { all.push_back(version_of(json)); });
  return all;
}

std::optional<model::AliasConfiguration> Repository::alias(const FunctionName& name, const std::string& alias) const {
  const auto json = load(part_key("alias", name, alias));
  if (!json) return std::nullopt;
  return value_of<model::AliasConfiguration>(*json);
}
void Repository::put_alias(const FunctionName& name, const model::AliasConfiguration& alias) {
  put(part_key("alias", name, alias.name.value_or("")), aws::to_json(alias));
}
bool Repository::erase_alias(const FunctionName& name, const std::string& alias) { return erase(part_key("alias", name, alias)); }
std::vector<model::AliasConfiguration> Repository::aliases(const FunctionName& name) const {
  std::vector<model::AliasConfiguration> all;
  scan(part_prefix("alias", name), [&](std::string_view, Json json) { all.push_back(value_of<model::AliasConfiguration>(json)); });
  return all;
}

std::optional<StoredUrl> Repository::url(const FunctionName& name) const {
  const auto json = load(part_key("url", name, name.qualifier));
  if (!json) return std::nullopt;
  return stored_url(*json);
}
std::optional<std::pair<FunctionName, StoredUrl>> Repository::url_by_id(const std::string& id) const {
  const auto json = load("lambda/url-id/" + id);
  if (!json) return std::nullopt;
  const auto name = parse_function_arn(json->as_string());
  if (!name) return std::nullopt;
  auto found = url(*name);
  if (!found) return std::nullopt;
  return std::pair{*name, *std::move(found)};
}
void Repository::put_url(const FunctionName& name, const StoredUrl& url) {
  put(part_key("url", name, name.qualifier), Json::object({{"Id", url.id}, {"Config", aws::to_json(url.config)}, {"Qualifier", name.qualifier}}));
  put("lambda/url-id/" + url.id, Json(name.qualified_arn()));
}
bool Repository::erase_url(const FunctionName& name) {
  const auto found = url(name);
  if (!found) return false;
  erase("lambda/url-id/" + found->id);
  return erase(part_key("url", name, name.qualifier));
}
std::vector<StoredUrl> Repository::urls(const FunctionName& name) const {
  std::vector<StoredUrl> all;
  scan(part_prefix("url", name), [&](std::string_view, Json json) { all.push_back(stored_url(json)); });
  return all;
}

StoredPolicy Repository::policy(const FunctionName& name) const {
  const auto json = load(part_key("policy", name, name.qualifier));
  if (!json) return {};
  return {json->text("Revision"), (*json)["Statements"]};
}
void Repository::put_policy(const FunctionName& name, const StoredPolicy& policy) {
  const std::string key = part_key("policy", name, name.qualifier);
  if (policy.statements.size() == 0) erase(key);
  else put(key, Json::object({{"Revision", policy.revision}, {"Statements", policy.statements}}));
}

std::optional<model::FunctionEventInvokeConfig> Repository::event_config(const FunctionName& name) const {
  const auto json = load(part_key("event", name, name.qualifier));
  if (!json) return std::nullopt;
  return value_of<model::FunctionEventInvokeConfig>(*json);
}
void Repository::put_event_config(const FunctionName& name, const model::FunctionEventInvokeConfig& config) {
  put(part_key("event", name, name.qualifier), aws::to_json(config));
}
bool Repository::erase_event_config(const FunctionName& name) { return erase(part_key("event", name, name.qualifier)); }
std::vector<model::FunctionEventInvokeConfig> Repository::event_configs(const FunctionName& name) const {
  std::vector<model::FunctionEventInvokeConfig> all;
  scan(part_prefix("event", name), [&](std::string_view, Json json) { all.push_back(value_of<model::FunctionEventInvokeConfig>(json)); });
  return all;
}

std::optional<StoredLayer> Repository::layer(const LayerName& name) const {
  const auto json = load(layer_key(name));
  if (!json) return std::nullopt;
  return layer_of(*json);
}
void Repository::put_layer(const LayerName& name, const StoredLayer& layer) {
  put(layer_key(name), Json::object({{"Version", aws::to_json(layer.version)}, {"Folder", layer.folder}, {"Zip", layer.zip},
                                     {"PolicyRevision", layer.policy.revision}, {"Statements", layer.policy.statements}}));
}
bool Repository::erase_layer(const LayerName& name) { return erase(layer_key(name)); }
std::int64_t Repository::next_layer_version(const LayerName& name) {
  // A number is never used twice, even after its version was deleted.
  const std::string key = "lambda/layer-number/" + name.key();
  const auto json = load(key);
  const std::int64_t next = (json ? json->as_int().value_or(0) : 0) + 1;
  put(key, Json(next));
  return next;
}
std::vector<StoredLayer> Repository::layer_versions(const LayerName& name) const {
  std::vector<StoredLayer> all;
  scan(layer_prefix(name), [&](std::string_view, Json json) { all.insert(all.begin(), layer_of(json)); });
  return all;
}
std::vector<std::string> Repository::layer_names(const std::string& account, const std::string& region) const {
  std::vector<std::string> names;
  scan(fmt::format("lambda/layer/{}/{}/", account, region), [&](std::string_view rest, Json) {
    const std::string name(rest.substr(0, rest.find('#')));
    if (names.empty() || names.back() != name) names.push_back(name);
  });
  return names;
}

std::optional<StoredMapping> Repository::mapping(const std::string& account, const std::string& region, const std::string& uuid) const {
  const auto json = load(fmt::format("lambda/mapping/{}/{}/{}", account, region, uuid));
  if (!json) return std::nullopt;
  return mapping_of(*json);
}
void Repository::put_mapping(const StoredMapping& mapping) {
  put(fmt::format("lambda/mapping/{}/{}/{}", mapping.account, mapping.region, mapping.config.uuid.value_or("")),
      Json::object({{"Config", aws::to_json(mapping.config)}, {"Account", mapping.account}, {"Region", mapping.region},
                    {"Enabled", mapping.enabled}, {"Tags", tags_json(mapping.tags)}}));
}
void Repository::erase_mapping(const StoredMapping& mapping) {
  erase(fmt::format("lambda/mapping/{}/{}/{}", mapping.account, mapping.region, mapping.config.uuid.value_or("")));
}
std::vector<StoredMapping> Repository::mappings(const std::string& prefix) const {
  std::vector<StoredMapping> all;
  scan("lambda/mapping/" + prefix, [&](std::string_view, Json json) { all.push_back(mapping_of(json)); });
  return all;
}

std::set<std::string> Repository::used_packages() const {
  std::set<std::string> used;
  const auto add_version = [&](const Json& version) {
    for (const char* part : {"Code", "CodeZip", "Layers"}) used.insert(version.text(part));
  };
  scan("lambda/function/", [&](std::string_view, Json json) { add_version(json["Latest"]); });
  scan("lambda/version/", [&](std::string_view, Json json) { add_version(json); });
  scan("lambda/layer/", [&](std::string_view, Json json) {
    used.insert(json.text("Folder"));
    used.insert(json.text("Zip"));
  });
  return used;
}

}  // namespace reef::service::lambda
