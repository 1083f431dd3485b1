// Logs on a machine that crashes at any point, against maps: every line that was acknowledged is there and in order,
// none comes that was never sent, none of a stream or group that was removed comes back, pages leave nothing out.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "engine/store/simulation.h"
#include "engine/telemetry/logs.h"

namespace reef::telemetry {
namespace {

using Lines = std::multiset<std::pair<std::int64_t, std::string>>;
struct Stream {
  Lines lines;
  std::set<std::pair<std::int64_t, std::string>> perhaps;  // sent and never acknowledged: they may come up
};
using Group = std::map<std::string, Stream>;
using Model = std::map<std::string, Group>;

class LogSimulation {
 public:
  explicit LogSimulation(std::uint64_t seed) : machine_(seed, 1), random_(machine_.random()) { start(); }
  ~LogSimulation() { finish(); }

  void go(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      switch (random_.below(14)) {
        case 0: case 1: case 2: case 3: case 4: append(); break;
        case 5: case 6: make(); break;
        case 7: remove(); break;
        case 8: case 9: tick(); break;
        case 10: machine_.advance(Duration(static_cast<std::int64_t>(random_.below(3'000)))); break;
        case 11: if (random_.below(3) == 0) finish(), check(); break;
        case 12: if (random_.below(6) == 0) finish(), machine_.checkpoint(0); break;
        case 13: if (random_.below(3) == 0) crash(); break;
      }
    }
    finish();
    check();
  }

 private:
  void start() {
    machine_.shard(0).adopt_thread();
    logs_ = std::make_unique<Logs>(machine_.kv());
    logs_->start();
    machine_.step();  // what it reserves is stored before anybody comes
  }
  static Task<void> commit() { co_await store::Shard::control().committed(); }
  // The engine did it, and the map that will count follows when it is stored.
  void asked() { asked_.emplace_back(now_, commit()); }
  void collect() {
    while (!asked_.empty() && asked_.front().second.done()) {
      stored_ = std::move(asked_.front().first);
      asked_.erase(asked_.begin());
    }
  }
  void tick() {
    machine_.step();
    collect();
  }
  void finish() {
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(asked_, [](const auto& one) { return one.second.done(); }); }));
    collect();
  }

  std::string group() { return "g" + std::to_string(random_.below(2)); }
  std::string stream() { return "s" + std::to_string(random_.below(3)); }
  void make() {
    const std::string in = group(), name = stream();
    machine_.shard(0).adopt_thread();
    ASSERT_EQ(logs_->create_group(in, "extra", machine_.now()), !now_.contains(in));
    now_[in];
    ASSERT_EQ(logs_->create_stream(in, name, machine_.now()), !now_[in].contains(name));
    now_[in][name];
    asked();
  }
  void append() {
    const std::string in = group(), name = stream();
    if (!now_.contains(in) || !now_[in].contains(name)) return;
    std::vector<LogLine> lines;
    for (auto n = 1 + random_.below(4); n > 0; --n) {
      const std::int64_t millis = to_millis(machine_.now()) - static_cast<std::int64_t>(random_.below(5));
      lines.push_back({.millis = millis, .message = "line " + std::to_string(++written_)});
      now_[in][name].lines.emplace(millis, lines.back().message);
    }
    machine_.shard(0).adopt_thread();
    logs_->append(in, name, lines, machine_.now());
    asked();
  }
  void remove() {
    const std::string in = group(), name = stream();
    machine_.shard(0).adopt_thread();
    if (random_.below(3) == 0) {
      ASSERT_EQ(logs_->remove_group(in), now_.erase(in) > 0);
    } else {
      ASSERT_EQ(logs_->remove_stream(in, name), now_.contains(in) && now_[in].erase(name) > 0);
    }
    asked();
  }

  void crash() {
    machine_.crash_soon();
    while (!machine_.has_crashed()) {
      collect();
      machine_.step();
    }
    std::vector<Model> unknown = {stored_};
    for (auto& [model, task] : asked_) unknown.push_back(model);
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(asked_, [](const auto& one) { return one.second.done(); }); }));
    asked_.clear();
    machine_.restart();
    start();
    adopt(unknown);
    check();
  }
  // What there is lies between what was acknowledged and what was asked for.
  void adopt(const std::vector<Model>& unknown) {
    now_.clear();
    for (const auto& [in, streams] : found()) {
      Group& kept = now_[in];
      for (const auto& [name, lines] : streams) {
        Stream& one = kept[name];
        one.lines = lines;
        bool was_made = false;
        for (const Model& model : unknown) {
          const auto of_group = model.find(in);
          if (of_group == model.end() || !of_group->second.contains(name)) continue;
          was_made = true;
          const Stream& asked_for = of_group->second.at(name);
          one.perhaps.insert(asked_for.perhaps.begin(), asked_for.perhaps.end());
          for (const auto& line : asked_for.lines) one.perhaps.insert(line);
        }
        ASSERT_TRUE(was_made) << in << " " << name;
        for (const auto& line : lines) {
          ASSERT_TRUE(one.perhaps.contains(line)) << line.second << " in " << name;
          one.perhaps.erase(line);
        }
      }
    }
    for (const auto& [in, streams] : stored_) {
      if (!std::ranges::all_of(unknown, [&](const Model& model) { return model.contains(in); })) continue;
      ASSERT_TRUE(now_.contains(in)) << in;
      for (const auto& [name, stream] : streams) {
        if (!std::ranges::all_of(unknown, [&](const Model& model) { return model.at(in).contains(name); })) continue;
        ASSERT_TRUE(now_[in].contains(name)) << in << " " << name;
        for (const auto& line : stream.lines) ASSERT_TRUE(now_[in][name].lines.contains(line)) << line.second << " of " << name << " is lost";
      }
    }
    stored_ = now_;
  }

  std::map<std::string, std::map<std::string, Lines>> found() {
    std::map<std::string, std::map<std::string, Lines>> out;
    logs_->each_group("", [&](std::string_view in, const LogGroup&) {
      auto& streams = out[std::string(in)];
      logs_->each_stream(in, "", [&](std::string_view name, const LogStream&) {
        streams[std::string(name)] = read(std::string(in), std::string(name));
        return true;
      });
      return true;
    });
    return out;
  }
  Lines read(const std::string& in, const std::string& name) {
    const bool forward = random_.below(2);
    const std::size_t limit = 1 + random_.below(5);
    std::vector<LogLine> all;
    std::optional<LogPosition> after;
    for (;;) {
      const auto page = logs_->read(in, name, 0, INT64_MAX, after, forward, limit);
      all.insert(all.end(), page.begin(), page.end());
      if (page.empty()) break;
      after = LogPosition{.millis = page.back().millis, .number = page.back().number};
    }
    if (!forward) std::ranges::reverse(all);
    EXPECT_TRUE(std::ranges::is_sorted(all, {}, [](const LogLine& line) { return std::pair(line.millis, line.number); }));
    Lines out;
    for (const LogLine& line : all) out.emplace(line.millis, line.message);
    return out;
  }
  void check() {
    if (testing::Test::HasFailure() || !asked_.empty()) return;
    const auto there = found();
    ASSERT_EQ(there.size(), now_.size());
    for (auto& [in, streams] : now_) {
      ASSERT_EQ(there.at(in).size(), streams.size());
      Lines merged, of_group;
      std::vector<std::string> names;
      for (auto& [name, stream] : streams) {
        names.push_back(name);
        const Lines& lines = there.at(in).at(name);
        for (const auto& line : lines) {
          if (!stream.perhaps.erase(line)) continue;
          stream.lines.insert(line);  // stored before the crash, and seen since another line came
          stored_[in][name] = stream;
        }
        ASSERT_EQ(lines, stream.lines) << in << " " << name;
        of_group.insert(lines.begin(), lines.end());
      }
      LogPosition last;
      logs_->merge(in, names, 0, INT64_MAX, std::nullopt, [&](std::string_view, const LogPosition& at, const LogLine& line) {
        EXPECT_LT(last, at);
        last = at;
        merged.emplace(line.millis, line.message);
        return true;
      });
      ASSERT_EQ(merged, of_group) << in;
    }
  }

  store::SimulatedMachine machine_;
  Random& random_;
  std::unique_ptr<Logs> logs_;
  Model now_, stored_;  // as the engine has it, and as it is acknowledged
  std::vector<std::pair<Model, Task<void>>> asked_;
  int written_ = 0;
};

TEST(LogSimulation, SurvivesCrashesAtAnyPoint) {
  log::set_level(log::Level::kError);  // torn tails are no news here
  const store::SimulationSeeds seeds(15);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    LogSimulation(seed).go(300);
  }
}

}  // namespace
}  // namespace reef::telemetry
