// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html, ListResourceRecordSets,
// GetChange and TestDNSAnswer.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "service/route53/route53.h"
#include "wire/dns.h"

namespace reef::service::route53::operations {
namespace {

namespace dns = wire::dns;
using Set = model::ResourceRecordSet;

constexpr std::size_t kListMax = 300;

// A zone's sets with the changes of a batch on top, all or nothing.
class Batch {
 public:
  Batch(Route53& route53, const StoredZone& zone) : route53_(route53), zone_(zone) {}

  void apply(const model::Change& change);
  std::vector<std::string> messages;
  void commit();
  std::size_t size_after() const {
    std::size_t size = route53_.set_count(zone_.id());
    for (const auto& [key, set] : changed_) size = size + set.has_value() - route53_.load_set(zone_.id(), key).has_value();
    return size;
  }
  // Every set of that name, the changed ones included.
  std::vector<Set> sets_of(const std::string& name) const;
  // Aliases may lead to sets that come later in the batch: looked at when all is applied.
  void check_aliases();

 private:
  std::optional<Set> find(const std::string& key) const {
    const auto found = changed_.find(key);
    return found != changed_.end() ? found->second : route53_.load_set(zone_.id(), key);
  }
  void check_conflicts(const Set& set, const std::string& key);

  Route53& route53_;
  const StoredZone& zone_;
  std::map<std::string, std::optional<Set>> changed_;
  std::map<std::string, Set> gone_;  // what erased keys held, for the engine
};

std::string tried(std::string_view verb, const Set& set) {
  const std::string id = set.set_identifier ? fmt::format(", set identifier='{}'", *set.set_identifier) : std::string();
  return fmt::format("Tried to {} resource record set [name='{}', type='{}'{}]", verb, set.name, set.type, id);
}

// Values compare in any order and by what they mean.
bool same_content(const Set& a, const Set& b) {
  auto left = to_engine(a), right = to_engine(b);
  std::sort(left.values.begin(), left.values.end());
  std::sort(right.values.begin(), right.values.end());
  return left.values == right.values && a.ttl == b.ttl && left.alias == right.alias && left.policy == right.policy && left.weight == right.weight &&
         left.is_primary == right.is_primary && left.region == right.region && left.location == right.location && left.health_check == right.health_check;
}

std::vector<Set> Batch::sets_of(const std::string& name) const {
  const std::string prefix = reversed_name(name) + " ";
  std::map<std::string, Set> found;
  const std::string whole = set_prefix(zone_.id());
  route53_.shard().records().scan(whole + prefix, [&](std::string_view key, const std::string& text) {
    if (auto set = aws::from_json_text<Set>(text)) found.emplace(key.substr(whole.size()), *std::move(set));
    return true;
  });
  for (auto at = changed_.lower_bound(prefix); at != changed_.end() && at->first.starts_with(prefix); ++at) {
    if (at->second) found.insert_or_assign(at->first, *at->second);
    else found.erase(at->first);
  }
  std::vector<Set> out;
  for (auto& [key, set] : found) out.push_back(std::move(set));
  return out;
}

void Batch::check_conflicts(const Set& set, const std::string& key) {
  if (set.type == "CNAME" && set.name == zone_.zone.name)
    messages.push_back(fmt::format("RRSet of type CNAME with DNS name {} is not permitted at apex in zone {}", set.name, zone_.zone.name));
  for (const Set& other : sets_of(set.name)) {
    if (set_key(other) == key) continue;
    if ((set.type == "CNAME") != (other.type == "CNAME")) {
      messages.push_back(fmt::format("RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of type {} with the same DNS name already exists in zone {}",
                                     set.type, set.name, other.type, zone_.zone.name));
      return;
    }
    if (other.type != set.type) continue;
    const std::string_view ours = policy_word(set), theirs = policy_word(other);
    if (ours != theirs) {
      const std::string id = set.set_identifier ? fmt::format(", SetIdentifier {}", *set.set_identifier) : std::string();
      messages.push_back(fmt::format("RRSet with DNS name {}, type {}{} cannot be created because a non {} RRSet with the same name and type already exists", set.name, set.type, id,
                                     ours.empty() ? "simple" : ours));
      return;
    }
    const bool same_place = (set.failover && set.failover == other.failover) || (set.region && set.region == other.region) || (set.geo_location && set.geo_location == other.geo_location);
    if (same_place) {
      const std::string what = set.failover ? "failover " + *set.failover : set.region ? "region " + *set.region : std::string("geographic location");
      messages.push_back(fmt::format("RRSet with DNS name {}, type {}, SetIdentifier {} cannot be created because an RRSet with the same name, type and {} already exists", set.name,
                                     set.type, set.set_identifier.value_or(""), what));
      return;
    }
  }
}

void Batch::apply(const model::Change& change) {
  Set set = change.resource_record_set;
  const auto name = canonical_name(set.name);
  if (!name) {
    messages.push_back(fmt::format("Invalid domain name: '{}'", set.name));
    return;
  }
  set.name = *name;
  if (set.name != zone_.zone.name && !set.name.ends_with("." + zone_.zone.name)) {
    messages.push_back(fmt::format("RRSet with DNS name {} is not permitted in zone {}", set.name, zone_.zone.name));
    return;
  }
  const std::size_t before = messages.size();
  check_values(set, messages);
  if (set.health_check_id && change.action != "DELETE" && !health_check_exists(route53_, zone_.account, *set.health_check_id))
    messages.push_back(fmt::format("The specified health check, {}, does not exist.", *set.health_check_id));
  if (messages.size() > before) return;
  if (set.alias_target) {
    set.alias_target->dns_name = *canonical_name(set.alias_target->dns_name);
    set.alias_target->hosted_zone_id = bare_id(set.alias_target->hosted_zone_id);
  }
  const std::string key = set_key(set);
  const auto existing = find(key);
  const bool required = set.name == zone_.zone.name && (set.type == "NS" || set.type == "SOA");
  if (change.action == "DELETE") {
    if (!existing) messages.push_back(tried("delete", set) + " but it was not found");
    else if (!same_content(*existing, set)) messages.push_back(tried("delete", set) + " but the values provided do not match the current values");
    else if (required) messages.push_back(set.type == "SOA" ? "A HostedZone must contain exactly one SOA record." : "A HostedZone must contain at least one NS record for the zone itself.");
    if (messages.size() > before) return;
    if (const auto stored = route53_.load_set(zone_.id(), key)) gone_.insert_or_assign(key, *stored);
    changed_[key] = std::nullopt;
    return;
  }
  if (change.action == "CREATE" && existing) {
    messages.push_back(tried("create", set) + " but it already exists");
    return;
  }
  if (set.type == "SOA" && set.name != zone_.zone.name) messages.push_back(fmt::format("RRSet of type SOA with DNS name {} is not permitted in zone {}: it is not the apex", set.name, zone_.zone.name));
  check_conflicts(set, key);
  if (messages.size() == before) changed_[key] = std::move(set);
}

void Batch::check_aliases() {
  for (const auto& [key, set] : changed_) {
    if (!set || !set->alias_target) continue;
    const auto& target = *set->alias_target;
    if (target.hosted_zone_id != zone_.id()) continue;  // a balancer's, an API's: theirs to know
    const std::string about = fmt::format("Tried to create an alias that targets {}, type {} in zone {}, but ", target.dns_name, set->type, zone_.id());
    if (target.dns_name != zone_.zone.name && !target.dns_name.ends_with("." + zone_.zone.name)) {
      messages.push_back(about + "the alias target name does not lie within the target zone");
      continue;
    }
    const auto there = sets_of(target.dns_name);
    if (std::none_of(there.begin(), there.end(), [&](const Set& one) { return one.type == set->type; })) messages.push_back(about + "that target was not found");
  }
}

void Batch::commit() {
  for (const auto& [key, set] : changed_) {
    if (set) route53_.put_set(zone_, key, *set);
    else if (const auto gone = gone_.find(key); gone != gone_.end()) route53_.erase_set(zone_, key, gone->second);
  }
}

}  // namespace

Task<Reply<model::ChangeResourceRecordSetsOutput>> ChangeResourceRecordSets(Route53& route53, const model::ChangeResourceRecordSetsInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  if (in.change_batch.changes.empty()) co_return Err(aws::Error(errors::kInvalidInput, "Invalid request: a change batch must contain at least one change."));
  if (in.change_batch.changes.size() > 1000) co_return Err(aws::Error(errors::kInvalidChangeBatch, "Number of records limit of 1000 exceeded."));
  for (const auto& change : in.change_batch.changes) CO_TRY(check_shape(change));
  Batch batch(route53, zone);
  for (const auto& change : in.change_batch.changes) batch.apply(change);
  if (batch.messages.empty()) batch.check_aliases();
  if (batch.messages.empty() && batch.size_after() > kSetsMax) batch.messages.push_back(fmt::format("The hosted zone may contain at most {} resource record sets.", kSetsMax));
  if (!batch.messages.empty()) co_return Err(aws::Error(errors::kInvalidChangeBatch, fmt::format("[{}]", join(batch.messages, ", "))));
  batch.commit();
  route53.publish();
  co_await route53.committed();
  co_return model::ChangeResourceRecordSetsOutput{.change_info = make_change(call, in.change_batch.comment)};
}

Task<Reply<model::ListResourceRecordSetsOutput>> ListResourceRecordSets(Route53& route53, const model::ListResourceRecordSetsInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  if (in.start_record_type && !in.start_record_name) co_return Err(aws::Error(errors::kInvalidInput, "The input is not valid: type is specified without name."));
  if (in.start_record_identifier && !in.start_record_type) co_return Err(aws::Error(errors::kInvalidInput, "The input is not valid: identifier is specified without type."));
  std::size_t size = kListMax;
  if (in.max_items) {
    const auto given = parse_int<std::size_t>(*in.max_items);
    if (!given || *given == 0) co_return Err(aws::Error(errors::kInvalidInput, "The maxitems parameter must be a number of 1 or more."));
    size = std::min(size, *given);
  }
  std::string from;
  if (in.start_record_name) {
    const auto name = canonical_name(*in.start_record_name);
    if (!name) co_return Err(aws::Error(errors::kInvalidInput, fmt::format("The input is not valid: name '{}'", *in.start_record_name)));
    from = reversed_name(*name);
    if (in.start_record_type) from += fmt::format(" {}", *in.start_record_type);
    if (in.start_record_identifier) from += fmt::format(" {}", *in.start_record_identifier);
  }
  model::ListResourceRecordSetsOutput out;
  out.max_items = std::to_string(size);
  const std::string prefix = set_prefix(zone.id());
  // The scan begins after a key: the last one that is smaller than `from`.
  std::string after = prefix + from;
  if (!from.empty()) after.back() = static_cast<char>(after.back() - 1), after += '\x7f';
  route53.shard().records().scan(prefix, from.empty() ? std::string() : after, [&](std::string_view key, const std::string& text) {
    if (key.substr(prefix.size()) < from) return true;
    auto set = aws::from_json_text<Set>(text);
    if (!set) return true;
    if (out.resource_record_sets.size() == size) {
      out.is_truncated = true;
      out.next_record_name = set->name;
      out.next_record_type = set->type;
      out.next_record_identifier = set->set_identifier;
      return false;
    }
    out.resource_record_sets.push_back(*std::move(set));
    return true;
  });
  co_return out;
}

Task<Reply<model::GetChangeOutput>> GetChange(Route53&, const model::GetChangeInput& in, const Call&) {
  const auto time = time_of_change(in.id);
  if (!time) co_return Err(aws::Error(errors::kNoSuchChange, fmt::format("Could not find resource with ID: {}", bare_id(in.id))));
  co_return model::GetChangeOutput{.change_info = {.id = fmt::format("/change/{}", bare_id(in.id)), .status = "INSYNC", .submitted_at = *time, .comment = {}}};
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_TestDNSAnswer.html
Task<Reply<model::TestDNSAnswerOutput>> TestDNSAnswer(Route53& route53, const model::TestDNSAnswerInput& in, const Call& call) {
  const StoredZone zone = CO_TRY(find_zone(route53, call, in.hosted_zone_id));
  const auto name = dns::name_from_text(in.record_name);
  const auto type = dns::type_from_text(in.record_type);
  const auto apex = dns::name_from_text(zone.zone.name);
  if (!name || !type || !dns::is_below(*name, *apex))
    co_return Err(aws::Error(errors::kInvalidInput, fmt::format("The record {} of type {} does not belong to the hosted zone {}.", in.record_name, in.record_type, zone.zone.name)));
  // This zone alone, as its own name servers would answer.
  naming::View view;
  view.is_host = false;
  view.zones.push_back(route53.zones.find(zone.id())->image());
  view.asker = {.region = call.region, .location = naming::location_of_region(call.region)};
  view.index();
  const auto looked = naming::look_up(view, *name, *type, thread_random());
  model::TestDNSAnswerOutput out;
  out.nameserver = zone.name_servers.empty() ? "" : zone.name_servers.front();
  out.record_name = dns::name_to_text(*name);
  out.record_type = in.record_type;
  for (const auto& record : looked.answers) out.record_data.push_back(dns::decode_value(record.type, record.data));
  out.response_code = looked.code == dns::kNxDomain ? "NXDOMAIN" : looked.code == dns::kNoError ? "NOERROR" : "SERVFAIL";
  out.protocol = "UDP";
  co_return out;
}

}  // namespace reef::service::route53::operations
