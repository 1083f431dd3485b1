#include "engine/metrics/counters.h"

namespace reef::metrics {
namespace {

constexpr Duration kHandOverEvery = 1s;

}  // namespace

Counters::Counters(Metrics& metrics) : metrics_(metrics) {
  for (std::size_t i = 0; i < store::Shard::count(); ++i) loops_.push_back(std::make_unique<Loop>());
}

void Counters::add(const Subject& subject, std::initializer_list<Measure> measures) {
  store::Shard* shard = store::Shard::current_or_null();
  if (!shard) return;  // a test without loops
  Loop& loop = *loops_[shard->index()];
  std::string& key = loop.key;
  key.clear();
  key.append(subject.account).append(1, '/').append(subject.region).append(1, '\x1F').append(subject.space);
  for (const auto& [name, value] : subject.dimensions) key.append(1, '\x1F').append(name).append(1, '\x1E').append(value);
  auto found = loop.groups.find(std::string_view(key));
  if (found == loop.groups.end()) {
    Group group{.scope = std::string(subject.account) + "/" + std::string(subject.region), .space = std::string(subject.space), .dimensions = {}, .totals = {}};
    for (const auto& [name, value] : subject.dimensions) group.dimensions.emplace_back(name, value);
    found = loop.groups.emplace(key, std::move(group)).first;
  }
  if (!loop.is_armed) arm(loop);
  for (const Measure& measure : measures) {
    if (measure.count <= 0) continue;
    Total* total = nullptr;
    for (Total& one : found->second.totals)
      if (one.name == measure.name) {
        total = &one;
        break;
      }
    if (!total) total = &found->second.totals.emplace_back(Total{measure.name, measure.unit, {}, {}});
    total->summary.merge({measure.count, measure.value * measure.count, measure.value, measure.value});
    total->values.add(measure.value, measure.count);
  }
}

// On the loop's own shard.
void Counters::arm(Loop& loop) {
  loop.is_armed = true;
  store::Shard& shard = store::Shard::current();
  loop.second = to_seconds(shard.now());
  shard.reactor().after(kHandOverEvery, [this, &loop] {
    if (!loop.is_armed) return;
    auto taken = std::make_unique<Taken>();
    take(loop, *taken);
    store::Shard::control().reactor().post([this, taken = std::move(taken)] { put(*taken); });
  });
}

void Counters::take(Loop& loop, Taken& into) {
  into.first = loop.second;
  into.second.swap(loop.groups);
  loop.is_armed = false;
}

void Counters::put(const Taken& taken) {
  std::vector<MetricId> ids;
  std::vector<DataPoint> points;
  std::size_t count = 0;
  for (const auto& [key, group] : taken.second) count += group.totals.size();
  ids.reserve(count);
  for (const auto& [key, group] : taken.second)
    for (const Total& total : group.totals) {
      ids.push_back({.scope = group.scope, .space = group.space, .name = std::string(total.name), .dimensions = group.dimensions});
      points.push_back({.metric = &ids.back(), .unit = total.unit, .second = taken.first, .is_fine = false, .set = {}, .values = total.values.entries()});
    }
  // Beyond the greatest number of metrics there is nobody to tell.
  static_cast<void>(metrics_.put(points, store::Shard::control().now()));
}

Task<void> Counters::collect() {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    Loop& loop = *loops_[i];
    Taken taken;
    co_await store::on(store::Shard::at(i), [&]() -> Task<void> {
      if (loop.is_armed) take(loop, taken);
      co_return;
    });
    if (!taken.second.empty()) put(taken);
  }
}

void Counters::forget() {
  for (std::size_t i = 0; i < loops_.size(); ++i)
    store::Shard::at(i).reactor().post([loop = loops_[i].get()] {
      Taken dropped;
      take(*loop, dropped);
    });
}

}  // namespace reef::metrics
