#include "engine/naming/zone.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "wire/dns.h"

namespace reef::naming {
namespace {

namespace dns = wire::dns;

bool is_wildcard(std::string_view name) { return name.size() > 2 && name[0] == 1 && name[1] == '*'; }

}  // namespace

std::uint64_t hash_name(std::string_view name) {
  constexpr std::uint64_t kA = 0x9E3779B97F4A7C15ull, kB = 0xD6E8FEB86659FD93ull;
  std::uint64_t hash = name.size() * kA;
  const char* at = name.data();
  std::size_t left = name.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * kB;
    hash ^= hash >> 32;
  }
  std::uint64_t word = 0;
  std::memcpy(&word, at, left);
  hash = (hash ^ word) * kB;
  return hash ^ (hash >> 29);
}

Values encode_records(std::uint16_t type, std::uint32_t ttl, const std::vector<std::string>& values) {
  Values out;
  for (const std::string& value : values) {
    out.starts.push_back(static_cast<std::uint16_t>(out.bytes.size()));
    char fixed[12] = {static_cast<char>(0xC0), static_cast<char>(dns::kHeaderSize)};
    dns::put16(fixed + 2, type);
    dns::put16(fixed + 4, dns::kIn);
    dns::put32(fixed + 6, ttl);
    dns::put16(fixed + 10, static_cast<std::uint16_t>(value.size()));
    out.bytes.append(fixed, sizeof fixed);
    out.bytes += value;
  }
  return out;
}

void NodeTable::insert(std::shared_ptr<const Node> node) {
  if ((count_ + 1) * 2 > slots_.size()) grow();
  for (std::size_t at = node->hash & mask_;; at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    if (slot.node && (slot.hash != node->hash || slot.node->name != node->name)) continue;
    if (!slot.node) ++count_;
    slot = {node->hash, std::move(node)};
    return;
  }
}

void NodeTable::erase(std::string_view name) {
  if (slots_.empty()) return;
  const std::uint64_t hash = hash_name(name);
  std::size_t at = hash & mask_;
  for (;; at = (at + 1) & mask_) {
    if (!slots_[at].node) return;
    if (slots_[at].hash == hash && slots_[at].node->name == name) break;
  }
  slots_[at] = {};
  --count_;
  // What was pushed on by the one that is gone moves back.
  for (std::size_t next = (at + 1) & mask_; slots_[next].node; next = (next + 1) & mask_) {
    Slot moved = std::exchange(slots_[next], Slot{});
    --count_;
    insert(std::move(moved.node));
  }
}

void NodeTable::grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_ = std::vector<Slot>(std::max<std::size_t>(16, old.size() * 2));
  mask_ = slots_.size() - 1;
  count_ = 0;
  for (Slot& slot : old)
    if (slot.node) insert(std::move(slot.node));
}

void Zone::set_visibility(bool is_private, std::vector<std::string> networks) {
  is_private_ = is_private;
  networks_ = std::move(networks);
  changed_ = true;
}

void Zone::count_above(std::string_view name, int by) {
  while (name.size() > apex_.size()) {
    name = dns::parent_of(name);
    Name& entry = names_[std::string(name)];
    entry.below = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(entry.below) + by);
    dirty_.emplace_back(name);
  }
}

void Zone::put(RecordSet set) {
  Name& entry = names_[set.name];
  if (entry.sets.empty()) {
    wildcards_ += is_wildcard(set.name);
    count_above(set.name, 1);
  }
  Name& same = names_[set.name];  // counting may have moved it
  dirty_.push_back(set.name);
  changed_ = true;
  const bool delegates = set.type == dns::kNs && set.name != apex_;
  for (RecordSet& one : same.sets)
    if (one.type == set.type && one.id == set.id) {
      one = std::move(set);
      return;
    }
  delegations_ += delegates;
  same.sets.push_back(std::move(set));
}

void Zone::erase(std::string_view name, std::uint16_t type, std::string_view id) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  const std::size_t gone = std::erase_if(found->second.sets, [&](const RecordSet& one) { return one.type == type && one.id == id; });
  if (gone == 0) return;
  changed_ = true;
  dirty_.emplace_back(name);
  if (type == dns::kNs && name != apex_) --delegations_;
  if (found->second.sets.empty()) {
    wildcards_ -= is_wildcard(name);
    count_above(name, -1);
  }
}

std::vector<const RecordSet*> Zone::find(std::string_view name, std::uint16_t type) const {
  std::vector<const RecordSet*> out;
  if (const auto found = names_.find(name); found != names_.end())
    for (const RecordSet& one : found->second.sets)
      if (type == 0 || one.type == type) out.push_back(&one);
  return out;
}

std::shared_ptr<const Node> Zone::compile(const std::string& name, const Name& entry) const {
  auto node = std::make_shared<Node>();
  node->name = name;
  node->hash = hash_name(name);
  for (const RecordSet& set : entry.sets) {
    auto group = std::find_if(node->groups.begin(), node->groups.end(), [&](const Group& one) { return one.type == set.type; });
    if (group == node->groups.end()) group = node->groups.insert(group, Group{.type = set.type, .policy = set.policy, .variants = {}});
    Variant variant{.values = encode_records(set.type, set.ttl, set.values), .alias = {}, .evaluates_alias_health = false, .weight = set.weight,
                    .is_primary = set.is_primary, .region = set.region, .location = set.location, .health = nullptr};
    if (set.alias) variant.alias = set.alias->name, variant.evaluates_alias_health = set.alias->evaluate_health;
    if (!set.health_check.empty()) variant.health = cells_.cell(set.health_check);
    group->variants.push_back(std::move(variant));
  }
  return node;
}

std::shared_ptr<const ZoneImage> Zone::image() {
  if (!changed_ && image_) return image_;
  auto next = image_ ? std::make_shared<ZoneImage>(*image_) : std::make_shared<ZoneImage>();
  next->id = id_;
  next->apex = apex_;
  next->is_private = is_private_;
  next->networks = networks_;
  next->has_wildcards = wildcards_ > 0;
  next->has_delegations = delegations_ > 0;
  if (!image_) names_.try_emplace(apex_), dirty_.push_back(apex_);
  std::sort(dirty_.begin(), dirty_.end());
  dirty_.erase(std::unique(dirty_.begin(), dirty_.end()), dirty_.end());
  for (const std::string& name : dirty_) {
    const auto found = names_.find(name);
    if (found == names_.end()) continue;
    if (found->second.sets.empty() && found->second.below == 0 && name != apex_) {
      next->nodes.erase(name);
      names_.erase(found);
    } else {
      next->nodes.insert(compile(name, found->second));
    }
  }
  dirty_.clear();
  next->negative.clear();
  for (const RecordSet* soa : find(apex_, dns::kSoa)) {
    // RFC 2308: a negative answer lives as long as the smaller of the SOA's own TTL and its minimum.
    if (soa->values.empty() || soa->values[0].size() < 4) continue;
    const std::uint32_t minimum = dns::get32(soa->values[0].data() + soa->values[0].size() - 4);
    next->negative = encode_records(dns::kSoa, std::min(soa->ttl, minimum), {soa->values[0]}).bytes;
  }
  image_ = std::move(next);
  changed_ = false;
  return image_;
}

}  // namespace reef::naming
