#include "engine/metrics/series.h"

#include <algorithm>

namespace reef::metrics {

std::string MetricId::key() const {
  std::string out;
  out.reserve(scope.size() + space.size() + name.size() + 16 + dimensions.size() * 32);
  out.append(scope).append(1, '\x1F').append(space).append(1, '\x1F').append(name);
  for (const auto& [dimension, value] : dimensions) out.append(1, '\x1F').append(dimension).append(1, '\x1E').append(value);
  return out;
}

void append_metric_id(ByteWriter& out, const MetricId& id) {
  out.bytes(id.scope);
  out.bytes(id.space);
  out.bytes(id.name);
  out.varint(id.dimensions.size());
  for (const auto& [name, value] : id.dimensions) {
    out.bytes(name);
    out.bytes(value);
  }
}

MetricId read_metric_id(ByteReader& in) {
  MetricId id;
  id.scope = in.text();
  id.space = in.text();
  id.name = in.text();
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    id.dimensions.emplace_back(std::move(name), in.text());
  }
  return id;
}

const Metric* SeriesStore::find(std::string_view key) const {
  const auto found = metrics_.find(key);
  return found == metrics_.end() ? nullptr : found->second.get();
}

const Series* SeriesStore::find(std::string_view key, Unit unit) const {
  const Metric* metric = find(key);
  if (!metric) return nullptr;
  for (const auto& series : metric->units)
    if (series->unit == unit) return series.get();
  return nullptr;
}

void SeriesStore::define(SeriesId id, MetricId metric_id, Unit unit) {
  auto& metric = metrics_[metric_id.key()];
  if (!metric) {
    metric = std::make_unique<Metric>();
    metric->id = std::move(metric_id);
  }
  Series& series = *metric->units.emplace_back(std::make_unique<Series>());
  series.id = id;
  series.unit = unit;
  by_id_[id] = {metric.get(), &series};
  if (fast_.size() <= id) fast_.resize(id + 1, Place{nullptr, nullptr});
  fast_[id] = {metric.get(), &series};
  next_id_ = std::max(next_id_, id + 1);
}

Bucket* SeriesStore::bucket(SeriesId id, std::uint8_t tier, std::int64_t second) {
  if (id >= fast_.size() || !fast_[id].series || tier >= kHotTiers) return nullptr;
  const Place& place = fast_[id];
  place.metric->last_second = std::max(place.metric->last_second, second);
  return &bucket_at(place.series->hot[tier], second - second % kTiers[tier].resolution);
}

void SeriesStore::add(SeriesId id, std::uint8_t tier, std::int64_t second, const Summary& set) {
  Bucket* into = bucket(id, tier, second);
  if (!into) return;
  const std::size_t before = into->summary.count > 0 ? into->memory_bytes() : 0;
  into->add(set);
  hot_bytes_ += into->memory_bytes() - before;
}

void SeriesStore::add(SeriesId id, std::uint8_t tier, std::int64_t second, const std::vector<Distribution::Entry>& values) {
  Bucket* into = bucket(id, tier, second);
  if (!into) return;
  const std::size_t before = into->summary.count > 0 ? into->memory_bytes() : 0;
  for (const auto& [value, count] : values) into->add(value, count);
  hot_bytes_ += into->memory_bytes() - before;
}

void SeriesStore::forget(SeriesId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const auto [metric, series] = found->second;
  for (const auto& tier : series->hot)
    for (const Bucket& one : tier) hot_bytes_ -= one.memory_bytes();
  by_id_.erase(found);
  fast_[id] = {nullptr, nullptr};
  std::erase_if(metric->units, [&](const auto& one) { return one.get() == series; });
  if (metric->units.empty()) metrics_.erase(metric->id.key());
}

std::vector<Part> SeriesStore::flush(std::uint32_t number, std::int64_t cutoff, std::int64_t coarse_before, SeriesId first, SeriesId last) {
  std::vector<Part> parts;
  for (auto at = by_id_.lower_bound(first); at != by_id_.end() && at->first <= last; ++at) {
    Series& series = *at->second.series;
    std::vector<Bucket> leaving[kHotTiers];
    for (std::size_t tier = 0; tier < kHotTiers; ++tier) {
      auto& hot = series.hot[tier];
      const auto end = std::partition_point(hot.begin(), hot.end(), [&](const Bucket& one) { return one.second < cutoff; });
      for (auto one = hot.begin(); one != end; ++one) hot_bytes_ -= one->memory_bytes();
      leaving[tier].assign(std::make_move_iterator(hot.begin()), std::make_move_iterator(end));
      hot.erase(hot.begin(), end);
      if (hot.empty()) hot.shrink_to_fit();
    }
    const auto fine = std::partition_point(leaving[0].begin(), leaving[0].end(), [&](const Bucket& one) { return one.second < coarse_before; });
    std::vector<Bucket> coarse(std::make_move_iterator(leaving[0].begin()), std::make_move_iterator(fine));
    leaving[0].erase(leaving[0].begin(), fine);
    merge_buckets(leaving[1], coarse, kTiers[1].resolution);
    for (std::size_t tier = 0; tier < kHotTiers; ++tier) {
      std::vector<Bucket>& all = leaving[tier];
      for (std::size_t i = 0; i < all.size();) {
        const std::int64_t block = all[i].second - all[i].second % kTiers[tier].block;
        std::vector<Bucket> of_block;
        for (; i < all.size() && all[i].second < block + kTiers[tier].block; ++i) of_block.push_back(std::move(all[i]));
        parts.push_back({.series = series.id, .tier = static_cast<std::uint8_t>(tier), .block = block, .number = number, .buckets = encode_buckets(of_block)});
        series.parts_until = std::max(series.parts_until, block + kTiers[tier].block);
      }
    }
  }
  return parts;
}

void merge_window(std::vector<Bucket>& into, const std::vector<Bucket>& buckets, std::int64_t from, std::int64_t to, std::int64_t period) {
  auto at = std::partition_point(buckets.begin(), buckets.end(), [&](const Bucket& one) { return one.second < from; });
  for (; at != buckets.end() && at->second < to; ++at) bucket_at(into, from + (at->second - from) / period * period).merge(*at);
}

void SeriesStore::collect(const Series& series, std::int64_t from, std::int64_t to, std::int64_t period, std::vector<Bucket>& into) {
  for (std::size_t tier = 0; tier < kHotTiers; ++tier)
    if (period % kTiers[tier].resolution == 0) merge_window(into, series.hot[tier], from, to, period);
}

std::vector<Series*> SeriesStore::series_from(SeriesId first, std::size_t count) {
  std::vector<Series*> out;
  for (auto at = by_id_.lower_bound(first); at != by_id_.end() && out.size() < count; ++at) out.push_back(at->second.series);
  return out;
}

const Metric* SeriesStore::metric_of(SeriesId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.metric;
}

void SeriesStore::save(ByteWriter& out) const {
  out.fixed(next_id_);
  out.varint(by_id_.size());
  for (const auto& [id, place] : by_id_) {
    out.fixed(id);
    out.fixed(place.series->unit);
    append_metric_id(out, place.metric->id);
    out.varint(static_cast<std::uint64_t>(place.metric->last_second));
    out.varint(static_cast<std::uint64_t>(place.series->parts_until));
    for (const auto& tier : place.series->hot) out.bytes(encode_buckets(tier));
  }
}

bool SeriesStore::load(ByteReader& in) {
  clear();
  const auto next = in.fixed<SeriesId>();
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const auto id = in.fixed<SeriesId>();
    const auto unit = in.fixed<std::uint8_t>();
    MetricId metric = read_metric_id(in);
    const auto last = static_cast<std::int64_t>(in.varint());
    const auto parts_until = static_cast<std::int64_t>(in.varint());
    if (!in.ok() || unit >= kUnitCount || id >= next) return false;
    define(id, std::move(metric), static_cast<Unit>(unit));
    Place& place = by_id_[id];
    place.metric->last_second = std::max(place.metric->last_second, last);
    place.series->parts_until = parts_until;
    for (auto& tier : place.series->hot) {
      auto buckets = decode_buckets(in.bytes());
      if (!buckets) return false;
      tier = *std::move(buckets);
      for (const Bucket& one : tier) hot_bytes_ += one.memory_bytes();
    }
  }
  next_id_ = std::max(next_id_, next);
  return in.ok();
}

void SeriesStore::clear() {
  metrics_.clear();
  by_id_.clear();
  fast_.clear();
  next_id_ = 1;
  hot_bytes_ = 0;
}

}  // namespace reef::metrics
