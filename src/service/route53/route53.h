// Route 53: hosted zones, record sets and health checks as records on the control shard; the naming engine answers from
// them. Zones belong to accounts, not to regions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/route53.h"
#include "aws/service.h"
#include "engine/naming/health_checks.h"
#include "engine/naming/zones.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::route53 {

namespace model = aws::route53;
namespace errors = aws::route53::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

constexpr std::size_t kSetsMax = 10'000;  // of a zone

struct StoredZone {
  std::string account;
  model::HostedZone zone;
  std::vector<model::VPC> vpcs;            // of a private zone
  std::vector<model::VPC> authorized;      // that other accounts may associate
  std::vector<std::string> name_servers;
  std::string delegation_set;              // "" or the id of a reusable one
  std::string id() const { return zone.id.substr(12); }  // without "/hostedzone/"
  bool is_private() const { return zone.config && zone.config->private_zone == true; }
};

struct Route53 {
  explicit Route53(Parts& parts);
  void start();
  void stop();
  void reset();

  std::optional<StoredZone> load_zone(std::string_view id) const;
  void save_zone(const StoredZone& zone);
  void erase_zone(const StoredZone& zone);
  std::vector<StoredZone> load_zones(std::string_view account) const;

  // Record sets by their key below the zone; see set_key().
  std::optional<model::ResourceRecordSet> load_set(std::string_view zone, std::string_view key) const;
  void put_set(const StoredZone& zone, const std::string& key, const model::ResourceRecordSet& set);
  void erase_set(const StoredZone& zone, const std::string& key, const model::ResourceRecordSet& set);
  std::size_t set_count(std::string_view zone) const;
  void publish() { zones.publish(); }
  auto committed() { return shard().committed(); }
  store::Shard& shard() const { return store::Shard::control(); }

  // Looks at the alarms that health checks follow, now and from now on.
  void watch_alarms();

  naming::Zones& zones;
  naming::HealthChecks& health_checks;
  aws::Caller& caller;
  std::map<std::string, std::size_t, std::less<>> counts;  // record sets by zone

 private:
  io::Reactor::TimerId alarm_timer_ = 0;
  bool stopped_ = false;
};

// "route53/set/<zone>/": the sets of a zone in Route 53's order.
std::string set_prefix(std::string_view zone);
// Names with their labels reversed, as Route 53 sorts: "com.example.www."
std::string reversed_name(std::string_view text);
// Below set_prefix: "<reversed name> <type> <set identifier>"
std::string set_key(const model::ResourceRecordSet& set);

// "Z123" from "/hostedzone/Z123" or "Z123".
std::string_view bare_id(std::string_view id);
// With a last dot, in lower case, escaped as Route 53 shows names; nothing when it is no domain name.
std::optional<std::string> canonical_name(std::string_view name);

// The zone that `id` names, of the caller's account.
Reply<StoredZone> find_zone(const Route53& route53, const Call& call, std::string_view id);

// A change that took effect when it was made: its id carries the time, so that GetChange needs no record of it.
model::ChangeInfo make_change(const Call& call, std::optional<std::string> comment = {});
std::optional<Time> time_of_change(std::string_view id);

std::string make_id(std::string_view prefix, std::size_t characters);

// --- record sets (record_sets.cc) -----------------------------------------------------------------------------------
// As the naming engine takes it; the set must have passed check_set.
naming::RecordSet to_engine(const model::ResourceRecordSet& set);
// What one set says by itself, as InvalidChangeBatch messages; InvalidInput for what the schema refuses.
Reply<void> check_shape(const model::Change& change);
void check_values(const model::ResourceRecordSet& set, std::vector<std::string>& messages);
std::string_view policy_word(const model::ResourceRecordSet& set);  // "weighted"; "" for simple

// --- delegation.cc --------------------------------------------------------------------------------------------------
std::string delegation_key(std::string_view account, std::string_view id);
std::optional<std::vector<std::string>> delegation_servers(const Route53& route53, const Call& call, std::string_view id);
std::string tags_key(const Call& call, std::string_view type, std::string_view id);  // "hostedzone" or "healthcheck"
void forget_tags(Route53& route53, const Call& call, std::string_view type, std::string_view id);
std::vector<std::string> make_name_servers();
bool health_check_exists(const Route53& route53, std::string_view account, std::string_view id);

// --- health.cc ------------------------------------------------------------------------------------------------------
naming::HealthDefinition to_engine(std::string_view account, const model::HealthCheckConfig& config);
void start_health_checks(Route53& route53);

namespace resources {
extern const aws::ResourceType kHostedZone, kRecordSet, kRecordSetGroup, kHealthCheck;
}

namespace operations {
#define ROUTE53_OPERATIONS(V)                                                                                              \
  V(CreateHostedZone) V(GetHostedZone) V(ListHostedZones) V(ListHostedZonesByName) V(ListHostedZonesByVPC)                 \
  V(GetHostedZoneCount) V(DeleteHostedZone) V(UpdateHostedZoneComment) V(AssociateVPCWithHostedZone)                       \
  V(DisassociateVPCFromHostedZone) V(CreateVPCAssociationAuthorization) V(DeleteVPCAssociationAuthorization)               \
  V(ListVPCAssociationAuthorizations) V(ChangeResourceRecordSets) V(ListResourceRecordSets) V(GetChange) V(TestDNSAnswer)  \
  V(GetHostedZoneLimit) V(GetAccountLimit) V(GetDNSSEC) V(CreateHealthCheck) V(GetHealthCheck) V(ListHealthChecks)         \
  V(DeleteHealthCheck) V(UpdateHealthCheck) V(GetHealthCheckCount) V(GetHealthCheckStatus)                                 \
  V(GetHealthCheckLastFailureReason) V(GetCheckerIpRanges) V(ChangeTagsForResource) V(ListTagsForResource)                 \
  V(ListTagsForResources) V(CreateReusableDelegationSet) V(GetReusableDelegationSet) V(ListReusableDelegationSets)         \
  V(DeleteReusableDelegationSet) V(GetReusableDelegationSetLimit) V(GetGeoLocation) V(ListGeoLocations)
#define ROUTE53_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Route53& route53, const model::Name##Input& in, const Call& call);
ROUTE53_OPERATIONS(ROUTE53_OPERATION)
}  // namespace operations

}  // namespace reef::service::route53
