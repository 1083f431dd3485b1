// The networks of all accounts: whoever configures them tells each change, on the control shard; publish() makes a view of
// it for all threads.
//
// Always true: an address belongs to one interface, whatever account and VPC it is of, so that an address is enough to
// tell who somebody is.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/published.h"
#include "engine/network/interface_maker.h"
#include "engine/network/view.h"

namespace reef::network {

struct RuleSpec {
  std::string group;
  bool egress = false;
  int protocol = kAnyProtocol;
  std::uint16_t from_port = 0, to_port = 65535;
  // One of these.
  std::optional<Cidr> range;
  std::string peer_group, prefix_list;
};

struct AccessListSpec {
  std::string id;
  std::vector<AccessEntry> entries;
  std::vector<std::string> subnets;
};

class Networks {
 public:
  Networks();

  // --- control shard only; shows with publish() ---
  void put_rule(const std::string& id, RuleSpec rule);
  void erase_rule(const std::string& id);
  void put_prefix_list(const std::string& id, std::vector<Cidr> entries);
  void erase_prefix_list(const std::string& id);
  void put_access_list(AccessListSpec list);
  void erase_access_list(std::string_view id);
  void put_interface(InterfaceSpec interface);
  void erase_interface(std::string_view id);
  const InterfaceSpec* interface(std::string_view id) const;
  // Whom an interface belongs to, apart from the interface itself: either may be told first.
  void set_owner(const std::string& interface, std::string owner, std::vector<std::string> names);
  // The ids of an owner's interfaces.
  std::vector<std::string> interfaces_of(std::string_view owner) const;
  InterfaceMaker* maker = nullptr;
  // Balancers: the address of this machine where `owner` listens; empty owner: nobody any more.
  void set_front(std::uint32_t address, std::string owner);
  // Connections made in the name of `caller` are the owner's.
  void set_caller(const std::string& caller, std::string owner);
  void add_partition(Partition partition);
  bool remove_partition(const Partition& partition);
  const std::vector<Partition>& partitions() const { return partitions_; }
  // Told of each connection that was refused, on any thread; set before there are any.
  std::function<void(const Flow& flow, const Verdict& verdict)> on_refused;
  void clear();
  // Does nothing when nothing changed.
  void publish();
  // Called after each new view, on the control shard: whoever holds open connections.
  void on_publish(std::function<void()> watcher) { watchers_.push_back(std::move(watcher)); }
  // An address that no interface has: from `block` without its first four and its last.
  std::optional<std::uint32_t> free_address(const Cidr& block);
  // An address that somebody may still take for its last owner: others come first.
  void avoid(std::uint32_t address) { avoided_.insert(address); }
  bool has_address(std::uint32_t address) const { return addresses_.contains(address); }

  // --- any thread ---
  std::shared_ptr<const View> view() const { return view_.load(); }

 private:
  GroupNumber number_of(const std::string& group);
  void compile(const std::string& group);
  InterfacePtr make(const std::string& id, const InterfaceSpec& spec);

  std::map<std::string, RuleSpec, std::less<>> rules_;
  std::map<std::string, std::set<std::string>, std::less<>> rules_of_;   // by group
  std::map<std::string, std::vector<Cidr>, std::less<>> prefix_lists_;
  std::map<std::string, AccessListSpec, std::less<>> access_lists_;
  std::map<std::string, InterfaceSpec, std::less<>> interfaces_;
  struct Owner {
    std::string name;
    std::vector<std::string> names;
  };
  std::map<std::string, Owner, std::less<>> owners_;                     // by interface
  std::map<std::uint32_t, std::string> addresses_;                       // to interface
  std::map<std::uint32_t, std::string> fronts_;
  std::map<std::string, std::string, std::less<>> callers_;
  std::vector<Partition> partitions_;
  std::map<std::string, GroupNumber, std::less<>> numbers_;
  std::vector<std::shared_ptr<const SecurityGroup>> compiled_;           // by number
  std::set<std::string> stale_groups_;
  // What the next view takes over as it is: interfaces that did not change, and the compiled lists of their subnets.
  std::map<std::string, InterfacePtr, std::less<>> made_;
  std::map<std::string, std::pair<std::string, std::shared_ptr<const AccessList>>, std::less<>> by_subnet_;
  bool lists_changed_ = false;
  std::set<std::uint32_t> avoided_;
  std::map<std::uint32_t, std::uint32_t> next_;                          // where to look next, by block
  Published<View> view_;
  std::vector<std::function<void()>> watchers_;
  bool changed_ = false;
};

}  // namespace reef::network
