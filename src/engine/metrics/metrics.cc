#include "engine/metrics/metrics.h"

#include <algorithm>

#include "base/check.h"
#include "engine/store/shard.h"

namespace reef::metrics {
namespace {

constexpr Duration kSweepEvery = 10min, kSliceEvery = 20ms;
constexpr std::size_t kSlice = 200;

void append_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}
std::uint32_t read_big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string tier_prefix(SeriesId series, std::size_t tier) {
  std::string key = "M";
  append_big_endian(key, series);
  key += static_cast<char>(tier);
  return key;
}
std::string part_key(SeriesId series, std::size_t tier, std::int64_t block, std::uint32_t number, std::int64_t origin) {
  std::string key = tier_prefix(series, tier);
  append_big_endian(key, static_cast<std::uint32_t>(block));
  append_big_endian(key, number);
  append_big_endian(key, static_cast<std::uint32_t>(origin));
  return key;
}
constexpr std::size_t kBlockAt = 6, kNumberAt = 10, kOriginAt = 14, kKeyBytes = 18;

std::int64_t block_of(std::size_t tier, std::int64_t second) { return second - second % kTiers[tier].block; }

}  // namespace

Metrics::Metrics(store::Kv& kv) : kv_(kv) { store::Shard::control().journal().attach(kJournalKind, *this); }

void Metrics::start() {
  for (const auto& [number, parts] : unconfirmed_) write_out(number);
  arm_sweep(kSweepEvery);
}

void Metrics::arm_sweep(Duration delay) {
  store::Shard& shard = store::Shard::control();
  // Between slices real time passes; the next sweep comes when the user's clock says so.
  const auto work = [this] {
    const bool is_through = sweep(store::Shard::control().now(), kSlice);
    arm_sweep(is_through ? kSweepEvery : kSliceEvery);
  };
  if (delay == kSliceEvery) shard.reactor().after(delay, work);
  else shard.reactor().at(shard.now() + delay, work);
}

void Metrics::append(std::string_view record) { store::Shard::control().journal().append(kJournalKind, record); }

bool Metrics::put(const std::vector<DataPoint>& points, Time now) {
  const std::int64_t now_second = to_seconds(now);
  Batch batch;
  std::string key;
  for (const DataPoint& point : points) {
    key = point.metric->key();
    const Series* series = store_.find(key, point.unit);
    if (!series) {
      if (store_.series_count() >= kSeriesMax) return false;
      const SeriesId id = store_.next_id();
      std::string record;
      ByteWriter out(record);
      out.fixed(RecordType::kDefine);
      out.fixed(id);
      out.fixed(point.unit);
      append_metric_id(out, *point.metric);
      append(record);
      store_.define(id, *point.metric, point.unit);
      series = store_.find(key, point.unit);
    }
    const std::uint8_t tier = point.is_fine && point.second > now_second - kTiers[0].retention ? 0 : 1;
    if (point.set) batch.add(series->id, tier, point.second, *point.set);
    else batch.add(series->id, tier, point.second, point.values);
  }
  if (batch.empty()) return true;
  append(batch.bytes());
  ByteReader in(batch.bytes().substr(1));
  CHECK(apply_points(in, store_));
  if (store_.hot_bytes() > kHotBytesMax && !spilling_) {
    spilling_ = true;
    swept_ = 0;
    store::Shard::control().reactor().post([this] {
      if (spilling_) sweep(store::Shard::control().now(), kSlice);
    });
  }
  return true;
}

void Metrics::flush(std::int64_t cutoff, Time now, SeriesId first, SeriesId last) {
  const std::uint32_t number = next_flush_++;
  const std::int64_t coarse_before = to_seconds(now) - kTiers[0].retention;
  std::string record;
  ByteWriter out(record);
  out.fixed(RecordType::kFlush);
  out.fixed(number);
  out.fixed(cutoff);
  out.fixed(coarse_before);
  out.fixed(first);
  out.fixed(last);
  std::vector<Part> parts = store_.flush(number, cutoff, coarse_before, first, last);
  if (parts.empty()) {  // nothing changed: nothing to repeat
    --next_flush_;
    return;
  }
  append(record);
  unconfirmed_.emplace(number, std::move(parts));
  // Not before the record is in the journal: else a crash in between would leave the buckets in both places.
  store::Shard::control().reactor().post([this, number] { write_out(number); });
}

void Metrics::write_out(std::uint32_t number) {
  const auto found = unconfirmed_.find(number);
  if (found == unconfirmed_.end()) return;  // everything was wiped
  store::KvBatch batch;
  for (const Part& part : found->second) batch.put(part_key(part.series, part.tier, part.block, part.number, 0), part.buckets);
  kv_.write(batch);
  // Nor may recovery leave them alone before they are on disk.
  store::Shard::control().reactor().post([this, number] {
    if (!unconfirmed_.erase(number)) return;
    std::string record;
    ByteWriter out(record);
    out.fixed(RecordType::kFlushed);
    out.fixed(number);
    append(record);
  });
}

bool Metrics::sweep(Time now, std::size_t series_max) {
  const std::int64_t now_second = to_seconds(now);
  const std::vector<Series*> slice = store_.series_from(swept_ + 1, series_max);
  if (slice.empty()) {
    swept_ = 0;
    spilling_ = false;
    return true;
  }
  const SeriesId first = slice.front()->id, last = slice.back()->id;
  flush(spilling_ ? INT64_MAX : now_second - kTiers[0].retention, now, first, last);
  for (Series* series : slice) {
    if (series->parts_until > 0) roll_up(*series, now_second);
    if (store_.metric_of(series->id)->last_second >= now_second - kTiers[kTierCount - 1].retention) continue;
    std::string record;
    ByteWriter out(record);
    out.fixed(RecordType::kForget);
    out.fixed(series->id);
    append(record);
    if (series->parts_until > 0) {
      std::string begin = "M", end = "M";
      append_big_endian(begin, series->id);
      append_big_endian(end, series->id + 1);
      kv_.erase_range(begin, end);
    }
    store_.forget(series->id);
  }
  swept_ = last;
  if (spilling_)
    store::Shard::control().reactor().post([this] {
      if (spilling_) sweep(store::Shard::control().now(), kSlice);
    });
  return false;
}

bool Metrics::is_unconfirmed(std::string_view key) const {
  return !unconfirmed_.empty() && unconfirmed_.contains(read_big_endian(key.substr(kNumberAt))) && read_big_endian(key.substr(kOriginAt)) == 0;
}

// Blocks that are older than their tier's retention become one part each of the next tier; the last tier's are gone.
void Metrics::roll_up(Series& series, std::int64_t now_second) {
  for (std::size_t tier = 0; tier < kTierCount; ++tier) {
    const std::string prefix = tier_prefix(series.id, tier);
    const std::int64_t oldest_kept = block_of(tier, now_second - kTiers[tier].retention);
    store::KvBatch batch;
    std::map<std::int64_t, std::pair<std::uint32_t, std::vector<Bucket>>> blocks;  // with the least number of a part
    const auto cursor = kv_.cursor();
    for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix) && cursor->key().size() == kKeyBytes; cursor->next()) {
      const std::int64_t block = read_big_endian(cursor->key().substr(kBlockAt));
      if (block >= oldest_kept) break;
      if (is_unconfirmed(cursor->key())) continue;
      batch.erase(cursor->key());
      if (tier + 1 == kTierCount) continue;
      const auto buckets = decode_buckets(cursor->value());
      if (!buckets) continue;
      const std::uint32_t number = read_big_endian(cursor->key().substr(kNumberAt));
      auto& [least, merged] = blocks.try_emplace(block, number, std::vector<Bucket>()).first->second;
      least = std::min(least, number);
      merge_buckets(merged, *buckets, kTiers[tier + 1].resolution);
    }
    for (const auto& [block, of_block] : blocks) {
      // The origin keeps apart what several blocks bring into the same one.
      batch.put(part_key(series.id, tier + 1, block_of(tier + 1, of_block.second.front().second), of_block.first, block), encode_buckets(of_block.second));
    }
    if (!batch.empty()) kv_.write(batch);
  }
}

void Metrics::read_parts(const Series& series, std::int64_t from, std::int64_t to, std::int64_t period, std::vector<Bucket>& into) {
  for (std::size_t tier = 0; tier < kTierCount; ++tier) {
    if (period % kTiers[tier].resolution != 0) continue;
    const std::string prefix = tier_prefix(series.id, tier);
    const auto cursor = kv_.cursor();
    for (cursor->seek(part_key(series.id, tier, block_of(tier, std::max<std::int64_t>(from, 0)), 0, 0)); cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
      if (cursor->key().size() != kKeyBytes || read_big_endian(cursor->key().substr(kBlockAt)) >= to) break;
      // Those on their way are read below: they may be here already.
      if (is_unconfirmed(cursor->key())) continue;
      if (const auto buckets = decode_buckets(cursor->value())) merge_window(into, *buckets, from, to, period);
    }
  }
  for (const auto& [number, parts] : unconfirmed_)
    for (const Part& part : parts) {
      if (part.series != series.id || period % kTiers[part.tier].resolution != 0) continue;
      if (const auto buckets = decode_buckets(part.buckets)) merge_window(into, *buckets, from, to, period);
    }
}

std::vector<Bucket> Metrics::read(const MetricId& metric, std::optional<Unit> unit, std::int64_t from, std::int64_t to, std::int64_t period) {
  std::vector<Bucket> out;
  const Metric* found = store_.find(metric.key());
  if (!found) return out;
  for (const auto& series : found->units) {
    if (unit && series->unit != *unit) continue;
    if (series->parts_until > from) read_parts(*series, from, to, period, out);
    SeriesStore::collect(*series, from, to, period, out);
  }
  return out;
}

std::vector<Unit> Metrics::units(const MetricId& metric) const {
  std::vector<Unit> out;
  if (const Metric* found = store_.find(metric.key()))
    for (const auto& series : found->units) out.push_back(series->unit);
  return out;
}

void Metrics::each_metric(const std::function<void(const Metric&)>& visit) const {
  for (const auto& [key, metric] : store_.metrics()) visit(*metric);
}

void Metrics::replay(std::string_view payload, store::RecordRef) {
  ByteReader in(payload);
  switch (in.fixed<RecordType>()) {
    case RecordType::kPoints: apply_points(in, store_); break;
    case RecordType::kDefine: {
      const auto id = in.fixed<SeriesId>();
      const auto unit = in.fixed<Unit>();
      MetricId metric = read_metric_id(in);
      if (in.ok()) store_.define(id, std::move(metric), unit);
      break;
    }
    case RecordType::kFlush: {
      const auto number = in.fixed<std::uint32_t>();
      const auto cutoff = in.fixed<std::int64_t>(), coarse_before = in.fixed<std::int64_t>();
      const auto first = in.fixed<SeriesId>(), last = in.fixed<SeriesId>();
      unconfirmed_[number] = store_.flush(number, cutoff, coarse_before, first, last);
      next_flush_ = std::max(next_flush_, number + 1);
      break;
    }
    case RecordType::kFlushed: unconfirmed_.erase(in.fixed<std::uint32_t>()); break;
    case RecordType::kForget: store_.forget(in.fixed<SeriesId>()); break;
  }
}

void Metrics::save(std::string& bytes) {
  ByteWriter out(bytes);
  out.fixed(std::uint8_t{1});  // version
  out.fixed(next_flush_);
  out.varint(unconfirmed_.size());
  for (const auto& [number, parts] : unconfirmed_) {
    out.fixed(number);
    out.varint(parts.size());
    for (const Part& part : parts) {
      out.fixed(part.series);
      out.fixed(part.tier);
      out.fixed(part.block);
      out.bytes(part.buckets);
    }
  }
  store_.save(out);
}

bool Metrics::load(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<std::uint8_t>() != 1) return false;
  next_flush_ = in.fixed<std::uint32_t>();
  unconfirmed_.clear();
  for (std::uint64_t flushes = in.varint(); flushes > 0 && in.ok(); --flushes) {
    const auto number = in.fixed<std::uint32_t>();
    auto& parts = unconfirmed_[number];
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      Part& part = parts.emplace_back();
      part.series = in.fixed<SeriesId>();
      part.tier = in.fixed<std::uint8_t>();
      part.block = in.fixed<std::int64_t>();
      part.number = number;
      part.buckets = in.text();
      if (part.tier >= kHotTiers) return false;
    }
  }
  return in.ok() && store_.load(in);
}

void Metrics::clear() {
  store_.clear();
  unconfirmed_.clear();
  next_flush_ = 1;
  swept_ = 0;
  spilling_ = false;
}

}  // namespace reef::metrics
