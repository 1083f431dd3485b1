// What the parts of Tables share. Only for its own .cc files.
#pragma once

#include "base/text.h"
#include "engine/table/tables.h"

namespace reef::table {

// Touched only by the shard's own thread.
struct Tables::PerShard {
  std::unordered_map<std::uint64_t, TableCounters> counters;    // by table: what this shard has counted
  std::unordered_set<std::string, TextHash, std::equal_to<>> locked;  // keys of items in transactions
};

struct Tables::Snapshot {
  TextMap<TablePtr> by_name;  // "account/region/name"
  std::unordered_map<std::uint64_t, TablePtr> by_id;
  std::map<std::string, TablePtr, std::less<>> in_order;
};

// `co_await NextTurn{reactor}`: lets the loop do what else is ready. Long work in the background pauses so.
struct NextTurn {
  io::Reactor& reactor;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    reactor.post([waiter] { waiter.resume(); });
  }
  void await_resume() const {}
};

constexpr std::int64_t kNever = INT64_MAX;

inline std::string catalogue_key(std::string_view account, std::string_view region, std::string_view name) {
  std::string key;
  key.reserve(account.size() + region.size() + name.size() + 2);
  key.append(account).append("/").append(region).append("/").append(name);
  return key;
}
inline std::string counter_prefix(std::uint64_t table) {
  std::string key = "C";
  append_big_endian(key, table, 8);
  return key;
}

// The item's expiry in seconds; nothing when it has none that counts.
std::optional<std::int64_t> expiry_of(const TableDefinition& table, const AttributeMap& item);
std::string expiry_key(std::int64_t seconds, std::string_view item_key);

}  // namespace reef::table
