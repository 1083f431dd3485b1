// Tables: items that end at a time they carry. Entries 'X' + seconds + item key lie in time order in the key-value
// store; one timer of the control shard waits for the first of them, on the user's clock.
#include "base/check.h"
#include "engine/table/decimal.h"
#include "engine/table/item.h"
#include "engine/table/tables_state.h"

namespace reef::table {
namespace {

// AWS leaves items alone whose time passed more than five years ago.
constexpr std::int64_t kOldestSeconds = 5 * 365 * 86400LL;
constexpr std::size_t kSweepMax = 500;  // items in one go
constexpr std::size_t kSecondsAt = 1, kItemKeyAt = 9;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::optional<std::int64_t> expiry_of(const TableDefinition& table, const AttributeMap& item) {
  const auto found = item.find(table.expiry_attribute);
  if (found == item.end() || !found->second.is(AttributeKind::kNumber)) return std::nullopt;
  std::string_view text = found->second.text();
  text = text.substr(0, text.find('.'));
  const auto seconds = parse_int(text);
  if (!seconds || *seconds <= 0) return std::nullopt;
  return seconds;
}

std::string expiry_key(std::int64_t seconds, std::string_view item_key) {
  std::string key = "X";
  append_big_endian(key, static_cast<std::uint64_t>(seconds), 8);
  return key.append(item_key);
}

void Tables::change_expiry(const TableDefinition& table, const std::string& key, const AttributeMap* before,
                           const AttributeMap* after, store::KvBatch& batch) {
  const auto old_seconds = before ? expiry_of(table, *before) : std::nullopt;
  const auto new_seconds = after ? expiry_of(table, *after) : std::nullopt;
  if (old_seconds == new_seconds) return;
  if (old_seconds) batch.erase(expiry_key(*old_seconds, key));
  if (!new_seconds) return;
  batch.put(expiry_key(*new_seconds, key), "");
  arm_expiry(*new_seconds);
}

// Any thread.
void Tables::arm_expiry(std::int64_t seconds) {
  std::int64_t armed = next_expiry_.load();
  while (seconds < armed)
    if (next_expiry_.compare_exchange_weak(armed, seconds)) {
      store::Shard& control = store::Shard::control();
      control.reactor().post([this, seconds, &control] {
        if (stopping_) return;
        if (expiry_timer_) control.reactor().cancel(expiry_timer_);
        // Another shard may have set an earlier one and come here first.
        // One second late: an item lives through the whole second that it names.
        expiry_timer_ = control.reactor().at(from_seconds(std::min(seconds, next_expiry_.load()) + 1), [this] {
          expiry_timer_ = 0;
          sweep().detach();
        });
      });
      return;
    }
}

Task<void> Tables::sweep() {
  if (sweeping_) {
    sweep_again_ = true;
    co_return;
  }
  sweeping_ = true;
  store::Shard& control = store::Shard::control();
  std::int64_t next = kNever;
  for (bool more = true; more && !stopping_;) {
    next_expiry_ = kNever;
    const std::int64_t now = to_seconds(control.now());
    std::vector<std::string> due;
    next = kNever;
    {
      const auto cursor = kv_.cursor();
      for (cursor->seek("X"); cursor->valid() && cursor->key().starts_with('X'); cursor->next()) {
        if (const std::int64_t seconds = big_endian(cursor->key().substr(kSecondsAt)); seconds >= now || due.size() == kSweepMax) {
          next = seconds;
          break;
        }
        due.emplace_back(cursor->key());
      }
    }
    for (std::string& entry : due) {
      const std::int64_t seconds = big_endian(std::string_view(entry).substr(kSecondsAt));
      co_await expire(std::move(entry), seconds);
    }
    more = std::exchange(sweep_again_, false) || due.size() == kSweepMax;
  }
  sweeping_ = false;
  if (next != kNever) arm_expiry(next);
}

// Deletes the item if it still ends at that time, on the shard that owns it.
Task<void> Tables::expire(std::string entry, std::int64_t seconds) {
  store::Shard& control = store::Shard::control();
  const std::string key = entry.substr(kItemKeyAt);
  if (key.starts_with('I')) {  // a transaction's token
    store::KvBatch batch;
    batch.erase(key);
    batch.erase(entry);
    kv_.write(batch);
    co_await control.committed();
    co_return;
  }
  const auto stored = kv_.get(key);
  const auto item = stored ? read_item(*stored) : std::nullopt;
  TablePtr table;
  const auto current = snapshot();
  if (key.size() > 9)
    if (const auto found = current->by_id.find(static_cast<std::uint64_t>(big_endian(std::string_view(key).substr(1))));
        found != current->by_id.end())
      table = found->second;
  const bool too_old = seconds < to_seconds(control.now()) - kOldestSeconds;
  if (!item || !table || table->expiry_attribute.empty() || too_old) {
    kv_.erase(entry);
    co_await control.committed();
    co_return;
  }
  store::Shard& owner = store::Shard::owner_of(partition_key(table->id, item->find(table->keys.hash.name)->second));
  co_await owner.enter();
  if (mine().locked.contains(key)) {  // in a transaction: a little later
    co_await control.enter();
    arm_expiry(to_seconds(control.now()));
    co_return;
  }
  const auto again = kv_.get(key);
  const auto there = again ? read_item(*again) : std::nullopt;
  store::KvBatch batch;
  if (there && expiry_of(*table, *there) == seconds) {
    Write write{.kind = Write::Kind::kDelete, .table = table, .item = &*there};
    static_cast<void>(plan(write, key, true, batch).has_value());
  }
  batch.erase(entry);
  kv_.write(batch);
  co_await owner.committed();
  co_await control.enter();
}

Task<void> Tables::backfill_expiry(TablePtr table, std::uint64_t number) {
  store::Shard& control = store::Shard::control();
  const std::string prefix = space_prefix(table->id, 0);
  std::string at = prefix;
  std::int64_t earliest = kNever;
  for (bool done = false; !done && !stopping_;) {
    store::KvBatch batch;
    std::size_t seen = 0;
    {
      const auto cursor = kv_.cursor();
      for (cursor->seek(at); cursor->valid() && cursor->key().starts_with(prefix) && seen < kSweepMax; cursor->next(), ++seen) {
        at = std::string(cursor->key()) + '\0';
        const auto item = read_item(cursor->value());
        const auto seconds = item ? expiry_of(*table, *item) : std::nullopt;
        if (!seconds) continue;
        batch.put(expiry_key(*seconds, cursor->key()), "");  // a stale one is found out when it comes due
        earliest = std::min(earliest, *seconds);
      }
    }
    done = seen < kSweepMax;
    kv_.write(batch);
    co_await control.committed();
    co_await NextTurn{control.reactor()};
  }
  if (earliest != kNever) arm_expiry(earliest);
  if (!stopping_) expiry_found(*table, number);
}

}  // namespace reef::table
