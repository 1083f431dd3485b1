// Tables: definitions in the control shard's records, published to every thread as a snapshot.
#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/encoding.h"
#include "base/log.h"
#include "engine/store/records.h"
#include "engine/table/item.h"
#include "engine/table/tables_state.h"

namespace reef::table {
namespace {

constexpr std::string_view kRecordPrefix = "dynamodb/table/";
constexpr std::string_view kSequenceRecord = "dynamodb/sequence";
// Work that a change of a table leaves to be done in the key-value store, kept until it is done: spaces to erase, and
// by table the number of the search for items that expire.
constexpr std::string_view kErasePrefix = "dynamodb/erase/";
constexpr std::string_view kExpiryPrefix = "dynamodb/expiry/";
constexpr std::size_t kBackfillKeys = 200;  // looked at between two turns of the loop

std::string record_key(std::string_view catalogue_key) { return std::string(kRecordPrefix).append(catalogue_key); }

// Of all items and index entries of a table.
std::string table_prefix(std::uint64_t table) {
  std::string prefix = "T";
  append_big_endian(prefix, table, 8);
  return prefix;
}

std::string sequence_bytes(std::uint64_t number) {
  std::string bytes;
  ByteWriter(bytes).fixed(number);
  return bytes;
}

std::uint64_t next_id(store::Records& records) {
  std::uint64_t last = 0;
  if (const std::string* stored = records.find(kSequenceRecord)) last = ByteReader(*stored).fixed<std::uint64_t>();
  records.put(kSequenceRecord, sequence_bytes(last + 1));
  return last + 1;
}

std::string erase_record(const std::string& space) { return std::string(kErasePrefix).append(hex_encode(space)); }

void number_indexes(TableDefinition& table) {
  for (IndexDefinition& index : table.indexes)
    if (index.number == 0) index.number = table.next_index_number++;
}

}  // namespace

Tables::Tables(store::Kv& kv) : kv_(kv), next_expiry_(kNever) {}
Tables::~Tables() = default;

void Tables::start() {
  for (std::size_t i = 0; i < store::Shard::count(); ++i) per_shard_.push_back(std::make_unique<PerShard>());
  store::Shard::control().records().scan(kRecordPrefix, [&](std::string_view key, const std::string& bytes) {
    auto table = read_definition(bytes);
    CHECK(table.has_value());
    definitions_.emplace(key.substr(kRecordPrefix.size()), std::make_shared<TableDefinition>(*std::move(table)));
    return true;
  });
  publish();
  bool expires = false;
  for (const auto& [key, table] : definitions_) {
    expires = expires || !table->expiry_attribute.empty();
    for (const IndexDefinition& index : table->indexes)
      if (index.is_backfilling) backfill(table, index.number).detach();
  }
  if (expires || kv_.opened()) arm_expiry(0);
  resume_work();
}

// What a change left to be done when the process ended.
void Tables::resume_work() {
  store::Records& records = store::Shard::control().records();
  std::vector<std::string> spaces;
  records.scan(kErasePrefix, [&](std::string_view key, const std::string&) {
    spaces.push_back(hex_decode(key.substr(kErasePrefix.size())).value_or(""));
    return true;
  });
  // The change itself may not have been stored.
  for (const auto& [key, table] : definitions_) {
    std::vector<std::string> used = {table_prefix(table->id), counter_prefix(table->id)};
    for (const IndexDefinition& index : table->indexes) used.push_back(space_prefix(table->id, index.number));
    for (const std::string& space : used)
      if (std::erase(spaces, space)) records.erase(erase_record(space));
  }
  if (!spaces.empty()) erase_spaces(std::move(spaces)).detach();
  std::vector<std::pair<std::string, std::uint64_t>> searches;
  records.scan(kExpiryPrefix, [&](std::string_view key, const std::string& number) {
    searches.emplace_back(key.substr(kExpiryPrefix.size()), ByteReader(number).fixed<std::uint64_t>());
    return true;
  });
  for (const auto& [key, number] : searches) {
    if (const auto table = definitions_.find(key); table != definitions_.end()) backfill_expiry(table->second, number).detach();
    else records.erase(std::string(kExpiryPrefix).append(key));
  }
}

void Tables::expiry_found(const TableDefinition& table, std::uint64_t number) {
  store::Records& records = store::Shard::control().records();
  const std::string key = std::string(kExpiryPrefix).append(catalogue_key(table.account, table.region, table.name));
  if (const std::string* stored = records.find(key); stored && *stored == sequence_bytes(number)) records.erase(key);
}

void Tables::stop() {
  stopping_ = true;
  if (expiry_timer_) store::Shard::control().reactor().cancel(std::exchange(expiry_timer_, 0));
}

void Tables::reset() {
  definitions_.clear();
  publish();
  next_expiry_ = kNever;
  if (expiry_timer_) store::Shard::control().reactor().cancel(std::exchange(expiry_timer_, 0));
  for (std::size_t i = 0; i < per_shard_.size(); ++i)
    store::Shard::at(i).reactor().post([this, i] { per_shard_[i]->counters.clear(); });
}

void Tables::publish() {
  auto next = std::make_shared<Snapshot>();
  for (const auto& [key, table] : definitions_) {
    next->by_name.emplace(key, table);
    next->by_id.emplace(table->id, table);
  }
  next->in_order = definitions_;
  snapshot_.store(std::move(next));
  // Never the version of other Tables, which may have lived at this address.
  static std::atomic<std::uint64_t> last_version{0};
  version_.store(last_version.fetch_add(1) + 1, std::memory_order_release);
}

// Each thread keeps the last snapshot it saw, so that the usual look-up shares nothing but a counter.
std::shared_ptr<const Tables::Snapshot> Tables::snapshot() const {
  struct Seen {
    const Tables* tables = nullptr;
    std::uint64_t version = 0;
    std::shared_ptr<const Snapshot> snapshot;
  };
  thread_local Seen seen;
  const std::uint64_t version = version_.load(std::memory_order_acquire);
  if (seen.tables != this || seen.version != version || !seen.snapshot) seen = {this, version, snapshot_.load()};
  return seen.snapshot;
}

TablePtr Tables::find(std::string_view account, std::string_view region, std::string_view name) const {
  const auto current = snapshot();
  const auto found = current->by_name.find(catalogue_key(account, region, name));
  return found == current->by_name.end() ? nullptr : found->second;
}

std::vector<std::string> Tables::list(std::string_view account, std::string_view region, std::string_view after,
                                      std::size_t limit) const {
  const auto current = snapshot();
  std::vector<std::string> names;
  const std::string prefix = catalogue_key(account, region, "");
  for (auto at = current->in_order.upper_bound(prefix + std::string(after));
       at != current->in_order.end() && at->first.starts_with(prefix) && names.size() < limit; ++at)
    names.push_back(at->second->name);
  return names;
}

std::size_t Tables::count(std::string_view account, std::string_view region) const {
  return list(account, region, {}, SIZE_MAX).size();
}

TableCounters Tables::counters(const TableDefinition& table) const {
  TableCounters total;
  const std::string prefix = counter_prefix(table.id);
  const auto cursor = kv_.cursor();
  for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    ByteReader in(cursor->value());
    total.items += in.fixed<std::int64_t>();
    total.bytes += in.fixed<std::int64_t>();
  }
  return total;
}

Task<Result<TablePtr, Refused>> Tables::create(TableDefinition definition) {
  store::Shard& home = store::Shard::current();
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  const std::string key = catalogue_key(definition.account, definition.region, definition.name);
  Result<TablePtr, Refused> result = Err(Refused{Refusal::kTableExists});
  if (!definitions_.contains(key)) {
    definition.id = next_id(control.records());
    number_indexes(definition);
    control.records().put(record_key(key), definition_bytes(definition));
    result = definitions_[key] = std::make_shared<TableDefinition>(std::move(definition));
    co_await control.committed();
    publish();
  }
  co_await home.enter();
  co_return result;
}

Task<Result<TablePtr, Refused>> Tables::change(std::string account, std::string region, std::string name,
                                               std::function<std::string(TableDefinition&)> edit) {
  store::Shard& home = store::Shard::current();
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  const std::string key = catalogue_key(account, region, name);
  const auto found = definitions_.find(key);
  Result<TablePtr, Refused> result = Err(Refused{Refusal::kNoSuchTable});
  if (found != definitions_.end()) {
    const TablePtr old = found->second;
    auto next = std::make_shared<TableDefinition>(*old);
    if (std::string fault = edit(*next); !fault.empty()) {
      result = Err(Refused{Refusal::kInvalid, std::move(fault)});
    } else {
      const std::uint16_t first_new = old->next_index_number;
      number_indexes(*next);
      for (IndexDefinition& index : next->indexes)
        if (index.number >= first_new) index.is_backfilling = true;
      // What is left to do comes first: of several records, a crash may keep the first alone.
      std::vector<std::string> dropped;
      for (const IndexDefinition& index : old->indexes)
        if (!next->find_index(index.name)) dropped.push_back(space_prefix(old->id, index.number));
      for (const std::string& space : dropped) control.records().put(erase_record(space), "");
      std::uint64_t search = 0;
      if (next->expiry_attribute != old->expiry_attribute && !next->expiry_attribute.empty()) {
        search = next_id(control.records());
        control.records().put(std::string(kExpiryPrefix).append(key), sequence_bytes(search));
      }
      control.records().put(record_key(key), definition_bytes(*next));
      result = found->second = next;
      co_await control.committed();
      publish();
      for (const IndexDefinition& index : next->indexes)
        if (index.number >= first_new) backfill(next, index.number).detach();
      if (!dropped.empty()) erase_spaces(std::move(dropped)).detach();
      if (search) backfill_expiry(next, search).detach();
    }
  }
  co_await home.enter();
  co_return result;
}

Task<Result<TablePtr, Refused>> Tables::remove(std::string account, std::string region, std::string name) {
  store::Shard& home = store::Shard::current();
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  const std::string key = catalogue_key(account, region, name);
  const auto found = definitions_.find(key);
  Result<TablePtr, Refused> result = Err(Refused{Refusal::kNoSuchTable});
  if (found != definitions_.end() && found->second->is_deletion_protected) {
    result = Err(Refused{Refusal::kTableProtected});
  } else if (found != definitions_.end()) {
    result = found->second;
    const TablePtr old = found->second;
    definitions_.erase(found);
    std::vector<std::string> spaces = {table_prefix(old->id), counter_prefix(old->id)};
    for (const std::string& space : spaces) control.records().put(erase_record(space), "");
    control.records().erase(record_key(key));
    co_await control.committed();
    publish();
    erase_spaces(std::move(spaces)).detach();
  }
  co_await home.enter();
  co_return result;
}

// On the control shard.
Task<void> Tables::erase_spaces(std::vector<std::string> spaces) {
  store::Shard& control = store::Shard::control();
  for (const std::string& space : spaces) kv_.erase_range(space, after_prefix(space));
  co_await control.committed();
  for (const std::string& space : spaces) control.records().erase(erase_record(space));
}

// Walks the table in small steps. Each item's entry is written on the shard that owns the item, from what is there
// then, so that it cannot undo a newer write: those maintain the index already.
Task<void> Tables::backfill(TablePtr table, std::uint16_t index_number) {
  store::Shard& control = store::Shard::control();
  const std::string prefix = space_prefix(table->id, 0);
  std::string at = prefix;
  bool done = false;
  while (!done && !stopping_) {
    std::vector<std::string> keys;
    {
      const auto cursor = kv_.cursor();
      for (cursor->seek(at); cursor->valid() && cursor->key().starts_with(prefix) && keys.size() < kBackfillKeys;
           cursor->next())
        keys.emplace_back(cursor->key());
    }
    done = keys.size() < kBackfillKeys;
    if (!keys.empty()) at = keys.back() + '\0';
    for (const std::string& key : keys) {
      const auto stored = kv_.get(key);
      const auto item = stored ? read_item(*stored) : std::nullopt;
      if (!item) continue;
      store::Shard& owner = store::Shard::owner_of(partition_key(table->id, item->find(table->keys.hash.name)->second));
      co_await owner.enter();
      // A transaction writes from its own shard: its item waits, so that what is written here is not older.
      while (mine().locked.contains(key) && !stopping_) co_await NextTurn{owner.reactor()};
      const auto current = snapshot();
      const auto still = current->by_id.find(table->id);
      if (const auto again = kv_.get(key); again && still != current->by_id.end()) {
        const auto now = read_item(*again);
        for (const IndexDefinition& index : still->second->indexes) {
          if (index.number != index_number || !now) continue;
          if (const auto entry = index_key(table->id, index.number, index.keys, table->keys, *now))
            kv_.put(*entry, item_bytes(index_entry(*table, index, *now)));
        }
      }
      co_await owner.committed();
      co_await control.enter();
    }
    co_await NextTurn{control.reactor()};
  }
  if (stopping_) co_return;
  // Refused when the table went away meanwhile, which is fine.
  static_cast<void>(co_await change(table->account, table->region, table->name, [&](TableDefinition& definition) {
    if (definition.id != table->id) return std::string("replaced");
    for (IndexDefinition& index : definition.indexes)
      if (index.number == index_number) index.is_backfilling = false;
    return std::string();
  }));
}

}  // namespace reef::table
