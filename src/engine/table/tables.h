// The table engine: tables by account, region and name, and the items in them.
//
// Always true: an item's writes run one at a time on the shard that owns its partition key; an item, its index
// entries, its expiry entry and its table's counters change in one batch; an operation returns when its batch is
// committed. Reads go to the key-value store from any shard.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/attribute_value.h"
#include "base/published.h"
#include "base/result.h"
#include "base/task.h"
#include "engine/store/kv.h"
#include "engine/store/shard.h"
#include "engine/table/apply_update.h"
#include "engine/table/definition.h"
#include "engine/table/expression.h"

namespace reef::table {

enum class Refusal {
  kTableExists,
  kNoSuchTable,
  kTableProtected,
  kConditionFailed,      // `item` is what was there
  kInvalid,              // `detail` is a whole message
  kItemTooLarge,
  kConflict,             // the item takes part in a transaction that is going on
};

struct Refused {
  Refusal why;
  std::string detail;
  std::optional<AttributeMap> item;
};

// One write of one item. What the pointers point to must outlive the call.
struct Write {
  enum class Kind { kPut, kUpdate, kDelete, kCheck };
  Kind kind = Kind::kPut;
  TablePtr table;
  const AttributeMap* item = nullptr;  // checked and with canonical key attributes: the item (kPut) or its key
  const Condition* condition = nullptr;
  const Update* update = nullptr;                           // kUpdate: this,
  const std::vector<AttributeChange>* changes = nullptr;    // or this, or neither
  bool wants_before = false;  // even where nothing else needs the old item
};

struct Written {
  std::optional<AttributeMap> before;  // when asked for or needed, and there was one
  std::optional<AttributeMap> after;   // kUpdate
  std::size_t before_bytes = 0, after_bytes = 0;
  // Entry sizes that a write to an index costs, by index number: several when an entry moved.
  std::vector<std::pair<std::uint16_t, std::size_t>> index_bytes;
};

// Told of every change, on the shard that makes it, before it is written: it may add to the batch.
struct Change {
  const TableDefinition& table;
  const AttributeMap* before;
  const AttributeMap* after;
  bool is_expiry = false;
};
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  virtual bool wants(const TableDefinition& table) const = 0;  // any thread
  virtual void on_change(const Change& change, store::KvBatch& batch) = 0;
};

// A run of keys to read: a partition or part of it, or a whole table or index, or a segment of one.
struct Read {
  TablePtr table;
  const IndexDefinition* index = nullptr;  // nullptr: the table itself
  std::string from, to;                    // keys, `to` exclusive
  bool forward = true;
  std::uint64_t limit = 0;                 // items to look at; 0: no limit but the page's size
  const Condition* filter = nullptr;
  const Projection* projection = nullptr;
  bool count_only = false;
  bool fetch_whole = false;                // items from the table instead of what the index keeps
};

struct Page {
  std::vector<AttributeMap> items;
  std::uint64_t count = 0, scanned = 0;
  std::optional<AttributeMap> last_key;    // set when there may be more
  std::size_t bytes = 0, table_bytes = 0;  // sizes of the entries read; of the items fetched for fetch_whole
};

struct TableCounters {
  std::int64_t items = 0, bytes = 0;
};

constexpr std::size_t kItemBytesMax = 400 * 1024;
constexpr std::size_t kPageBytesMax = 1024 * 1024;

class Tables {
 public:
  explicit Tables(store::Kv& kv);
  ~Tables();

  // On the control shard, after the store was recovered.
  void start();
  void stop();
  void reset();  // on the control shard, when the stores were wiped: forgets everything
  void set_feed(ChangeFeed* feed) { feed_ = feed; }  // before start()

  // Any thread. The definition as last published.
  TablePtr find(std::string_view account, std::string_view region, std::string_view name) const;
  // Names greater than `after`, in order, at most `limit`.
  std::vector<std::string> list(std::string_view account, std::string_view region, std::string_view after,
                                std::size_t limit) const;
  std::size_t count(std::string_view account, std::string_view region) const;
  TableCounters counters(const TableDefinition& table) const;

  // `definition` without id, and with indexes without numbers.
  Task<Result<TablePtr, Refused>> create(TableDefinition definition);
  // `edit` changes a copy of the definition on the control shard and returns a message when it must not be changed.
  // Indexes that it adds are filled in the background; those it drops are erased.
  Task<Result<TablePtr, Refused>> change(std::string account, std::string region, std::string name,
                                         std::function<std::string(TableDefinition&)> edit);
  Task<Result<TablePtr, Refused>> remove(std::string account, std::string region, std::string name);

  // The stored item, or nothing. `key` holds the table's key attributes.
  std::optional<AttributeMap> get(const TableDefinition& table, const AttributeMap& key) const;
  // The same for several items, as they were at one moment.
  std::vector<std::optional<AttributeMap>> get_all(const std::vector<std::pair<TablePtr, const AttributeMap*>>& keys) const;
  Task<Result<Written, Refused>> write(Write write);
  // All or nothing. On failure one entry for each write, nothing where that one was fine.
  struct Cancelled {
    std::vector<std::optional<Refused>> reasons;
    bool token_reused = false;
  };
  // Makes a repeated request do nothing (and return nothing) for ten minutes; the same token with another digest is
  // refused.
  struct Token {
    std::string token, digest;
  };
  Task<Result<std::vector<Written>, Cancelled>> transact(std::vector<Write> writes, std::optional<Token> token = {});
  Page read(const Read& read) const;

 private:
  struct PerShard;
  struct Snapshot;

  // catalogue.cc
  void publish();
  std::shared_ptr<const Snapshot> snapshot() const;
  void resume_work();
  Task<void> erase_spaces(std::vector<std::string> spaces);
  void expiry_found(const TableDefinition& table, std::uint64_t number);
  Task<void> backfill(TablePtr table, std::uint16_t index_number);
  Task<void> backfill_expiry(TablePtr table, std::uint64_t number);

  // write.cc: on the shard that owns the item, or with the item locked by a transaction.
  Result<Written, Refused> plan(const Write& write, const std::string& key, bool is_expiry, store::KvBatch& batch);
  void change_indexes(const TableDefinition& table, const AttributeMap* before, const AttributeMap* after,
                      store::KvBatch& batch, Written& out);
  void count(const TableDefinition& table, std::int64_t items, std::int64_t bytes, store::KvBatch& batch);
  PerShard& mine() const;

  // expiry.cc
  void change_expiry(const TableDefinition& table, const std::string& key, const AttributeMap* before,
                     const AttributeMap* after, store::KvBatch& batch);
  void arm_expiry(std::int64_t seconds);
  Task<void> sweep();
  Task<void> expire(std::string entry, std::int64_t seconds);

  store::Kv& kv_;
  ChangeFeed* feed_ = nullptr;
  std::vector<std::unique_ptr<PerShard>> per_shard_;
  std::map<std::string, TablePtr, std::less<>> definitions_;  // control shard only; by "account/region/name"
  std::atomic<std::uint64_t> version_{0};
  Published<Snapshot> snapshot_;
  std::atomic<std::int64_t> next_expiry_;   // seconds; the earliest that a timer is set for
  io::Reactor::TimerId expiry_timer_ = 0;   // control shard only
  bool sweeping_ = false, sweep_again_ = false, stopping_ = false;
};

}  // namespace reef::table
