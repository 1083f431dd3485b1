#include "engine/network/flow_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace reef::network {
namespace {

constexpr std::uint64_t kRefusedBytes = 60;  // a SYN with its options
constexpr std::array<std::string_view, 14> kVersion2 = {"version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport",
                                                        "protocol", "packets", "bytes", "start", "end", "action", "log-status"};
// Of versions 3 to 5.
constexpr std::array<std::string_view, 15> kLater = {"vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr", "region",
                                                     "az-id", "sublocation-type", "sublocation-id", "pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"};

std::int64_t seconds(Time time) { return to_millis(time) / 1000; }

int version_of(const FlowFormat& format) {
  int out = 2;
  for (const std::string& field : format.fields()) {
    const auto at = std::find(kLater.begin(), kLater.end(), field);
    if (at == kLater.end()) continue;
    const auto index = at - kLater.begin();
    out = std::max(out, index < 7 ? 3 : index < 11 ? 4 : 5);
  }
  return out;
}

// A field that says nothing of the traffic; nullopt for the others.
std::optional<std::string> common_field(std::string_view field, const Interface& interface, int version, Time began, Time ended, std::string_view status) {
  if (field == "version") return std::to_string(version);
  if (field == "account-id") return interface.account;
  if (field == "interface-id") return interface.id;
  if (field == "start") return std::to_string(seconds(began));
  if (field == "end") return std::to_string(seconds(ended));
  if (field == "log-status") return std::string(status);
  if (field == "vpc-id") return interface.vpc;
  if (field == "subnet-id") return interface.subnet;
  if (field == "region") return interface.region;
  if (field == "az-id") return interface.zone_id;
  return std::nullopt;
}

std::string traffic_field(std::string_view field, const FlowPart& part) {
  if (field == "srcaddr" || field == "pkt-srcaddr") return address_text(part.from);
  if (field == "dstaddr" || field == "pkt-dstaddr") return address_text(part.to);
  if (field == "srcport") return std::to_string(part.from_port);
  if (field == "dstport") return std::to_string(part.to_port);
  if (field == "protocol") return std::to_string(part.protocol);
  if (field == "packets") return std::to_string(part.packets);
  if (field == "bytes") return std::to_string(part.bytes);
  if (field == "action") return part.accepted ? "ACCEPT" : "REJECT";
  if (field == "tcp-flags") return part.is_reply ? "19" : part.accepted ? "3" : "2";
  if (field == "type") return "IPv4";
  if (field == "flow-direction") return part.is_ingress ? "ingress" : "egress";
  if (field == "traffic-path") return part.is_ingress ? "-" : "1";
  return "-";
}

std::string line(const FlowFormat& format, int version, const Interface& interface, const FlowPart* part, Time began, Time ended, std::string_view status) {
  std::string out;
  for (const std::string& field : format.fields()) {
    if (!out.empty()) out += ' ';
    if (auto value = common_field(field, interface, version, began, ended, status)) out += *value;
    else out += part ? traffic_field(field, *part) : "-";
  }
  return out;
}

}  // namespace

std::vector<FlowPart> parts_of(const Flow& flow, std::uint64_t sent_bytes, std::uint64_t sent_packets, std::uint64_t received_bytes, std::uint64_t received_packets) {
  std::vector<FlowPart> out;
  for (const bool at_sender : {true, false}) {
    const InterfacePtr& interface = at_sender ? flow.from.interface : flow.to.interface;
    if (!interface) continue;
    if (sent_packets > 0)
      out.push_back({.interface = interface, .from = flow.from.address, .to = flow.to.address, .from_port = flow.from_port, .to_port = flow.to_port, .protocol = flow.protocol,
                     .is_ingress = !at_sender, .packets = sent_packets, .bytes = sent_bytes});
    if (received_packets > 0)
      out.push_back({.interface = interface, .from = flow.to.address, .to = flow.from.address, .from_port = flow.to_port, .to_port = flow.from_port, .protocol = flow.protocol,
                     .is_ingress = at_sender, .is_reply = true, .packets = received_packets, .bytes = received_bytes});
  }
  return out;
}

std::vector<FlowPart> parts_of_refused(const Flow& flow, const Verdict& verdict) {
  std::vector<FlowPart> out = parts_of(flow, kRefusedBytes, 1, 0, 0);
  if (verdict.is_of_sender || verdict.refusal == Refusal::kNoRoute) std::erase_if(out, [](const FlowPart& part) { return part.is_ingress; });
  for (FlowPart& part : out) part.accepted = part.is_ingress ? false : !verdict.is_of_sender;
  return out;
}

Result<FlowFormat, Failure> FlowFormat::parse(std::string_view text) {
  FlowFormat out;
  if (text.empty()) {
    out.fields_.assign(kVersion2.begin(), kVersion2.end());
    return out;
  }
  std::vector<std::string> unknown;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const bool is_field = word.starts_with("${") && word.ends_with("}");
    const std::string_view name = is_field ? word.substr(2, word.size() - 3) : word;
    const bool is_known = std::find(kVersion2.begin(), kVersion2.end(), name) != kVersion2.end() || std::find(kLater.begin(), kLater.end(), name) != kLater.end();
    if (!is_field || !is_known) unknown.emplace_back(name);
    else out.fields_.emplace_back(name);
  }
  if (!unknown.empty()) return Err(Failure{join(unknown, ", ")});
  if (out.fields_.empty()) return parse({});
  return out;
}

std::string FlowFormat::text() const {
  std::string out;
  for (const std::string& field : fields_) out += fmt::format("{}${{{}}}", out.empty() ? "" : " ", field);
  return out;
}
std::string FlowFormat::header() const { return join(fields_, " "); }

void FlowTable::add(const FlowPart& part, Time now) {
  if ((kind_ == TrafficKind::kAccept && !part.accepted) || (kind_ == TrafficKind::kReject && part.accepted)) return;
  const Key key{part.interface->id, part.from, part.to, part.from_port, part.to_port, part.protocol, part.accepted};
  const auto found = flows_.find(key);
  if (found == flows_.end()) {
    if (flows_.size() >= kFlowsMax) skipped_[part.interface->id] = part.interface;
    else flows_.emplace(key, Sum{part, now, now});
    return;
  }
  found->second.part.packets += part.packets;
  found->second.part.bytes += part.bytes;
  found->second.last = now;
}

std::vector<FlowTable::Line> FlowTable::take(const FlowFormat& format, const std::vector<InterfacePtr>& silent, Time began, Time now) {
  std::vector<Line> out;
  const int version = version_of(format);
  for (const auto& [key, sum] : flows_) out.push_back({sum.part.interface->id, line(format, version, *sum.part.interface, &sum.part, sum.first, sum.last, "OK")});
  for (const auto& [id, interface] : skipped_) out.push_back({id, line(format, version, *interface, nullptr, began, now, "SKIPDATA")});
  for (const InterfacePtr& interface : silent) {
    const auto at = flows_.lower_bound(Key{interface->id, 0, 0, 0, 0, -1, false});
    const bool spoke = (at != flows_.end() && std::get<0>(at->first) == interface->id) || skipped_.contains(interface->id);
    if (!spoke) out.push_back({interface->id, line(format, version, *interface, nullptr, began, now, "NODATA")});
  }
  flows_.clear();
  skipped_.clear();
  return out;
}

}  // namespace reef::network
