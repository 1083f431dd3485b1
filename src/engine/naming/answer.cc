// Writes the reply to a query from a view. The path that every query takes: no lock, no allocation.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "base/text.h"
#include "engine/naming/view.h"

namespace reef::naming {

namespace dns = wire::dns;

namespace {

constexpr std::uint16_t kQuestionPointer = 0xC000 | dns::kHeaderSize;
constexpr int kDepthMax = 8;           // of aliases and CNAMEs
constexpr std::size_t kVariantsMax = 512;
constexpr std::uint16_t kOurUdpSize = 1232;

class Writer {
 public:
  Writer(const dns::Query& query, Reply& reply) : query_(query), reply_(reply) {
    std::memset(reply.out, 0, dns::kHeaderSize);
    dns::put16(reply.out, query.id);
    dns::put16(reply.out + 4, query.question.empty() ? 0 : 1);
    if (!query.question.empty()) std::memcpy(reply.out + dns::kHeaderSize, query.question.data(), query.question.size());
    reply.size = dns::kHeaderSize + query.question.size();
  }
  enum Section { kAnswer = 0, kAuthority = 1, kAdditional = 2 };

  // Copies records, their owner set to `owner`; starting with record `first`, for a fair turn to each.
  bool add(Section section, const Values& values, std::uint16_t owner, std::size_t first = 0) {
    if (values.starts.empty()) return true;
    const std::size_t cut = values.starts[first];
    return append(section, {values.bytes.data() + cut, values.bytes.size() - cut}, values, owner, first, values.starts.size()) &&
           (first == 0 || append(section, {values.bytes.data(), cut}, values, owner, 0, first));
  }
  bool add_record(Section section, std::string_view record, std::uint16_t owner) {
    if (!room(record.size())) return false;
    std::memcpy(reply_.out + reply_.size, record.data(), record.size());
    dns::put16(reply_.out + reply_.size, owner);
    reply_.size += record.size();
    ++counts_[section];
    return true;
  }
  // What helps when it fits, and is left out otherwise.
  void add_hint(const Values& values, std::uint16_t owner) {
    if (has_room(values.bytes.size())) static_cast<void>(add(kAdditional, values, owner));
  }
  void finish(std::uint8_t code, std::uint16_t flags) {
    reply_.size_before_edns = reply_.size;
    if (truncated_) {
      flags |= dns::kTc;
      reply_.size = dns::kHeaderSize + query_.question.size();
      counts_[0] = counts_[1] = counts_[2] = 0;
    }
    if (query_.edns) {
      char* at = reply_.out + reply_.size;
      at[0] = 0;
      dns::put16(at + 1, dns::kOpt);
      dns::put16(at + 3, kOurUdpSize);
      dns::put32(at + 5, static_cast<std::uint32_t>(code >> 4) << 24);
      dns::put16(at + 9, 0);
      reply_.size += 11;
      ++counts_[kAdditional];
    }
    dns::put16(reply_.out + 2, static_cast<std::uint16_t>(dns::kQr | (query_.opcode << 11) | (query_.flags & (dns::kRd | dns::kCd)) | flags | (code & 0xF)));
    for (int i = 0; i < 3; ++i) dns::put16(reply_.out + 6 + 2 * i, counts_[i]);
  }
  std::size_t position() const { return reply_.size; }
  bool truncated() const { return truncated_; }

 private:
  bool has_room(std::size_t size) const { return reply_.size + size + (query_.edns ? 11 : 0) <= reply_.limit; }
  bool room(std::size_t size) {
    if (has_room(size)) return true;
    truncated_ = true;
    return false;
  }
  bool append(Section section, std::string_view bytes, const Values& values, std::uint16_t owner, std::size_t from, std::size_t to) {
    if (!room(bytes.size())) return false;
    char* at = reply_.out + reply_.size;
    std::memcpy(at, bytes.data(), bytes.size());
    if (owner != kQuestionPointer)
      for (std::size_t i = from; i < to; ++i) dns::put16(at + values.starts[i] - values.starts[from], owner);
    reply_.size += bytes.size();
    counts_[section] = static_cast<std::uint16_t>(counts_[section] + (to - from));
    return true;
  }
  const dns::Query& query_;
  Reply& reply_;
  std::uint16_t counts_[3] = {};
  bool truncated_ = false;
};

// Where an alias leads: another name of the same zone, or of anywhere in the view.
const Group* follow(const View& view, const ZoneImage* zone, std::string_view name, std::uint16_t type, const ZoneImage*& found_in) {
  if (const Node* host = view.find_host(name)) {
    found_in = nullptr;
    return host->group(type);
  }
  if (zone && dns::is_below(name, zone->apex))
    if (const Node* node = zone->nodes.find(name)) {
      found_in = zone;
      return node->group(type);
    }
  const View::Range range = view.zones_of(name);
  for (std::size_t i = 0; i < range.count; ++i)
    if (const Node* node = range.first[i]->nodes.find(name)) {
      found_in = range.first[i].get();
      return node->group(type);
    }
  return nullptr;
}

bool is_healthy(const View& view, const ZoneImage* zone, const Variant& variant, std::uint16_t type, int depth) {
  if (variant.health && !variant.health->healthy.load(std::memory_order_relaxed)) return false;
  if (variant.alias.empty() || !variant.evaluates_alias_health || depth >= kDepthMax) return true;
  const ZoneImage* in = nullptr;
  const Group* group = follow(view, zone, variant.alias, type, in);
  if (!group) return true;
  // A tree is healthy when any of its leaves is.
  for (const Variant& one : group->variants)
    if (is_healthy(view, in, one, type, depth + 1)) return true;
  return false;
}

Chosen choose_among(const View& view, const ZoneImage* zone, const Group& group, Random& random) {
  // Raw memory: only as many are made as there are sets.
  alignas(Candidate) std::byte raw[sizeof(Candidate) * kVariantsMax];
  auto* candidates = reinterpret_cast<Candidate*>(raw);
  const std::size_t count = std::min(group.variants.size(), kVariantsMax);
  for (std::size_t i = 0; i < count; ++i) {
    const Variant& one = group.variants[i];
    new (&candidates[i]) Candidate{.weight = one.weight, .is_primary = one.is_primary, .healthy = is_healthy(view, zone, one, group.type, 0),
                                   .region = one.region, .location = &one.location};
  }
  return choose(group.policy, {candidates, count}, view.asker, random);
}

// The sets of `group` that answer now, aliases followed, each passed to `use` until it returns false.
template <class Use>
bool each_chosen(const View& view, const ZoneImage* zone, const Group& group, Random& random, Use&& use, int depth = 0) {
  Chosen chosen;
  if (group.policy == Policy::kSimple) chosen.add(0);
  else chosen = choose_among(view, zone, group, random);
  for (std::size_t i = 0; i < chosen.count; ++i) {
    const Variant& one = group.variants[chosen.index[i]];
    if (one.alias.empty()) {
      if (!use(one)) return false;
      continue;
    }
    if (depth >= kDepthMax) continue;
    const ZoneImage* in = nullptr;
    if (const Group* target = follow(view, zone, one.alias, group.type, in))
      if (!each_chosen(view, in, *target, random, use, depth + 1)) return false;
  }
  return true;
}

const Values& loopback_a() {
  static const Values values = encode_records(dns::kA, 60, {std::string("\x7f\0\0\1", 4)});
  return values;
}

// An alias may lead to a name that always means this machine.
bool leads_home(const Group& group) {
  return group.type == dns::kA && group.variants.size() == 1 && !group.variants[0].alias.empty() && is_endpoint_name(group.variants[0].alias);
}

struct Found {
  const ZoneImage* zone = nullptr;
  const Node* node = nullptr;       // the name's own, or the wildcard that stands for it
  const Node* delegation = nullptr; // the cut above it
};

Found find_in_zone(const ZoneImage& zone, std::string_view name) {
  Found out{.zone = &zone};
  if (zone.has_delegations)
    for (std::string_view up = name; up.size() > zone.apex.size(); up = dns::parent_of(up))
      if (const Node* node = zone.nodes.find(up); node && node->group(dns::kNs)) out.delegation = node;
  out.node = zone.nodes.find(name);
  if (out.node || !zone.has_wildcards) return out;
  // RFC 4592: the wildcard below the closest name that exists.
  std::string_view up = name;
  while (up.size() > zone.apex.size()) {
    up = dns::parent_of(up);
    if (!zone.nodes.find(up)) continue;
    char wild[dns::kNameMax + 3];
    if (up.size() + 2 > dns::kNameMax) return out;
    wild[0] = 1;
    wild[1] = '*';
    std::memcpy(wild + 2, up.data(), up.size());
    out.node = zone.nodes.find({wild, up.size() + 2});
    return out;
  }
  return out;
}

Found find(const View& view, std::string_view name) {
  const View::Range range = view.zones_of(name);
  Found first;
  for (std::size_t i = 0; i < range.count; ++i) {
    const Found one = find_in_zone(*range.first[i], name);
    if (one.node || one.delegation) return one;
    if (!first.zone) first = one;
    if (!view.is_host) break;  // in a network, its private zone hides the public one of the same name
  }
  return first;
}

// The pointer to `apex` at the end of the question's name, for owners of negative answers.
std::uint16_t pointer_to(std::string_view name, std::string_view apex) {
  return static_cast<std::uint16_t>(0xC000 | (dns::kHeaderSize + name.size() - apex.size()));
}

// The servers of a child, and their addresses where only its parent can know them.
void refer(Writer& writer, const ZoneImage& zone, const Node& delegation, std::uint16_t owner) {
  constexpr std::size_t kFixed = 12;   // of a record before its data: pointer, type, class, lifetime, length
  constexpr std::size_t kPointerMax = 0x3FFF;
  const Values& servers = delegation.group(dns::kNs)->variants[0].values;
  const std::size_t begin = writer.position();
  if (!writer.add(Writer::kAuthority, servers, owner)) return;
  for (const std::size_t start : servers.starts) {
    const std::string_view record(servers.bytes.data() + start, servers.bytes.size() - start);
    const std::string server = to_lower(record.substr(kFixed, dns::get16(record.data() + kFixed - 2)));
    const std::size_t at = begin + start - servers.starts.front() + kFixed;
    const Node* const node = dns::is_below(server, delegation.name) && at <= kPointerMax ? zone.nodes.find(server) : nullptr;
    if (!node) continue;
    for (const std::uint16_t type : {dns::kA, dns::kAaaa})
      if (const Group* const group = node->group(type))
        for (const Variant& one : group->variants) writer.add_hint(one.values, static_cast<std::uint16_t>(0xC000 | at));
  }
}

}  // namespace

void answer_with_code(const dns::Query& query, std::uint8_t code, Reply& reply) {
  Writer writer(query, reply);
  writer.finish(code, 0);
}

Outcome answer(const View& view, const dns::Query& query, dns::Code parsed, bool over_tcp, bool recursion_available, Random& random, Reply& reply) {
  if (!over_tcp) reply.limit = std::min<std::size_t>(reply.limit, query.edns ? std::clamp<std::size_t>(query.edns->udp_size, 512, kOurUdpSize) : 512);
  if (parsed != dns::kNoError) return answer_with_code(query, parsed, reply), Outcome::kAnswered;
  if (query.klass != dns::kIn || (query.type >= 249 && query.type <= 254)) return answer_with_code(query, dns::kRefused, reply), Outcome::kAnswered;
  Writer writer(query, reply);
  const std::uint16_t available = recursion_available ? dns::kRa : 0;
  const auto rotation = [&](const Variant& variant) { return variant.values.starts.size() > 1 ? random.below(variant.values.starts.size()) : 0; };

  std::string_view name = query.qname();
  std::uint16_t owner = kQuestionPointer;
  for (int depth = 0; depth < kDepthMax; ++depth) {
    const Node* node = view.find_host(name);
    Found found{.node = node};
    if (!node) {
      found = find(view, name);
      node = found.node;
      if (!found.zone) {
        if (is_endpoint_name(name)) {
          if (query.type == dns::kA || query.type == dns::kAny) writer.add(Writer::kAnswer, loopback_a(), owner);
          break;
        }
        if (depth == 0) return Outcome::kForward;
        writer.finish(dns::kNoError, available);
        reply.rest = name;
        return (query.flags & dns::kRd) && recursion_available && !writer.truncated() ? Outcome::kContinue : Outcome::kAnswered;
      }
    }
    if (found.delegation) {
      // The child's servers, not ours, have the answer; whoever asks for recursion gets it from there.
      if (depth == 0 && (query.flags & dns::kRd) && recursion_available) return Outcome::kForward;
      refer(writer, *found.zone, *found.delegation, depth == 0 ? pointer_to(name, found.delegation->name) : owner);
      writer.finish(dns::kNoError, available);
      return Outcome::kAnswered;
    }
    const Group* group = node ? node->group(query.type) : nullptr;
    std::size_t before = writer.position();
    if (group) {
      each_chosen(view, found.zone, *group, random, [&](const Variant& one) { return writer.add(Writer::kAnswer, one.values, owner, rotation(one)); });
      if (writer.position() == before && leads_home(*group)) writer.add(Writer::kAnswer, loopback_a(), owner);
    } else if (node && query.type == dns::kAny) {
      for (const Group& one : node->groups)
        each_chosen(view, found.zone, one, random, [&](const Variant& v) { return writer.add(Writer::kAnswer, v.values, owner, rotation(v)); });
    } else if (const Group* cname = node ? node->group(dns::kCname) : nullptr) {
      const Variant* target = nullptr;
      each_chosen(view, found.zone, *cname, random, [&](const Variant& one) { return target = &one, false; });
      if (target && target->values.count() > 0 && writer.add(Writer::kAnswer, target->values, owner)) {
        // The target's name stands in the message now, behind the record's fixed part: it owns what follows.
        owner = static_cast<std::uint16_t>(0xC000 | (before + 12));
        name = std::string_view(target->values.bytes).substr(12);
        continue;
      }
    }
    if (writer.position() == before && found.zone && !found.zone->negative.empty() && !writer.truncated())
      writer.add_record(Writer::kAuthority, found.zone->negative,
                        owner == kQuestionPointer ? pointer_to(name, found.zone->apex) : static_cast<std::uint16_t>(owner + name.size() - found.zone->apex.size()));
    if (!node) {
      writer.finish(dns::kNxDomain, static_cast<std::uint16_t>(available | dns::kAa));
      return Outcome::kAnswered;
    }
    break;
  }
  writer.finish(dns::kNoError, static_cast<std::uint16_t>(available | dns::kAa));
  return Outcome::kAnswered;
}

Looked look_up(const View& view, std::string_view name, std::uint16_t type, Random& random) {
  std::string packet = dns::build_query(0, name, type);
  dns::Query query;
  const auto parsed = dns::parse_query(packet, query);
  std::string out(dns::kMessageMax, '\0');
  Reply reply{.out = out.data(), .limit = out.size()};
  if (!parsed || answer(view, query, *parsed, true, false, random, reply) != Outcome::kAnswered) return {.code = dns::kRefused, .answers = {}};
  auto message = dns::parse_message({out.data(), reply.size});
  if (!message) return {.code = dns::kServFail, .answers = {}};
  return {.code = message->code(), .answers = std::move(message->answers)};
}

}  // namespace reef::naming
