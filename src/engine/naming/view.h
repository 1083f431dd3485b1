// What one asker may see: the zones and host names of one network (or of this machine), immutable. A query is answered
// from it without a lock or an allocation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/naming/zone.h"
#include "wire/dns.h"

namespace reef::naming {

// Who the view is for. The machine itself sees every zone; a network the public zones and those associated with it.
constexpr std::string_view kHostView = "";

struct View {
  std::vector<std::shared_ptr<const ZoneImage>> zones;  // of one apex next to each other, private ones first
  NodeTable hosts;         // names with addresses outside any zone: balancers, caches, databases
  Asker asker;
  bool is_host = true;

  // Balancers also answer to "dualstack.<name>", which is what the console and CDK write into aliases.
  const Node* find_host(std::string_view name) const {
    constexpr std::string_view kDualStack = "\x09" "dualstack";
    if (const Node* found = hosts.find(name)) return found;
    return name.starts_with(kDualStack) ? hosts.find(name.substr(kDualStack.size())) : nullptr;
  }
  // Call once after `zones` is filled.
  void index();
  // The zones of the longest apex that `name` is below.
  struct Range {
    const std::shared_ptr<const ZoneImage>* first = nullptr;
    std::size_t count = 0;
  };
  Range zones_of(std::string_view name) const;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t first = 0, count = 0;
  };
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

// Names that AWS or Atoll gives out and that always mean this machine: localhost, *.localhost, *.localhost.localstack.cloud,
// {id}.execute-api.{region}.amazonaws.com, {id}.lambda-url.{region}.on.aws.
bool is_endpoint_name(std::string_view name);

enum class Outcome {
  kAnswered,   // the reply is complete
  kForward,    // nothing here knows the name
  kContinue,   // a chain of CNAMEs leads out: `rest` is to be resolved elsewhere, its answers to be appended
  kDropped,    // deserves no reply
};

// A reply that is being written.
struct Reply {
  char* out;
  std::size_t limit;               // of `out`
  std::size_t size = 0;
  std::size_t size_before_edns = 0;  // kContinue: where answers are appended
  std::string_view rest;           // kContinue: the wire name that is left to resolve; points into the view
};

// Answers one query from the view. `over_tcp` lifts the size limit of datagrams.
Outcome answer(const View& view, const wire::dns::Query& query, wire::dns::Code parsed, bool over_tcp, bool recursion_available, Random& random, Reply& reply);
// A reply without records.
void answer_with_code(const wire::dns::Query& query, std::uint8_t code, Reply& reply);

// What a record set answers right now, for TestDNSAnswer and discovery: wire values and their TTL.
struct Looked {
  wire::dns::Code code = wire::dns::kNoError;
  std::vector<wire::dns::Record> answers;
};
Looked look_up(const View& view, std::string_view name, std::uint16_t type, Random& random);

}  // namespace reef::naming
