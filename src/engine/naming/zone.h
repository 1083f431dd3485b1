// A zone as the server reads it, and as its owner changes it. An image is immutable and shared between threads; a change
// makes a new one that shares every untouched name with the old one.
//
// Always true: the apex has a node; a name has a node when it has record sets or lies between the apex and one that does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "engine/naming/choose.h"
#include "engine/naming/health_cell.h"
#include "engine/naming/record_set.h"

namespace reef::naming {

std::uint64_t hash_name(std::string_view name);

// Records in wire form, ready to copy: each one's owner is a pointer to the question's name.
struct Values {
  std::string bytes;
  std::vector<std::uint16_t> starts;  // of each record
  std::uint16_t count() const { return static_cast<std::uint16_t>(starts.size()); }
};
// `ttl` and `values` as records of `type`.
Values encode_records(std::uint16_t type, std::uint32_t ttl, const std::vector<std::string>& values);

struct Variant {
  Values values;
  std::string alias;  // wire name; empty: `values` answer
  bool evaluates_alias_health = false;
  std::uint32_t weight = 0;
  bool is_primary = false;
  std::string region;
  Location location;
  std::shared_ptr<const HealthCell> health;  // may be null
};

// All record sets of one name and type.
struct Group {
  std::uint16_t type = 0;
  Policy policy = Policy::kSimple;
  std::vector<Variant> variants;
};

struct Node {
  std::string name;
  std::uint64_t hash = 0;
  std::vector<Group> groups;  // empty: only names below it have records
  const Group* group(std::uint16_t type) const {
    for (const Group& one : groups)
      if (one.type == type) return &one;
    return nullptr;
  }
};

// Names to nodes: open addressing, built once.
class NodeTable {
 public:
  void insert(std::shared_ptr<const Node> node);  // replaces a node of that name
  void erase(std::string_view name);
  const Node* find(std::string_view name) const { return find(name, hash_name(name)); }
  const Node* find(std::string_view name, std::uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (!slot.node) return nullptr;
      if (slot.hash == hash && slot.node->name == name) return slot.node.get();
    }
  }
  std::size_t size() const { return count_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::shared_ptr<const Node> node;
  };
  void grow();
  std::vector<Slot> slots_;
  std::size_t mask_ = 0, count_ = 0;
};

struct ZoneImage {
  std::string id, apex;
  bool is_private = false;
  std::vector<std::string> networks;  // that a private zone is seen from
  NodeTable nodes;
  std::string negative;      // the SOA record of negative answers, its owner a pointer to be set
  bool has_wildcards = false, has_delegations = false;
};

// The changeable side, on the control shard.
class Zone {
 public:
  Zone(std::string id, std::string apex, HealthCells& cells) : id_(std::move(id)), apex_(std::move(apex)), cells_(cells) {}

  void set_visibility(bool is_private, std::vector<std::string> networks);
  // Replaces the set with that name, type and id.
  void put(RecordSet set);
  void erase(std::string_view name, std::uint16_t type, std::string_view id);
  const std::string& apex() const { return apex_; }
  const std::string& id() const { return id_; }
  // Every set of a name, of one type (0: all).
  std::vector<const RecordSet*> find(std::string_view name, std::uint16_t type = 0) const;
  bool changed() const { return changed_; }
  std::shared_ptr<const ZoneImage> image();

 private:
  struct Name {
    std::vector<RecordSet> sets;
    std::size_t below = 0;  // names with sets under it
  };
  std::shared_ptr<const Node> compile(const std::string& name, const Name& entry) const;
  void count_above(std::string_view name, int by);

  std::string id_, apex_;
  HealthCells& cells_;
  bool is_private_ = false;
  std::vector<std::string> networks_;
  TextMap<Name> names_;
  std::vector<std::string> dirty_;  // names whose node must be made anew
  std::shared_ptr<const ZoneImage> image_;
  std::size_t wildcards_ = 0, delegations_ = 0;
  bool changed_ = true;
};

}  // namespace reef::naming
