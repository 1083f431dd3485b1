// Kv over RocksDB. Writes go to its memtable and its log's buffer; commit() pushes the buffer to the kernel (and,
// for power-loss durability, to the disk) once a tick, for every shard that wrote since.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "base/check.h"
#include "base/log.h"
#include "engine/store/kv.h"

namespace reef::store {
namespace {

constexpr std::size_t kMemtableBytes = 8u << 20;
constexpr std::size_t kBlockCacheBytes = 48u << 20;
constexpr int kOpenFilesMax = 256;

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

// The disk is full or broken: nothing may be acknowledged any more, so the process ends and says why.
void require(const rocksdb::Status& status, const char* what) {
  if (status.ok()) return;
  log::write(log::Level::kError, "key-value store failed; stopping", {{"doing", what}, {"error", status.ToString()}});
  std::abort();
}

// What RocksDB has to say goes to our log. Its own log file is no good when the disk is full: it ends the process on an
// assertion before the reason is told.
class KvLogger final : public rocksdb::Logger {
 public:
  KvLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < GetInfoLogLevel() || level == rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    Logv(format, arguments);
  }
  void Logv(const char* format, va_list arguments) override {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    log::write(log::Level::kWarn, "key-value store", {{"message", std::string_view(text)}});
  }
};

rocksdb::Options make_options() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.block_size = 8 << 10;
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;

  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kMemtableBytes;
  options.max_write_buffer_number = 4;
  options.max_open_files = kOpenFilesMax;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.manual_wal_flush = true;
  options.max_total_wal_size = 64u << 20;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.info_log = std::make_shared<KvLogger>();
  options.recycle_log_file_num = 0;
  return options;
}

class RocksdbCursor final : public KvCursor {
 public:
  explicit RocksdbCursor(rocksdb::Iterator* iterator) : iterator_(iterator) {}
  void seek(std::string_view key) override { iterator_->Seek(slice(key)), check(); }
  void seek_for_prev(std::string_view key) override { iterator_->SeekForPrev(slice(key)), check(); }
  void next() override { iterator_->Next(), check(); }
  void prev() override { iterator_->Prev(), check(); }
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }

 private:
  void check() const {
    if (!iterator_->Valid()) require(iterator_->status(), "reading");
  }
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksdbKv final : public Kv, public Committer {
 public:
  RocksdbKv(std::string folder, Durability durability) : folder_(std::move(folder)), durability_(durability) {}
  ~RocksdbKv() override { close(); }

  std::optional<std::string> get(std::string_view key) override {
    std::string value;
    const rocksdb::Status status = db().Get(rocksdb::ReadOptions(), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    require(status, "reading");
    return value;
  }

  void write(const KvBatch& batch) override {
    if (batch.empty()) return;
    rocksdb::WriteBatch changes;
    for (const auto& [key, value] : batch.changes())
      require(value ? changes.Put(slice(key), slice(*value)) : changes.Delete(slice(key)), "batching");
    write(changes);
  }

  void erase_range(std::string_view from, std::string_view to) override {
    rocksdb::WriteBatch changes;
    require(changes.DeleteRange(slice(from), slice(to)), "batching");
    write(changes);
  }

  std::unique_ptr<KvCursor> cursor() override {
    return std::make_unique<RocksdbCursor>(db().NewIterator(rocksdb::ReadOptions()));
  }

  bool opened() const override { return db_.load(std::memory_order_acquire) != nullptr; }

  void close() override {
    rocksdb::DB* db = db_.exchange(nullptr);
    if (!db) return;
    require(db->FlushWAL(durability_ == Durability::kPower), "closing");
    require(db->Close(), "closing");
    delete db;
  }

  // Called by every shard that wrote; one flush covers what all of them wrote before it.
  void commit() override {
    const std::uint64_t wanted = written_.load(std::memory_order_acquire);
    if (flushed_.load(std::memory_order_acquire) >= wanted) return;
    require(db().FlushWAL(durability_ == Durability::kPower), "committing");
    std::uint64_t before = flushed_.load();
    while (before < wanted && !flushed_.compare_exchange_weak(before, wanted)) {
    }
  }

 private:
  void write(rocksdb::WriteBatch& changes) {
    require(db().Write(rocksdb::WriteOptions(), &changes), "writing");
    written_.fetch_add(1, std::memory_order_acq_rel);
    if (Shard* shard = Shard::current_or_null())
      shard->dirty(*this);
    else
      commit();
  }

  rocksdb::DB& db() {
    if (rocksdb::DB* db = db_.load(std::memory_order_acquire)) [[likely]]
      return *db;
    std::call_once(opening_, [this] {
      rocksdb::DB* db = nullptr;
      rocksdb::Env::Default()->CreateDirIfMissing(folder_);
      require(rocksdb::DB::Open(make_options(), folder_, &db), "opening");
      db_.store(db, std::memory_order_release);
    });
    rocksdb::DB* db = db_.load(std::memory_order_acquire);
    CHECK(db != nullptr);  // used after close()
    return *db;
  }

  const std::string folder_;
  const Durability durability_;
  std::once_flag opening_;
  std::atomic<rocksdb::DB*> db_{nullptr};
  std::atomic<std::uint64_t> written_{0}, flushed_{0};
};

}  // namespace

std::unique_ptr<Kv> make_rocksdb_kv(std::string folder, Durability durability) {
  return std::make_unique<RocksdbKv>(std::move(folder), durability);
}

}  // namespace reef::store
