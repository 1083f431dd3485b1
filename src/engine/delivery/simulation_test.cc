// Deliveries on a machine that crashes at any point: what was accepted is attempted until its handler says done, in
// its own time, nothing comes that nobody sent, and nothing is kept of what is settled. (outbox_test.cc has the
// machine inside alone.)
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "engine/delivery/deliveries.h"
#include "engine/store/records.h"
#include "engine/store/simulation.h"

namespace reef::delivery {
namespace {

constexpr ChannelLimits kLimits{.in_flight_per_lane = 3, .in_flight_max = 7};

class DeliverySimulation {
 public:
  explicit DeliverySimulation(std::uint64_t seed) : machine_(seed, 2), random_(machine_.random()) { start(); }
  ~DeliverySimulation() {
    deliveries_->stop();
    settle();
  }

  void go(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      switch (random_.below(10)) {
        case 0: case 1: case 2: send(); break;
        case 3: case 4: case 5: case 6: tick(); break;
        case 7: machine_.advance(Duration(static_cast<std::int64_t>(random_.below(3'000'000)))); break;
        case 8: drop(); break;
        case 9: if (random_.below(3) == 0) crash(); break;
      }
    }
    // Nothing fails any more: everything comes, and nothing is left.
    fails_ = false;
    for (int round = 0; round < 50 && !testing::Test::HasFailure(); ++round) {
      machine_.advance(10s);
      for (int i = 0; i < 40; ++i) tick();
    }
    for (const auto& [payload, due] : owed_) ADD_FAILURE() << payload << " never came";
    ASSERT_EQ(deliveries_->waiting("channel"), 0u);
    machine_.shard(0).records().scan("delivery/", [](std::string_view key, const std::string&) {
      ADD_FAILURE() << key << " is left";
      return true;
    });
  }

 private:
  struct Sent {
    std::string payload, lane;
    Time due;
    Task<void> task;
  };

  void start() {
    machine_.shard(0).adopt_thread();
    deliveries_ = std::make_unique<Deliveries>();
    is_gone_ = std::make_shared<bool>(false);
    deliveries_->open("channel", kLimits, [this, gone = is_gone_](const Entry& entry) { return handle(*this, gone, entry); });
  }
  void settle() {
    for (int i = 0; i < 300; ++i) machine_.step();
  }
  void tick() {
    machine_.step();
    collect();
  }
  void collect() {
    std::erase_if(sent_, [&](Sent& one) {
      if (!one.task.done()) return false;
      if (!done_.contains(one.payload)) owed_[one.payload] = one.lane;
      return true;
    });
  }
  void send() {
    const std::string payload = std::to_string(++last_);
    const std::string lane(1, static_cast<char>('a' + random_.below(4)));
    const Duration delay = random_.below(3) ? Duration(0) : Duration(5s);
    due_[payload] = machine_.now() + delay;
    machine_.enter_any();
    sent_.push_back({payload, lane, machine_.now() + delay, deliveries_->add("channel", lane, payload, delay)});
    collect();
  }
  void drop() {
    if (random_.below(8)) return;
    machine_.shard(0).adopt_thread();
    deliveries_->drop_lane("channel", "a");
    // What is being attempted goes on; the others may come only if the machine crashes before it stored this.
    std::erase_if(owed_, [](const auto& entry) { return entry.second == "a"; });
    for (int i = 0; i < 20; ++i) tick();
    std::erase_if(owed_, [](const auto& entry) { return entry.second == "a"; });
  }
  void crash() {
    machine_.crash_soon();
    while (!machine_.has_crashed()) {
      collect();
      machine_.step();
    }
    *is_gone_ = true;
    deliveries_->stop();
    settle();
    sent_.clear();  // nobody was told: it may come or not
    flying_.clear();
    done_.clear();
    deliveries_.reset();
    machine_.restart();
    start();
  }
  static Task<Verdict> handle(DeliverySimulation& self, std::shared_ptr<bool> gone, Entry entry) {
    if (*gone) co_return Verdict::retry(1s);
    self.arrived(entry);
    for (auto n = self.random_.below(4); n > 0; --n)
      co_await store::on(store::Shard::at(self.random_.below(2)), [&]() -> Task<void> { return pause(); });
    if (*gone) co_return Verdict::retry(1s);
    self.flying_.erase(entry.payload);
    if (self.fails_ && self.random_.below(3) == 0) {
      const Duration delay = backoff(entry.failures_in_row, 1s, 30s);
      self.due_[entry.payload] = self.machine_.now();
      co_return Verdict::retry(delay);
    }
    self.done_.insert(entry.payload);
    self.owed_.erase(entry.payload);
    co_return Verdict::done();
  }
  static Task<void> pause() { co_return; }
  void arrived(const Entry& entry) {
    EXPECT_TRUE(due_.contains(entry.payload)) << "nobody sent it";
    EXPECT_LE(due_[entry.payload], machine_.now()) << entry.payload << " came early";
    EXPECT_FALSE(done_.contains(entry.payload)) << entry.payload << " came again";
    EXPECT_TRUE(flying_.emplace(entry.payload, entry.lane).second) << entry.payload << " came twice";
    EXPECT_LE(flying_.size(), kLimits.in_flight_max);
    EXPECT_LE(std::ranges::count_if(flying_, [&](const auto& one) { return one.second == entry.lane; }), kLimits.in_flight_per_lane);
  }

  store::SimulatedMachine machine_;
  Random& random_;
  std::unique_ptr<Deliveries> deliveries_;
  std::shared_ptr<bool> is_gone_;
  std::vector<Sent> sent_;
  std::map<std::string, std::string> owed_, flying_;  // lanes by payload
  std::map<std::string, Time> due_;
  std::set<std::string> done_;  // since the machine started
  bool fails_ = true;
  int last_ = 0;
};

TEST(DeliverySimulation, SurvivesCrashesAtAnyPoint) {
  log::set_level(log::Level::kError);  // torn tails are no news here
  const store::SimulationSeeds seeds(20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    DeliverySimulation(seed).go(300);
  }
}

}  // namespace
}  // namespace reef::delivery
