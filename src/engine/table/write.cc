// Tables: single writes and transactions.
#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/table/evaluate.h"
#include "engine/table/item.h"
#include "engine/table/tables_state.h"

namespace reef::table {
namespace {

// What is wrong with the index key attributes of an item, or "".
std::string check_index_keys(const TableDefinition& table, const AttributeMap& item, bool is_update) {
  for (const IndexDefinition& index : table.indexes) {
    const KeyAttribute* attributes[] = {&index.keys.hash, index.keys.range ? &*index.keys.range : nullptr};
    for (const KeyAttribute* attribute : attributes) {
      const auto found = attribute ? item.find(attribute->name) : item.end();
      if (found == item.end()) continue;
      const AttributeValue& value = found->second;
      if (!value.is(attribute->kind)) {
        if (is_update) return "The update expression attempted to update the secondary index key to unsupported type";
        return fmt::format("One or more parameter values were invalid: Type mismatch for Index Key {} Expected: {} "
                           "Actual: {} IndexName: {}",
                           attribute->name, attribute_kind_name(attribute->kind), value.kind_name(), index.name);
      }
      if (!value.is(AttributeKind::kNumber) && value.text().empty())
        return fmt::format("One or more parameter values are not valid. {} specified for a secondary index key is not "
                           "supported. The AttributeValue for a key attribute cannot contain an empty {} value. "
                           "IndexName: {}, IndexKey: {}",
                           is_update ? "The update expression attempted to update a secondary index key to a value that"
                                     : "A value",
                           value.is(AttributeKind::kString) ? "string" : "binary", index.name, attribute->name);
      const std::size_t limit = attribute == &index.keys.hash ? 2048 : 1024;
      if (!value.is(AttributeKind::kNumber) && value.text().size() > limit)
        return limit == 2048
                   ? "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
                   : "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size "
                     "limit of 1024 bytes";
    }
  }
  return {};
}

constexpr std::int64_t kTokenSeconds = 600;

std::string token_key(std::string_view token) { return std::string("I").append(token); }

}  // namespace

Tables::PerShard& Tables::mine() const { return *per_shard_[store::Shard::current().index()]; }

// Each shard counts what it wrote; the table's counters are the sum.
void Tables::count(const TableDefinition& table, std::int64_t items, std::int64_t bytes, store::KvBatch& batch) {
  if (items == 0 && bytes == 0) return;
  std::string key = counter_prefix(table.id);
  append_big_endian(key, store::Shard::current().index(), 2);
  auto& counters = mine().counters;
  auto found = counters.find(table.id);
  if (found == counters.end()) {
    TableCounters stored;
    if (const auto value = kv_.get(key)) {
      ByteReader in(*value);
      stored.items = in.fixed<std::int64_t>();
      stored.bytes = in.fixed<std::int64_t>();
    }
    found = counters.emplace(table.id, stored).first;
  }
  found->second.items += items;
  found->second.bytes += bytes;
  std::string value;
  ByteWriter out(value);
  out.fixed(found->second.items);
  out.fixed(found->second.bytes);
  batch.put(key, value);
}

void Tables::change_indexes(const TableDefinition& table, const AttributeMap* before, const AttributeMap* after,
                            store::KvBatch& batch, Written& out) {
  for (const IndexDefinition& index : table.indexes) {
    const auto key_of = [&](const AttributeMap* item) {
      return item ? index_key(table.id, index.number, index.keys, table.keys, *item) : std::nullopt;
    };
    const auto old_key = key_of(before), new_key = key_of(after);
    const auto entry = [&](const AttributeMap& item) { return item_bytes(index_entry(table, index, item)); };
    const std::string old_entry = old_key ? entry(*before) : "", new_entry = new_key ? entry(*after) : "";
    if (old_key == new_key && old_entry == new_entry) continue;
    if (old_key && old_key != new_key) {
      batch.erase(*old_key);
      out.index_bytes.emplace_back(index.number, stored_item_size(old_entry));
    }
    if (!new_key) continue;
    batch.put(*new_key, new_entry);
    out.index_bytes.emplace_back(index.number, std::max(stored_item_size(new_entry),
                                                        old_key == new_key ? stored_item_size(old_entry) : 0));
  }
}

Result<Written, Refused> Tables::plan(const Write& write, const std::string& key, bool is_expiry, store::KvBatch& batch) {
  // As it is now: an index that was added since the caller looked is being filled, and needs this item too.
  const auto current = snapshot();
  const auto found = current->by_id.find(write.table->id);
  const TableDefinition& table = found == current->by_id.end() ? *write.table : *found->second;
  const bool feeds = feed_ && feed_->wants(table);
  const bool needs_before = write.kind == Write::Kind::kUpdate || write.condition || write.wants_before || feeds ||
                            !table.indexes.empty() || !table.expiry_attribute.empty();
  Written out;
  const auto stored = kv_.get(key);
  if (stored) {
    out.before_bytes = stored_item_size(*stored);
    if (needs_before) {
      out.before = read_item(*stored);
      CHECK(out.before.has_value());
    }
  }
  static const AttributeMap kNothing;
  const AttributeMap* before = out.before ? &*out.before : nullptr;
  if (write.condition && !matches(*write.condition, before ? *before : kNothing))
    return Err(Refused{Refusal::kConditionFailed, {}, std::move(out.before)});
  if (write.kind == Write::Kind::kCheck) return out;

  const AttributeMap* after = nullptr;
  if (write.kind == Write::Kind::kPut) {
    after = write.item;
  } else if (write.kind == Write::Kind::kUpdate) {
    out.after = before ? *before : *write.item;
    const std::string fault = write.update    ? apply_update(*write.update, *out.after)
                              : write.changes ? apply_changes(*write.changes, *out.after)
                                              : std::string();
    if (!fault.empty()) return Err(Refused{Refusal::kInvalid, fault});
    after = &*out.after;
  }
  if (after) {
    const bool is_update = write.kind == Write::Kind::kUpdate;
    if (std::string fault = check_index_keys(table, *after, is_update); !fault.empty())
      return Err(Refused{Refusal::kInvalid, std::move(fault)});
    std::string bytes = item_bytes(*after);
    out.after_bytes = stored_item_size(bytes);
    if (out.after_bytes > kItemBytesMax) return Err(Refused{Refusal::kItemTooLarge});
    batch.put(key, bytes);
  } else if (stored) {
    batch.erase(key);
  } else {
    return out;  // nothing there, nothing to do
  }
  change_indexes(table, before, after, batch, out);
  if (!table.expiry_attribute.empty()) change_expiry(table, key, before, after, batch);
  if (feeds) feed_->on_change({table, before, after, is_expiry}, batch);
  count(table, (after ? 1 : 0) - (stored ? 1 : 0),
        static_cast<std::int64_t>(out.after_bytes) - static_cast<std::int64_t>(out.before_bytes), batch);
  return out;
}

Task<Result<Written, Refused>> Tables::write(Write write) {
  store::Shard& home = store::Shard::current();
  const std::string key = item_key(write.table->id, write.table->keys, *write.item);
  store::Shard& owner =
      store::Shard::owner_of(partition_key(write.table->id, write.item->find(write.table->keys.hash.name)->second));
  co_await owner.enter();
  Result<Written, Refused> result = Err(Refused{Refusal::kConflict});
  if (const auto& locked = mine().locked; locked.empty() || !locked.contains(key)) {
    store::KvBatch batch;
    result = plan(write, key, false, batch);
    if (!batch.empty() && result) kv_.write(batch);
    co_await owner.committed();
  }
  co_await home.enter();
  co_return result;
}

// Locks every item on its owner, decides from what is there, writes one batch, unlocks.
Task<Result<std::vector<Written>, Tables::Cancelled>> Tables::transact(std::vector<Write> writes,
                                                                                 std::optional<Token> token) {
  store::Shard& home = store::Shard::current();
  const std::int64_t now = to_seconds(home.now());
  if (token)
    if (const auto stored = kv_.get(token_key(token->token))) {
      ByteReader in(*stored);
      const auto ends = in.fixed<std::int64_t>();
      if (ends > now && in.bytes() != token->digest) co_return Err(Cancelled{.token_reused = true});
      if (ends > now) co_return std::vector<Written>();
    }
  struct Lock {
    store::Shard* owner;
    std::string key;
    std::size_t write;
  };
  std::vector<Lock> locks;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const TableDefinition& table = *writes[i].table;
    locks.push_back({&store::Shard::owner_of(partition_key(table.id, writes[i].item->find(table.keys.hash.name)->second)),
                     item_key(table.id, table.keys, *writes[i].item), i});
  }
  Cancelled cancelled;
  cancelled.reasons.resize(writes.size());
  bool failed = false;
  std::size_t taken = 0;
  for (; taken < locks.size() && !failed; ++taken) {
    co_await locks[taken].owner->enter();
    if (!mine().locked.insert(locks[taken].key).second) {
      cancelled.reasons[locks[taken].write] = Refused{Refusal::kConflict};
      failed = true;
      break;
    }
  }
  co_await home.enter();
  std::vector<Written> done(writes.size());
  if (!failed) {
    store::KvBatch batch;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      auto planned = plan(writes[i], locks[i].key, false, batch);
      if (planned)
        done[i] = *std::move(planned);
      else
        cancelled.reasons[i] = std::move(planned).error(), failed = true;
    }
    if (token && !failed) {
      std::string value;
      ByteWriter out(value);
      out.fixed(now + kTokenSeconds);
      out.bytes(token->digest);
      batch.put(token_key(token->token), value);
      batch.put(expiry_key(now + kTokenSeconds, token_key(token->token)), "");
      arm_expiry(now + kTokenSeconds);
    }
    if (failed) {
      mine().counters.clear();  // plan() counted writes that do not happen; what is stored is right
    } else if (!batch.empty()) {
      kv_.write(batch);
      co_await home.committed();
    }
  }
  for (std::size_t i = 0; i < taken; ++i) {
    co_await locks[i].owner->enter();
    mine().locked.erase(locks[i].key);
  }
  co_await home.enter();
  if (failed) co_return Err(std::move(cancelled));
  co_return done;
}

}  // namespace reef::table
