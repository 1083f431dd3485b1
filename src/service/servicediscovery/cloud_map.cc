#include "service/servicediscovery/cloud_map.h"

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "wire/json.h"

namespace reef::service::servicediscovery {
namespace {

using wire::Json;

// "ns-…" from "arn:aws:servicediscovery:…:namespace/ns-…".
std::string_view id_of(std::string_view text) {
  const auto slash = text.rfind('/');
  return text.starts_with("arn:") && slash != std::string_view::npos ? text.substr(slash + 1) : text;
}

std::optional<Instance> instance_from(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  Instance out{.id = json->text("id"), .attributes = {}, .creator_request_id = json->text("creator"), .custom_healthy = (*json)["healthy"].as_bool(),
               .health_check = json->text("check")};
  for (const auto& [key, value] : (*json)["attributes"].as_object()) out.attributes.emplace(key, value.as_string());
  return out;
}

// AWS forgets operations after 30 days. Looked at now and then, a few at a time: making one stays cheap.
void forget_old_operations(CloudMap& map, const Call& call) {
  if (thread_random().below(64) != 0) return;
  std::vector<std::string> old;
  map.records().scan(key_prefix(call, "operation"), [&](std::string_view key, const std::string& text) {
    const auto one = aws::from_json_text<model::Operation>(text);
    if (one && one->create_date && *one->create_date + std::chrono::days(30) < call.now) old.emplace_back(key);
    return true;
  });
  for (const std::string& key : old) map.records().erase(key);
}

}  // namespace

void CloudMap::start() {
  // servicediscovery/<account>/<region>/instance/<service>/<id>
  records().scan("servicediscovery/", [this](std::string_view key, const std::string& text) {
    const auto parts = split(key, '/');
    if (parts.size() < 6 || parts[3] != "instance") return true;
    const auto instance = instance_from(text);
    const auto every = instance ? heartbeat_of(instance->attributes) : std::nullopt;
    const auto service = every ? load<model::Service>(*this, fmt::format("servicediscovery/{}/{}/service/{}", parts[1], parts[2], parts[4])) : std::nullopt;
    if (service && service->health_check_custom_config) heartbeats.beat({std::string(parts[1]), std::string(parts[2]), std::string(parts[4]), instance->id}, *every);
    return true;
  });
}

std::string key_prefix(const Call& call, std::string_view kind) { return fmt::format("servicediscovery/{}/{}/{}/", call.account, call.region, kind); }

void save(CloudMap& map, const Call& call, const model::Namespace& one) { map.records().put(key_prefix(call, "namespace") + *one.id, aws::to_json_text(one)); }
void save(CloudMap& map, const Call& call, const model::Service& one) { map.records().put(key_prefix(call, "service") + *one.id, aws::to_json_text(one)); }

void save(CloudMap& map, const Call& call, std::string_view service, const Instance& one) {
  Json out = Json::object({{"id", one.id}, {"creator", one.creator_request_id}, {"healthy", one.custom_healthy}, {"check", one.health_check}});
  Json& attributes = out.set("attributes", Json::object());
  for (const auto& [key, value] : one.attributes) attributes.set(key, value);
  map.records().put(fmt::format("{}{}/{}", key_prefix(call, "instance"), service, one.id), out.dump());
}

Reply<model::Namespace> find_namespace(CloudMap& map, const Call& call, std::string_view id) {
  auto found = load<model::Namespace>(map, key_prefix(call, "namespace") + std::string(id_of(id)));
  if (!found) return Err(aws::Error(errors::kNamespaceNotFound, fmt::format("The namespace {} can't be found.", id)));
  std::int32_t count = 0;
  for (const auto& service : load_all<model::Service>(map, key_prefix(call, "service"))) count += service.namespace_id == *found->id;
  found->service_count = count;
  return *std::move(found);
}

Reply<model::Service> find_service(CloudMap& map, const Call& call, std::string_view id) {
  auto found = load<model::Service>(map, key_prefix(call, "service") + std::string(id_of(id)));
  if (!found) return Err(aws::Error(errors::kServiceNotFound, fmt::format("The service {} can't be found.", id)));
  std::int32_t count = 0;
  map.records().scan(fmt::format("{}{}/", key_prefix(call, "instance"), *found->id), [&](std::string_view, const std::string&) { return ++count, true; });
  found->instance_count = count;
  return *std::move(found);
}

Reply<Instance> find_instance(CloudMap& map, const Call& call, std::string_view service, std::string_view id) {
  const std::string* text = map.records().find(fmt::format("{}{}/{}", key_prefix(call, "instance"), service, id));
  auto found = text ? instance_from(*text) : std::nullopt;
  if (!found) return Err(aws::Error(errors::kInstanceNotFound, fmt::format("The instance {} can't be found in the service {}.", id, service)));
  return *std::move(found);
}

std::vector<Instance> load_instances(CloudMap& map, const Call& call, std::string_view service) {
  std::vector<Instance> out;
  map.records().scan(fmt::format("{}{}/", key_prefix(call, "instance"), service), [&](std::string_view, const std::string& text) {
    if (auto one = instance_from(text)) out.push_back(*std::move(one));
    return true;
  });
  return out;
}

std::string finish_operation(CloudMap& map, const Call& call, std::string_view type, std::map<std::string, std::string, std::less<>> targets, const aws::Error* failure) {
  model::Operation out;
  out.id = make_token(thread_random(), 32) + "-" + make_token(thread_random(), 8);
  out.owner_account = call.account;
  out.type = type;
  out.status = failure ? "FAIL" : "SUCCESS";
  if (failure) {
    out.error_code = failure->code;
    out.error_message = failure->message;
  }
  out.create_date = out.update_date = call.now;
  out.targets = std::move(targets);
  const std::string prefix = key_prefix(call, "operation");
  map.records().put(prefix + *out.id, aws::to_json_text(out));
  forget_old_operations(map, call);
  return *out.id;
}

void bump_revision(CloudMap& map, const Call& call, std::string_view service) {
  map.records().put(key_prefix(call, "revision") + std::string(service), std::to_string(revision_of(map, call, service) + 1));
}

std::int64_t revision_of(CloudMap& map, const Call& call, std::string_view service) {
  const std::string* text = map.records().find(key_prefix(call, "revision") + std::string(service));
  return text ? parse_int(*text).value_or(1) : 1;
}

void save_tags(CloudMap& map, std::string_view arn, const std::optional<std::vector<model::Tag>>& tags) {
  if (!tags || tags->empty()) return;
  const std::string key = fmt::format("servicediscovery-tags/{}", arn);
  const std::string* text = map.records().find(key);
  auto stored = text ? Json::parse(*text) : Err(wire::JsonError{});
  Json all = stored ? *std::move(stored) : Json::object();
  for (const auto& tag : *tags) all.set(tag.key, tag.value);
  map.records().put(key, all.dump());
}

void forget_tags(CloudMap& map, std::string_view arn) { map.records().erase(fmt::format("servicediscovery-tags/{}", arn)); }

bool has_health(const model::Service& service) { return service.health_check_config || service.health_check_custom_config; }

std::string_view health_of(CloudMap& map, const model::Service& service, const Instance& instance) {
  if (service.health_check_custom_config) return instance.custom_healthy ? "HEALTHY" : "UNHEALTHY";
  if (instance.health_check.empty()) return "UNKNOWN";
  if (map.health_checks.last(instance.health_check).text.empty()) return "UNKNOWN";
  return map.health_checks.healthy(instance.health_check) ? "HEALTHY" : "UNHEALTHY";
}

}  // namespace reef::service::servicediscovery
