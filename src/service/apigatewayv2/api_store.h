// HTTP APIs as they are kept: one record per API with its routes, integrations, stages and deployments, on the control
// shard; and published to every loop as a compiled site whenever it changes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/access_keys.h"
#include "aws/caller.h"
#include "aws/models/apigatewayv2.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "engine/edge/authority.h"
#include "engine/edge/sites.h"
#include "engine/metrics/counters.h"
#include "engine/store/shard.h"
#include "engine/telemetry/access_log.h"
#include "engine/telemetry/spans.h"

namespace reef::service::apigatewayv2 {

namespace model = aws::apigatewayv2;
namespace errors = aws::apigatewayv2::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

// What a deployment froze.
struct Snapshot {
  std::map<std::string, model::Route, std::less<>> routes;
  std::map<std::string, model::Integration, std::less<>> integrations;
  std::map<std::string, model::Authorizer, std::less<>> authorizers;
};

struct StoredApi {
  model::Api api;
  std::string account, region;
  Snapshot current;
  std::map<std::string, model::Stage, std::less<>> stages;
  std::map<std::string, model::Deployment, std::less<>> deployments;
  std::map<std::string, Snapshot, std::less<>> snapshots;  // by deployment id
};

struct ApiGateway {
  explicit ApiGateway(Parts& parts);
  void start();
  void reset();

  StoredApi* find(const Call& call, std::string_view id);
  std::vector<StoredApi*> all(const Call& call);
  StoredApi& add(StoredApi api);
  void remove(std::string_view id);
  // Deploys stages that deploy by themselves, stores the API and publishes it.
  void changed(StoredApi& api, Time now);
  std::string new_id() const;

  aws::Caller& caller;
  edge::Sites& sites;
  telemetry::Spans& spans;
  metrics::Counters& counters;
  edge::Authority& authority;
  aws::AccessKeys& access_keys;
  telemetry::AccessLogWriter access_log;

 private:
  std::map<std::string, StoredApi, std::less<>> apis_;  // by id, which is unique over accounts and regions
};

// The compiled form that requests are served from; see serving.cc.
std::shared_ptr<const edge::Site> compile(const StoredApi& api, ApiGateway& gateway);

aws::Error not_found(std::string_view what, std::string_view id);
aws::Error bad_request(std::string message);

// Fills an API from an OpenAPI 3 document with x-amazon-apigateway-integration extensions. The document is what
// CloudFormation's Body and ImportApi carry. The error names what is not supported.
aws::Reply<void> import_openapi(const wire::Json& document, StoredApi& api, ApiGateway& gateway);

}  // namespace reef::service::apigatewayv2
