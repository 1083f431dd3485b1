// REST APIs as they are kept: one record per API with its resources, methods, deployments and stages, on the control
// shard; published to every loop as a compiled site whenever a stage serves something else.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/access_keys.h"
#include "aws/caller.h"
#include "aws/models/apigateway.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "engine/edge/authority.h"
#include "engine/edge/sites.h"
#include "engine/metrics/counters.h"
#include "engine/store/shard.h"
#include "engine/telemetry/access_log.h"
#include "engine/telemetry/spans.h"
#include "service/apigateway/domains.h"
#include "service/apigateway/key_ring.h"
#include "service/apigateway/refusals.h"
#include "wire/json.h"

namespace reef::service::apigateway {

namespace model = aws::apigateway;
namespace errors = aws::apigateway::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

using Resources = std::map<std::string, model::Resource, std::less<>>;  // by id, methods included

// What a deployment freezes besides its resources.
struct Frozen {
  CustomResponses gateway_responses;
  std::map<std::string, model::Model, std::less<>> models;                // by name
  std::map<std::string, model::RequestValidator, std::less<>> validators; // by id
  std::map<std::string, model::Authorizer, std::less<>> authorizers;      // by id
  std::string policy;
};

struct StoredApi {
  model::RestApi api;
  std::string account, region;
  Resources resources;
  std::map<std::string, model::Deployment, std::less<>> deployments;
  std::map<std::string, Resources, std::less<>> snapshots;  // what each deployment froze
  std::map<std::string, model::Stage, std::less<>> stages;
  std::map<std::string, model::Authorizer, std::less<>> authorizers;
  CustomResponses gateway_responses;
  std::map<std::string, model::Model, std::less<>> models;
  std::map<std::string, model::RequestValidator, std::less<>> validators;
  std::map<std::string, Frozen, std::less<>> frozen;  // by deployment

  Frozen freeze() const { return {gateway_responses, models, validators, authorizers, api.policy.value_or("")}; }
};

struct RestApis {
  explicit RestApis(Parts& parts);
  void start();
  void reset();

  StoredApi* find(const Call& call, std::string_view id);
  std::vector<StoredApi*> all(const Call& call);
  StoredApi& add(StoredApi api);
  void remove(const std::string& id);
  void changed(StoredApi& api);  // stores and publishes
  std::string new_id(std::size_t length = 10) const;

  aws::Caller& caller;
  edge::Sites& sites;
  telemetry::Spans& spans;
  metrics::Counters& counters;
  edge::Authority& authority;
  aws::AccessKeys& access_keys;
  telemetry::AccessLogWriter access_log;
  KeyRing keys;
  Domains domains;
  std::map<std::string, edge::RateLimit, std::less<>> stage_buckets;  // on the control shard

 private:
  std::map<std::string, StoredApi, std::less<>> apis_;
};

std::shared_ptr<const edge::Site> compile(const StoredApi& api, RestApis& apis);

aws::Error not_found(std::string message);
aws::Error bad_request(std::string message);
aws::Error unsupported(std::string what);
// The integration as it may be served, or why not.
aws::Reply<void> check_integration(const model::Integration& integration);
aws::Reply<void> check_authorization(const StoredApi& api, const model::Method& method);

// Fills resources and methods from a Swagger 2 or OpenAPI 3 document.
aws::Reply<void> import_definition(const wire::Json& document, StoredApi& api, RestApis& apis);
// The resource of that path, made with its parents when missing.
model::Resource& ensure_resource(StoredApi& api, RestApis& apis, const std::string& path);

// Applies PATCH operations ("/description", "/variables/x") to an entity through its JSON form.
template <class T>
aws::Reply<void> patch(T& entity, const std::optional<std::vector<model::PatchOperation>>& operations);
aws::Reply<wire::Json> patch_json(wire::Json entity, const std::vector<model::PatchOperation>& operations);

template <class T>
aws::Reply<void> patch(T& entity, const std::optional<std::vector<model::PatchOperation>>& operations) {
  if (!operations) return {};
  wire::Json edited = TRY(patch_json(aws::to_json(entity), *operations));
  auto out = aws::from_json<T>(edited);
  if (!out) return Err(bad_request("Invalid patch: " + out.error().message));
  entity = *std::move(out);
  return {};
}

}  // namespace reef::service::apigateway
