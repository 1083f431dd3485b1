// An ordered key-value store on disk, for data that outgrows memory: table items, object listings, log events.
// Embedded RocksDB by default, opened at first use. Thread-safe. Keys sort as unsigned bytes.
//
// A write is visible to reads at once and durable after `co_await shard.committed()` on the shard that wrote it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/store/shard.h"

namespace reef::store {

// Walks keys in order over a consistent view. Not thread-safe; keep it short-lived.
class KvCursor {
 public:
  virtual ~KvCursor() = default;
  virtual void seek(std::string_view key) = 0;           // first key >= `key`
  virtual void seek_for_prev(std::string_view key) = 0;  // last key <= `key`
  virtual void next() = 0;
  virtual void prev() = 0;
  virtual bool valid() const = 0;
  // Valid until the cursor moves.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
};

class KvBatch {
 public:
  void put(std::string_view key, std::string_view value) { puts_.emplace_back(key, value); }
  void erase(std::string_view key) { puts_.emplace_back(key, std::nullopt); }
  bool empty() const { return puts_.empty(); }
  const std::vector<std::pair<std::string, std::optional<std::string>>>& changes() const { return puts_; }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> puts_;
};

class Kv {
 public:
  virtual ~Kv() = default;
  virtual std::optional<std::string> get(std::string_view key) = 0;
  // All changes of the batch become visible and durable together. Call on a shard's thread; marks the shard dirty.
  virtual void write(const KvBatch& batch) = 0;
  void put(std::string_view key, std::string_view value) {
    KvBatch batch;
    batch.put(key, value);
    write(batch);
  }
  void erase(std::string_view key) {
    KvBatch batch;
    batch.erase(key);
    write(batch);
  }
  // Removes every key in [from, to) without reading them.
  virtual void erase_range(std::string_view from, std::string_view to) = 0;
  virtual std::unique_ptr<KvCursor> cursor() = 0;
  virtual bool opened() const = 0;
  virtual void close() = 0;
};

// Keeps its files under `folder`. A failed write aborts the process loudly (disk full included).
std::unique_ptr<Kv> make_rocksdb_kv(std::string folder, Durability durability);

// An in-memory one for tests; ignores durability.
std::unique_ptr<Kv> make_memory_kv();

}  // namespace reef::store
