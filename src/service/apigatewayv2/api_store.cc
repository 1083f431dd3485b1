#include "service/apigatewayv2/api_store.h"

#include <fmt/format.h>

#include "base/random.h"
#include "engine/store/records.h"
#include "wire/json.h"

namespace reef::service::apigatewayv2 {
namespace {

using wire::Json;
constexpr std::string_view kPrefix = "apigatewayv2/api/";

Json snapshot_json(const Snapshot& snapshot) {
  return Json::object({{"routes", aws::map_to_json(snapshot.routes)}, {"integrations", aws::map_to_json(snapshot.integrations)}, {"authorizers", aws::map_to_json(snapshot.authorizers)}});
}
Snapshot read_snapshot(const Json& json) {
  return {.routes = aws::map_from_json<model::Route>(json["routes"]), .integrations = aws::map_from_json<model::Integration>(json["integrations"]),
          .authorizers = aws::map_from_json<model::Authorizer>(json["authorizers"])};
}

std::string encode(const StoredApi& api) {
  Json out = Json::object({{"api", aws::to_json(api.api)}, {"account", api.account}, {"region", api.region}, {"current", snapshot_json(api.current)},
                           {"stages", aws::map_to_json(api.stages)}, {"deployments", aws::map_to_json(api.deployments)}});
  Json& snapshots = out.set("snapshots", Json::object());
  for (const auto& [id, snapshot] : api.snapshots) snapshots.members().emplace_back(id, snapshot_json(snapshot));
  return out.dump();
}

std::optional<StoredApi> decode(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  auto api = aws::from_json<model::Api>((*json)["api"]);
  if (!api) return std::nullopt;
  StoredApi out{.api = *std::move(api), .account = json->text("account"), .region = json->text("region"), .current = read_snapshot((*json)["current"]),
                .stages = aws::map_from_json<model::Stage>((*json)["stages"]), .deployments = aws::map_from_json<model::Deployment>((*json)["deployments"]), .snapshots = {}};
  for (const auto& [id, snapshot] : (*json)["snapshots"].as_object()) out.snapshots.emplace(id, read_snapshot(snapshot));
  return out;
}

}  // namespace

ApiGateway::ApiGateway(Parts& parts) : caller(parts.get<aws::Caller>()), sites(parts.get<edge::Sites>()), spans(parts.get<telemetry::Spans>()), counters(parts.get<metrics::Counters>()), authority(parts.get<edge::Authority>()), access_keys(parts.get<aws::AccessKeys>()), access_log(parts.get<telemetry::Logs>()) {}

void ApiGateway::start() {
  store::Shard::control().records().scan(kPrefix, [this](std::string_view, const std::string& text) {
    if (auto api = decode(text)) {
      const std::string id = *api->api.api_id;
      StoredApi& stored = apis_.insert_or_assign(id, *std::move(api)).first->second;
      sites.put("execute-api", id, compile(stored, *this));
    }
    return true;
  });
}

void ApiGateway::reset() {
  for (const auto& [id, api] : apis_) sites.erase("execute-api", id);
  apis_.clear();
}

StoredApi* ApiGateway::find(const Call& call, std::string_view id) {
  const auto found = apis_.find(id);
  return found != apis_.end() && found->second.account == call.account && found->second.region == call.region ? &found->second : nullptr;
}

std::vector<StoredApi*> ApiGateway::all(const Call& call) {
  std::vector<StoredApi*> out;
  for (auto& [id, api] : apis_)
    if (api.account == call.account && api.region == call.region) out.push_back(&api);
  return out;
}

StoredApi& ApiGateway::add(StoredApi api) {
  const std::string id = *api.api.api_id;
  return apis_.insert_or_assign(id, std::move(api)).first->second;
}

void ApiGateway::remove(std::string_view id) {
  sites.erase("execute-api", id);
  store::Shard::control().records().erase(std::string(kPrefix) + std::string(id));
  apis_.erase(apis_.find(id));
}

std::string ApiGateway::new_id() const { return make_token(thread_random(), 10); }

void ApiGateway::changed(StoredApi& api, Time now) {
  for (auto& [name, stage] : api.stages) {
    if (!stage.auto_deploy.value_or(false)) continue;
    stage.last_updated_date = from_seconds(to_seconds(now));
    stage.last_deployment_status_message = fmt::format("Successfully deployed stage with deployment ID '{}'", stage.deployment_id.value_or(""));
  }
  store::Shard::control().records().put(std::string(kPrefix) + *api.api.api_id, encode(api));
  sites.put("execute-api", *api.api.api_id, compile(api, *this));
}

aws::Error not_found(std::string_view what, std::string_view id) { return {errors::kNotFoundException, fmt::format("Invalid {} identifier specified {}", what, id)}; }
aws::Error bad_request(std::string message) { return {errors::kBadRequestException, std::move(message)}; }

}  // namespace reef::service::apigatewayv2
