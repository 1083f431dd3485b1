// Who may connect to whom, at one moment: interfaces with their addresses, groups and access lists. Immutable, read by any
// thread; Networks makes a new one for each change.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "engine/network/access_list.h"
#include "engine/network/rules.h"

namespace reef::network {

// A network interface, in the words of whoever makes it.
struct InterfaceSpec {
  std::string id;                       // "eni-0123..."
  std::string account, region, vpc, subnet, zone, zone_id;
  std::uint32_t address = 0;
  std::vector<std::string> groups;      // ids; none: groups are not asked, as of network balancers without any
  std::string owner;                    // what it belongs to: the ARN of a task, balancer or function
  std::vector<std::string> names;       // by which a user calls the owner: its service, its id
};

struct Interface : InterfaceSpec {
  std::vector<GroupNumber> numbers;     // of the groups, in order
  std::shared_ptr<const AccessList> access;  // of its subnet; none: everything passes
  std::string access_id;
};
using InterfacePtr = std::shared_ptr<const Interface>;

// One side of a connection. Without an interface it is outside of every VPC; without an address, too, it is a function
// there, which reaches no interface but those of balancers.
struct Party {
  std::uint32_t address = 0;
  InterfacePtr interface;
  std::vector<std::string> names;  // of what has no interface
};

struct Flow {
  Party from, to;
  int protocol = kTcp;
  std::uint16_t from_port = 0, to_port = 0;
  bool to_front = false;  // to a balancer's own address
};

enum class Refusal { kNone, kPartition, kNoRoute, kEgress, kIngress, kAccessList };

struct Verdict {
  Refusal refusal = Refusal::kNone;
  bool is_of_sender = false;  // whose access list or groups refuse
  bool passes() const { return refusal == Refusal::kNone; }
};

// Two sets of parties that do not reach each other. A side is a name of an owner or a CIDR block.
struct Partition {
  std::string a, b;
  std::optional<Time> until;  // healed then, by whoever made it
  bool separates(const Party& one, const Party& other) const;
};
bool is_called(const Party& party, std::string_view side);

class View {
 public:
  InterfacePtr at(std::uint32_t address) const;
  // The interfaces of one owner, in order of id; empty when it has none.
  const std::vector<InterfacePtr>& of(std::string_view owner) const;
  // Whose connections those are that somebody makes under this name: target groups stand for their balancers.
  const std::vector<InterfacePtr>& behind(std::string_view caller) const;
  // The owner that listens at an address of this machine: balancers do.
  const std::string* front(std::uint32_t address) const;
  // How many interfaces go by the name.
  std::size_t count_called(std::string_view side) const;
  // All whose VPC, subnet or id this is.
  std::vector<InterfacePtr> within(std::string_view resource) const;
  // For a connection between `peer` and the owner: the one in the same subnet, or the first.
  static InterfacePtr nearest(const std::vector<InterfacePtr>& interfaces, const InterfacePtr& peer);

  // A new connection.
  Verdict decide(const Flow& flow) const;
  // One that is open: groups only look at the first packet, access lists and partitions at every one.
  Verdict decide_open(const Flow& flow) const;
  // The same parties as this view knows them: access lists may be others now.
  Flow as_now(Flow flow) const;
  // What to change so that it passes, in a sentence for a developer.
  static std::string explain(const Flow& flow, const Verdict& verdict);

 private:
  friend class Networks;
  bool admits(const Interface& of, bool egress, const Flow& flow, const Party& peer) const;
  std::unordered_map<std::uint32_t, InterfacePtr> by_address_;
  TextMap<std::vector<InterfacePtr>> by_owner_;
  TextMap<std::string> callers_;
  std::unordered_map<std::uint32_t, std::string> fronts_;
  std::vector<std::shared_ptr<const SecurityGroup>> groups_;  // by number
  std::vector<Partition> partitions_;
};

}  // namespace reef::network
