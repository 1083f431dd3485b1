// A machine that crashes, for the simulations of engines: shards on one thread, a clock that moves when told, journals
// in real files and a key-value store that knows what it has committed. Only for tests.
//
// A crash is taken before a shard's tick commits, or before the key-value store does in it: of what was written and not committed, a prefix of
// the key-value store's batches survives, and of each journal a prefix of its bytes, torn records included. The
// machine goes on until it is restarted, so that nothing is torn down half-way: whatever is acknowledged between the
// crash and the restart may be lost, and nothing that was acknowledged before.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "engine/store/journal.h"
#include "engine/store/kv.h"
#include "engine/store/memory_records.h"
#include "engine/store/shard.h"
#include "io/reactor.h"

namespace reef::store {

// How many seeds a simulation tries: `usual`, or what ATOLL_SIMULATION_SEEDS says; beginning with
// ATOLL_SIMULATION_FIRST, so that one that failed can be tried alone.
struct SimulationSeeds {
  std::uint64_t first = 1, end;
  explicit SimulationSeeds(std::uint64_t usual) {
    const auto number = [](const char* name, std::uint64_t otherwise) {
      const char* text = std::getenv(name);
      return text ? std::strtoull(text, nullptr, 10) : otherwise;
    };
    first = number("ATOLL_SIMULATION_FIRST", 1);
    end = first + number("ATOLL_SIMULATION_SEEDS", usual);
  }
};

// Writes are visible at once and on disk when committed, as in RocksDB's.
class SimulatedKv final : public Kv, public Committer {
 public:
  using Disk = std::map<std::string, std::string, std::less<>>;

  explicit SimulatedKv(Disk disk) : disk_(std::move(disk)) {
    KvBatch all;
    for (const auto& [key, value] : disk_) all.put(key, value);
    live_->write(all);
  }
  std::optional<std::string> get(std::string_view key) override { return live_->get(key); }
  void write(const KvBatch& batch) override {
    if (batch.empty()) return;
    live_->write(batch);
    pending_.push_back([batch](Disk& disk) {
      for (const auto& [key, value] : batch.changes()) {
        if (value) disk.insert_or_assign(key, *value);
        else disk.erase(key);
      }
    });
    Shard::current().dirty(*this);
  }
  void erase_range(std::string_view from, std::string_view to) override {
    live_->erase_range(from, to);
    pending_.push_back([from = std::string(from), to = std::string(to)](Disk& disk) {
      disk.erase(disk.lower_bound(from), disk.lower_bound(to));
    });
    Shard::current().dirty(*this);
  }
  std::unique_ptr<KvCursor> cursor() override { return live_->cursor(); }
  bool opened() const override { return true; }
  void close() override {}
  void commit() override {
    if (before_commit) before_commit();
    for (const auto& change : pending_) change(disk_);
    pending_.clear();
  }
  std::function<void()> before_commit;
  Disk survivors(Random& random) const {
    Disk out = disk_;
    const std::uint64_t kept = random.below(pending_.size() + 1);
    for (std::uint64_t i = 0; i < kept; ++i) pending_[i](out);
    return out;
  }

 private:
  std::unique_ptr<Kv> live_ = make_memory_kv();
  Disk disk_;
  std::vector<std::function<void(Disk&)>> pending_;
};

class SimulatedMachine {
 public:
  // `attach` makes what keeps records of its own in the control shard's journal, before that is recovered.
  SimulatedMachine(std::uint64_t seed, std::size_t shards, std::function<void(SimulatedKv&)> attach = {})
      : random_(seed), attach_(std::move(attach)), journals_(shards) {
    // In memory where there is a place for it: a disk takes its time over files that go again.
    home_ = (::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path()) / ("atoll-simulation-" + make_uuid(thread_random()));
    clock_.freeze();
    clock_.advance(from_seconds(1'800'000'000) - clock_.now());
    boot({});
  }
  ~SimulatedMachine() {
    shut_down();
    std::filesystem::remove_all(home_);
  }
  SimulatedMachine(const SimulatedMachine&) = delete;
  SimulatedMachine& operator=(const SimulatedMachine&) = delete;

  Random& random() { return random_; }
  Time now() const { return clock_.now(); }
  SimulatedKv& kv() { return *kv_; }
  // Whose files are as they were when the machine crashed.
  std::filesystem::path disk() const { return home_ / "disk"; }
  Shard& shard(std::size_t index) { return *shards_[index]; }

  // Moves the clock; what is due happens in the steps that follow.
  void advance(Duration by) {
    clock_.advance(by);
    for (const auto& reactor : reactors_) reactor->clock_moved();
  }
  // Makes a random shard the current one, to call an engine from.
  void enter_any() { shards_[random_.below(shards_.size())]->adopt_thread(); }
  // One tick of a random shard.
  void step() {
    const std::size_t index = random_.below(shards_.size());
    shards_[index]->adopt_thread();
    reactors_[index]->run_once(Duration(0));
  }
  // Until `done()`; false when that does not come.
  template <class F>
  bool run_until(F done) {
    for (int i = 0; i < 20'000; ++i) {
      if (done()) return true;
      step();
    }
    return false;
  }
  template <class T>
  T run(Task<T> task) {
    CHECK(run_until([&] { return task.done(); }));
    return std::move(task).take();
  }
  void checkpoint(std::size_t index) { shards_[index]->journal().checkpoint_now(); }

  // The machine crashes in one of the next ticks.
  void crash_soon() { is_crashing_ = true; }
  bool has_crashed() const { return image_.has_value(); }
  // Back with what survived the crash. Nothing of the engines may be running any more.
  void restart() {
    CHECK(image_.has_value());
    SimulatedKv::Disk disk = *std::move(image_);
    image_.reset();
    shut_down();
    std::filesystem::remove_all(home_ / "disk");
    std::filesystem::rename(home_ / "image", home_ / "disk");
    boot(std::move(disk));
  }

 private:
  void boot(SimulatedKv::Disk disk) {
    kv_ = std::make_unique<SimulatedKv>(std::move(disk));
    kv_->before_commit = [this] { crash_if_due(); };
    for (std::size_t i = 0; i < journals_; ++i) {
      reactors_.push_back(std::make_unique<io::Reactor>(clock_));
      reactors_.back()->at_tick_end([this] { crash_if_due(); });
      shards_.push_back(std::make_unique<Shard>(i, *reactors_.back()));
      shards_.back()->adopt_thread();
      auto journal = *Journal::open(home_ / "disk" / std::to_string(i), Durability::kProcess);
      auto records = std::make_unique<MemoryRecords>(journal.get());
      shards_.back()->attach(std::move(journal), std::move(records));
      if (attach_ && i == 0) attach_(*kv_);
      CHECK(shards_.back()->journal().recover().has_value());
    }
  }
  void shut_down() {
    while (!shards_.empty()) shards_.pop_back();
    reactors_.clear();
    kv_.reset();
  }
  void crash_if_due() {
    if (!is_crashing_ || random_.below(2)) return;
    is_crashing_ = false;
    image_ = kv_->survivors(random_);
    // What the journals would have written, so that a part of it can be kept.
    std::map<std::filesystem::path, std::uintmax_t> kept;
    for (std::size_t i = 0; i < journals_; ++i) {
      const std::filesystem::path folder = home_ / "disk" / std::to_string(i);
      for (const auto& file : std::filesystem::directory_iterator(folder)) kept.emplace(file.path(), file.file_size());
      shards_[i]->journal().commit();
    }
    std::filesystem::remove_all(home_ / "image");
    std::filesystem::copy(home_ / "disk", home_ / "image", std::filesystem::copy_options::recursive);
    for (const auto& [path, before] : kept)
      if (const auto now = std::filesystem::file_size(path); now > before)
        std::filesystem::resize_file(home_ / "image" / std::filesystem::relative(path, home_ / "disk"),
                                     before + random_.below(now - before + 1));
  }

  SeededRandom random_;
  std::function<void(SimulatedKv&)> attach_;
  std::size_t journals_;
  std::filesystem::path home_;
  io::SystemClock clock_;
  std::vector<std::unique_ptr<io::Reactor>> reactors_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<SimulatedKv> kv_;
  bool is_crashing_ = false;
  std::optional<SimulatedKv::Disk> image_;
};

}  // namespace reef::store
