// Kv in memory, for tests: a sorted map that is copied when a cursor still looks at the old one.
#include <map>
#include <mutex>

#include "engine/store/kv.h"

namespace reef::store {
namespace {

using Map = std::map<std::string, std::string, std::less<>>;

class MemoryCursor final : public KvCursor {
 public:
  explicit MemoryCursor(std::shared_ptr<const Map> map) : map_(std::move(map)), at_(map_->end()) {}
  void seek(std::string_view key) override { at_ = map_->lower_bound(key); }
  void seek_for_prev(std::string_view key) override {
    at_ = map_->upper_bound(key);
    prev();
  }
  void next() override { ++at_; }
  void prev() override { at_ = at_ == map_->begin() ? map_->end() : std::prev(at_); }
  bool valid() const override { return at_ != map_->end(); }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }

 private:
  std::shared_ptr<const Map> map_;
  Map::const_iterator at_;
};

class MemoryKv final : public Kv {
 public:
  std::optional<std::string> get(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto found = map_->find(key);
    if (found == map_->end()) return std::nullopt;
    return found->second;
  }
  void write(const KvBatch& batch) override {
    const std::lock_guard lock(mutex_);
    own();
    for (const auto& [key, value] : batch.changes()) {
      if (value)
        map_->insert_or_assign(key, *value);
      else
        map_->erase(key);
    }
  }
  void erase_range(std::string_view from, std::string_view to) override {
    const std::lock_guard lock(mutex_);
    own();
    map_->erase(map_->lower_bound(from), map_->lower_bound(to));
  }
  std::unique_ptr<KvCursor> cursor() override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<MemoryCursor>(map_);
  }
  bool opened() const override { return true; }
  void close() override {}

 private:
  void own() {
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
  }
  std::mutex mutex_;
  std::shared_ptr<Map> map_ = std::make_shared<Map>();
};

}  // namespace

std::unique_ptr<Kv> make_memory_kv() { return std::make_unique<MemoryKv>(); }

}  // namespace reef::store
