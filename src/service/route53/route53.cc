#include "service/route53/route53.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/digest.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "wire/dns.h"
#include "wire/json.h"

namespace reef::service::route53 {
namespace {

using wire::Json;
namespace dns = wire::dns;

constexpr std::string_view kZones = "route53/zone/", kSets = "route53/set/";
constexpr const char* kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

Json vpcs_to_json(const std::vector<model::VPC>& vpcs) {
  Json out = Json::array();
  for (const auto& vpc : vpcs) out.push_back(Json::object({{"id", vpc.vpc_id.value_or("")}, {"region", vpc.vpc_region.value_or("")}}));
  return out;
}
std::vector<model::VPC> vpcs_from_json(const Json& json) {
  std::vector<model::VPC> out;
  for (const Json& one : json.as_array()) out.push_back({.vpc_region = one.text("region"), .vpc_id = one.text("id")});
  return out;
}

std::optional<StoredZone> from_text(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  auto zone = aws::from_json_text<model::HostedZone>((*json)["zone"].dump());
  if (!zone) return std::nullopt;
  StoredZone out{.account = json->text("account"), .zone = *std::move(zone), .vpcs = vpcs_from_json((*json)["vpcs"]),
                 .authorized = vpcs_from_json((*json)["authorized"]), .name_servers = {}, .delegation_set = json->text("delegationSet")};
  for (const Json& server : (*json)["nameServers"].as_array()) out.name_servers.push_back(server.as_string());
  return out;
}

std::vector<std::string> networks_of(const StoredZone& zone) {
  std::vector<std::string> out;
  for (const auto& vpc : zone.vpcs) out.push_back(vpc.vpc_id.value_or(""));
  return out;
}

}  // namespace

Route53::Route53(Parts& parts) : zones(parts.get<naming::Zones>()), health_checks(parts.get<naming::HealthChecks>()), caller(parts.get<aws::Caller>()) {}

void Route53::start() {
  shard().records().scan(kZones, [&](std::string_view, const std::string& text) {
    const auto zone = from_text(text);
    const auto apex = zone ? dns::name_from_text(zone->zone.name) : std::nullopt;
    if (!apex) return true;
    naming::Zone& made = zones.add(zone->id(), *apex);
    made.set_visibility(zone->is_private(), networks_of(*zone));
    std::size_t& count = counts[zone->id()];
    shard().records().scan(set_prefix(zone->id()), [&](std::string_view, const std::string& set) {
      if (const auto one = aws::from_json_text<model::ResourceRecordSet>(set)) made.put(to_engine(*one)), ++count;
      return true;
    });
    return true;
  });
  start_health_checks(*this);
  zones.publish();
  watch_alarms();
}

void Route53::stop() {
  stopped_ = true;
  shard().reactor().cancel(alarm_timer_);
  health_checks.stop();
}

void Route53::reset() {
  health_checks.clear();
  counts.clear();
  zones.clear();
}

std::optional<StoredZone> Route53::load_zone(std::string_view id) const {
  const std::string* text = shard().records().find(std::string(kZones) + std::string(id));
  return text ? from_text(*text) : std::nullopt;
}

void Route53::save_zone(const StoredZone& zone) {
  Json out = Json::object({{"account", zone.account}, {"zone", *Json::parse(aws::to_json_text(zone.zone))}, {"vpcs", vpcs_to_json(zone.vpcs)},
                           {"authorized", vpcs_to_json(zone.authorized)}, {"delegationSet", zone.delegation_set}});
  Json& servers = out.set("nameServers", Json::array());
  for (const std::string& server : zone.name_servers) servers.push_back(server);
  shard().records().put(std::string(kZones) + zone.id(), out.dump());
  zones.add(zone.id(), *dns::name_from_text(zone.zone.name)).set_visibility(zone.is_private(), networks_of(zone));
}

void Route53::erase_zone(const StoredZone& zone) {
  std::vector<std::string> keys;
  shard().records().scan(set_prefix(zone.id()), [&](std::string_view key, const std::string&) { return keys.emplace_back(key), true; });
  for (const std::string& key : keys) shard().records().erase(key);
  shard().records().erase(std::string(kZones) + zone.id());
  counts.erase(zone.id());
  zones.erase(zone.id());
  zones.publish();
}

std::vector<StoredZone> Route53::load_zones(std::string_view account) const {
  std::vector<StoredZone> out;
  shard().records().scan(kZones, [&](std::string_view, const std::string& text) {
    if (auto zone = from_text(text); zone && zone->account == account) {
      zone->zone.resource_record_set_count = static_cast<std::int64_t>(set_count(zone->id()));
      out.push_back(*std::move(zone));
    }
    return true;
  });
  return out;
}

std::optional<model::ResourceRecordSet> Route53::load_set(std::string_view zone, std::string_view key) const {
  const std::string* text = shard().records().find(set_prefix(zone) + std::string(key));
  if (!text) return std::nullopt;
  auto set = aws::from_json_text<model::ResourceRecordSet>(*text);
  if (!set) return std::nullopt;
  return *std::move(set);
}

void Route53::put_set(const StoredZone& zone, const std::string& key, const model::ResourceRecordSet& set) {
  const std::string whole = set_prefix(zone.id()) + key;
  if (!shard().records().find(whole)) ++counts[zone.id()];
  shard().records().put(whole, aws::to_json_text(set));
  if (naming::Zone* live = zones.find(zone.id())) live->put(to_engine(set));
}

void Route53::erase_set(const StoredZone& zone, const std::string& key, const model::ResourceRecordSet& set) {
  if (!shard().records().erase(set_prefix(zone.id()) + key)) return;
  --counts[zone.id()];
  const naming::RecordSet gone = to_engine(set);
  if (naming::Zone* live = zones.find(zone.id())) live->erase(gone.name, gone.type, gone.id);
}

std::size_t Route53::set_count(std::string_view zone) const {
  const auto found = counts.find(zone);
  return found == counts.end() ? 0 : found->second;
}

std::string set_prefix(std::string_view zone) { return fmt::format("{}{}/", kSets, zone); }

std::string reversed_name(std::string_view text) {
  std::vector<std::string_view> labels = split(text, '.');
  if (!labels.empty() && labels.back().empty()) labels.pop_back();
  std::string out;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) out.append(*label) += '.';
  return out;
}

std::string set_key(const model::ResourceRecordSet& set) { return fmt::format("{} {} {}", reversed_name(set.name), set.type, set.set_identifier.value_or("")); }

std::string_view bare_id(std::string_view id) {
  const auto slash = id.rfind('/');
  return slash == std::string_view::npos ? id : id.substr(slash + 1);
}

std::optional<std::string> canonical_name(std::string_view name) {
  const auto wire_name = dns::name_from_text(name);
  if (!wire_name) return std::nullopt;
  return dns::name_to_text(*wire_name);
}

Reply<StoredZone> find_zone(const Route53& route53, const Call& call, std::string_view id) {
  auto zone = route53.load_zone(bare_id(id));
  if (!zone || zone->account != call.account) return Err(aws::Error(errors::kNoSuchHostedZone, fmt::format("No hosted zone found with ID: {}", bare_id(id))));
  zone->zone.resource_record_set_count = static_cast<std::int64_t>(route53.set_count(zone->id()));
  return *std::move(zone);
}

std::string make_id(std::string_view prefix, std::size_t characters) { return std::string(prefix) + make_token(thread_random(), characters, kIdAlphabet); }

// "C" + 12 digits of the time + 8 that only belong to it.
model::ChangeInfo make_change(const Call& call, std::optional<std::string> comment) {
  const std::string time = fmt::format("{:012X}", static_cast<std::uint64_t>(to_millis(call.now)));
  return {.id = fmt::format("/change/C{}{}", time, to_upper(md5_hex("change" + time).substr(0, 8))), .status = "PENDING", .submitted_at = call.now, .comment = std::move(comment)};
}

std::optional<Time> time_of_change(std::string_view id) {
  id = bare_id(id);
  if (id.size() != 21 || id[0] != 'C' || to_upper(md5_hex("change" + std::string(id.substr(1, 12))).substr(0, 8)) != id.substr(13)) return std::nullopt;
  std::int64_t millis = 0;
  std::from_chars(id.data() + 1, id.data() + 13, millis, 16);
  return from_millis(millis);
}

}  // namespace reef::service::route53
