#include "service/ssm/ssm.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "wire/json.h"

namespace reef::service::ssm {
namespace {

using wire::Json;

std::string record_key(const Call& call, std::string_view name) { return fmt::format("ssm/{}/{}/{}", call.account, call.region, name); }

StoredParameter from_json(const Json& json) {
  StoredParameter out;
  out.name = json.text("name");
  for (const Json& v : json["versions"].as_array()) {
    Version version{.number = v["number"].as_int().value_or(0), .value = v.text("value"), .type = v.text("type"), .key_id = v.text("keyId"),
                    .description = v.text("description"), .allowed_pattern = v.text("pattern"), .tier = v.text("tier"), .data_type = v.text("dataType"),
                    .user = v.text("user"), .modified = from_micros(v["modified"].as_int().value_or(0)), .labels = {}};
    for (const Json& label : v["labels"].as_array()) version.labels.push_back(label.as_string());
    out.versions.push_back(std::move(version));
  }
  for (const auto& [key, value] : json["tags"].as_object()) out.tags.emplace(key, value.as_string());
  return out;
}

Json to_json(const StoredParameter& parameter) {
  Json out = Json::object({{"name", parameter.name}});
  Json& versions = out.set("versions", Json::array());
  for (const Version& v : parameter.versions) {
    Json version = Json::object({{"number", v.number}, {"value", v.value}, {"type", v.type}, {"keyId", v.key_id}, {"description", v.description},
                                 {"pattern", v.allowed_pattern}, {"tier", v.tier}, {"dataType", v.data_type}, {"user", v.user}, {"modified", to_micros(v.modified)}});
    Json& labels = version.set("labels", Json::array());
    for (const std::string& label : v.labels) labels.push_back(label);
    versions.push_back(std::move(version));
  }
  Json& tags = out.set("tags", Json::object());
  for (const auto& [key, value] : parameter.tags) tags.set(key, value);
  return out;
}

}  // namespace

std::optional<StoredParameter> load(const Call& call, std::string_view name) {
  const std::string* text = store::Shard::control().records().find(record_key(call, name));
  const auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  if (!json) return std::nullopt;
  return from_json(*json);
}

void save(const Call& call, const StoredParameter& parameter) {
  store::Shard::control().records().put(record_key(call, parameter.name), to_json(parameter).dump());
}

bool erase(const Call& call, std::string_view name) { return store::Shard::control().records().erase(record_key(call, name)); }

std::vector<StoredParameter> load_all(const Call& call, std::string_view prefix) {
  std::vector<StoredParameter> out;
  store::Shard::control().records().scan(record_key(call, prefix), [&](std::string_view, const std::string& text) {
    if (const auto json = Json::parse(text)) out.push_back(from_json(*json));
    return true;
  });
  return out;
}

std::string parameter_arn(const Call& call, std::string_view name) {
  return call.arn("ssm", name.starts_with('/') ? fmt::format("parameter{}", name) : fmt::format("parameter/{}", name));
}

// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
void tell(const Ssm& ssm, const Call& call, const StoredParameter& parameter, std::string_view operation) {
  const Version& latest = parameter.latest();
  const Json detail = Json::object({{"operation", operation}, {"name", parameter.name}, {"type", latest.type}, {"description", latest.description}});
  ssm.publisher.publish({.id = {}, .detail_type = "Parameter Store Change", .source = "aws.ssm", .account = call.account, .region = call.region, .time = call.now,
                         .resources = {parameter_arn(call, parameter.name)}, .detail = detail.dump(), .replay_name = {}});
}

Reference parse_reference(std::string_view text) {
  if (text.starts_with("arn:")) {
    const auto at = text.find(":parameter");
    if (at != std::string_view::npos) {
      text = text.substr(at + std::string_view(":parameter").size());
      // "/a" may be "a" or "/a": hierarchies keep their slash, plain names lose it.
      if (text.find('/', 1) == std::string_view::npos && text.starts_with('/')) text.remove_prefix(1);
    }
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon))};
}

Reply<const Version*> select(const StoredParameter& parameter, std::string_view selector) {
  if (selector.empty()) return &parameter.latest();
  const std::string_view wanted = selector.substr(1);
  const auto number = parse_int(wanted);
  for (const Version& version : parameter.versions)
    if (number ? version.number == *number : std::find(version.labels.begin(), version.labels.end(), wanted) != version.labels.end())
      return &version;
  return Err(aws::Error(errors::kParameterVersionNotFound,
                        number ? fmt::format("Systems Manager could not find version {} of {}. Verify the version and try again.", wanted, parameter.name)
                               : fmt::format("Systems Manager could not find label {} for parameter {}. Verify the label and try again.", wanted, parameter.name)));
}

model::Parameter to_model(const Call& call, const StoredParameter& parameter, const Version& version, bool decrypt) {
  model::Parameter out;
  out.name = parameter.name;
  out.type = version.type;
  // Without decryption AWS shows an opaque ciphertext, never the value.
  out.value = version.type == "SecureString" && !decrypt ? "kms:" + (version.key_id.empty() ? "alias/aws/ssm" : version.key_id) + ":" + base64_encode(version.value)
                                                         : version.value;
  out.version = version.number;
  out.last_modified_date = version.modified;
  out.arn = parameter_arn(call, parameter.name);
  out.data_type = version.data_type;
  return out;
}

}  // namespace reef::service::ssm
