// Cloud Map: namespaces, services and instances as records on the control shard. DNS namespaces are hosted zones of
// Route 53, instances record sets in them: what the API knows, DNS answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/servicediscovery.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "engine/naming/health_checks.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/servicediscovery/heartbeats.h"

namespace reef::service::servicediscovery {

namespace model = aws::servicediscovery;
namespace errors = aws::servicediscovery::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;
using Attributes = std::map<std::string, std::string, std::less<>>;

// An instance as it is kept.
struct Instance {
  std::string id;
  Attributes attributes;
  std::string creator_request_id;
  bool custom_healthy = true;
  std::string health_check;  // of Route 53; "" when the service has none
};

struct CloudMap {
  explicit CloudMap(Parts& parts) : caller(parts.get<aws::Caller>()), health_checks(parts.get<naming::HealthChecks>()), heartbeats(caller) {}
  void start();  // instances that have to be heard of have an interval from now on
  void reset() { heartbeats.clear(); }

  store::Records& records() { return store::Shard::control().records(); }
  auto committed() { return store::Shard::control().committed(); }

  aws::Caller& caller;
  naming::HealthChecks& health_checks;
  Heartbeats heartbeats;
};

// "servicediscovery/<account>/<region>/<kind>/": namespace, service, instance/<service>, operation, tags, revision, attributes
std::string key_prefix(const Call& call, std::string_view kind);

template <class T>
std::optional<T> load(CloudMap& map, const std::string& key) {
  const std::string* text = map.records().find(key);
  if (!text) return std::nullopt;
  auto value = aws::from_json_text<T>(*text);
  if (!value) return std::nullopt;
  return *std::move(value);
}
template <class T>
std::vector<T> load_all(CloudMap& map, const std::string& prefix) {
  std::vector<T> out;
  map.records().scan(prefix, [&](std::string_view, const std::string& text) {
    if (auto value = aws::from_json_text<T>(text)) out.push_back(*std::move(value));
    return true;
  });
  return out;
}

void save(CloudMap& map, const Call& call, const model::Namespace& one);
void save(CloudMap& map, const Call& call, const model::Service& one);
void save(CloudMap& map, const Call& call, std::string_view service, const Instance& one);

// By id or ARN.
Reply<model::Namespace> find_namespace(CloudMap& map, const Call& call, std::string_view id);
Reply<model::Service> find_service(CloudMap& map, const Call& call, std::string_view id);
Reply<Instance> find_instance(CloudMap& map, const Call& call, std::string_view service, std::string_view id);
std::vector<Instance> load_instances(CloudMap& map, const Call& call, std::string_view service);

// The operation of a change that is over, stored for GetOperation; its id.
std::string finish_operation(CloudMap& map, const Call& call, std::string_view type, std::map<std::string, std::string, std::less<>> targets,
                             const aws::Error* failure = nullptr);

// Grows with each change to a service's instances.
void bump_revision(CloudMap& map, const Call& call, std::string_view service);
std::int64_t revision_of(CloudMap& map, const Call& call, std::string_view service);

void save_tags(CloudMap& map, std::string_view arn, const std::optional<std::vector<model::Tag>>& tags);
void forget_tags(CloudMap& map, std::string_view arn);

// "HEALTHY", "UNHEALTHY" or "UNKNOWN".
std::string_view health_of(CloudMap& map, const model::Service& service, const Instance& instance);
bool has_health(const model::Service& service);

// --- dns_records.cc: what Route 53 holds for us -----------------------------------------------------------------------
Task<Reply<std::string>> create_zone(CloudMap& map, const Call& call, std::string name, std::string vpc, std::string description);
Task<Reply<void>> delete_zone(CloudMap& map, const Call& call, std::string zone);
Task<Reply<void>> set_soa_ttl(CloudMap& map, const Call& call, const model::Namespace& space, std::int64_t ttl);
// Writes or removes the record sets of one instance. Nothing to do for services without DNS.
Task<Reply<void>> put_records(CloudMap& map, const Call& call, const model::Service& service, const Instance& instance);
Task<Reply<void>> remove_records(CloudMap& map, const Call& call, const model::Service& service, const Instance& instance);
Task<Reply<std::string>> create_check(CloudMap& map, const Call& call, const model::Service& service, const Instance& instance);
Task<Reply<void>> delete_check(CloudMap& map, const Call& call, std::string id);

namespace operations {
#define CLOUD_MAP_OPERATIONS(V)                                                                                           \
  V(CreateHttpNamespace) V(CreatePrivateDnsNamespace) V(CreatePublicDnsNamespace) V(DeleteNamespace) V(GetNamespace)      \
  V(ListNamespaces) V(UpdateHttpNamespace) V(UpdatePrivateDnsNamespace) V(UpdatePublicDnsNamespace) V(CreateService)      \
  V(DeleteService) V(GetService) V(ListServices) V(UpdateService) V(GetServiceAttributes) V(UpdateServiceAttributes)      \
  V(DeleteServiceAttributes) V(RegisterInstance) V(DeregisterInstance) V(GetInstance) V(ListInstances)                    \
  V(GetInstancesHealthStatus) V(UpdateInstanceCustomHealthStatus) V(DiscoverInstances) V(DiscoverInstancesRevision)       \
  V(GetOperation) V(ListOperations) V(TagResource) V(UntagResource) V(ListTagsForResource)
#define CLOUD_MAP_OPERATION(Name) Task<Reply<model::Name##Output>> Name(CloudMap& map, const model::Name##Input& in, const Call& call);
CLOUD_MAP_OPERATIONS(CLOUD_MAP_OPERATION)
#undef CLOUD_MAP_OPERATION
}  // namespace operations

namespace resources {
extern const aws::ResourceType kPrivateDnsNamespace, kPublicDnsNamespace, kHttpNamespace, kService, kInstance;
}

}  // namespace reef::service::servicediscovery
