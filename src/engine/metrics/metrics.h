// The user's metrics: data points in, statistics out. Recent buckets are in memory and in the journal, older ones in the
// key-value store, coarser with age. Everything here runs on the control shard; `Counters` is for the others.
//
// Keys of parts: "M", series u32, tier u8, block's second u32, flush number u32, origin u32 (all big-endian).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "engine/metrics/batch.h"
#include "engine/metrics/series.h"
#include "engine/store/journal.h"
#include "engine/store/kv.h"

namespace reef::metrics {

// One data point as it comes in: either samples with their counts, or a set of which only the summary is known.
struct DataPoint {
  const MetricId* metric = nullptr;
  Unit unit = Unit::kNone;
  std::int64_t second = 0;
  bool is_fine = false;  // kept by the second, for three hours
  std::optional<Summary> set;
  std::vector<Distribution::Entry> values;
};

class Metrics final : public store::JournalUser {
 public:
  static constexpr std::uint8_t kJournalKind = 3;
  // Buckets in memory beyond this go to disk early.
  static constexpr std::size_t kHotBytesMax = 32u << 20;
  static constexpr std::size_t kSeriesMax = 1'000'000;

  explicit Metrics(store::Kv& kv);

  void start();  // after recovery
  // Stored when `committed()` of the control shard resumes. False: there are too many metrics.
  bool put(const std::vector<DataPoint>& points, Time now);

  // Buckets of `period` seconds in [from, to), the first one beginning at `from`; of all units, or of one.
  std::vector<Bucket> read(const MetricId& metric, std::optional<Unit> unit, std::int64_t from, std::int64_t to, std::int64_t period);
  // The units in which the metric has series.
  std::vector<Unit> units(const MetricId& metric) const;
  // In no particular order.
  void each_metric(const std::function<void(const Metric&)>& visit) const;
  std::size_t series_count() const { return store_.series_count(); }

  // What is due at `now`: leaving memory, going to coarser tiers, being forgotten. A slice of the series at a time; true
  // when it was through all of them.
  bool sweep(Time now, std::size_t series_max);

  void replay(std::string_view payload, store::RecordRef at) override;
  void save(std::string& out) override;
  bool load(std::string_view bytes) override;
  void clear() override;

 private:
  void append(std::string_view record);
  void flush(std::int64_t cutoff, Time now, SeriesId first, SeriesId last);
  void write_out(std::uint32_t number);
  bool is_unconfirmed(std::string_view key) const;
  void roll_up(Series& series, std::int64_t now_second);
  void arm_sweep(Duration delay);
  void read_parts(const Series& series, std::int64_t from, std::int64_t to, std::int64_t period, std::vector<Bucket>& into);

  store::Kv& kv_;
  SeriesStore store_;
  std::uint32_t next_flush_ = 1;
  SeriesId swept_ = 0;      // the sweep that goes on has done the series up to here
  bool spilling_ = false;   // it empties memory
  // Left memory and perhaps not yet on disk, by flush: read from here meanwhile, and part of every checkpoint.
  std::map<std::uint32_t, std::vector<Part>> unconfirmed_;
};

}  // namespace reef::metrics
