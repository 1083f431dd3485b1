// Every metric and the buckets of its data points that are in memory: a deterministic machine without clock or I/O.
// Older buckets leave it as parts, which its owner keeps on disk.
//
// Always true:
// - A data point is in exactly one bucket of one tier, in memory or in a part.
// - The same records applied to the same state give the same state and the same parts: recovery relies on it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "engine/metrics/bucket.h"
#include "engine/metrics/unit.h"

namespace reef::metrics {

using SeriesId = std::uint32_t;

// How long data points are kept at which resolution, in seconds.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention
struct Tier {
  std::int64_t resolution, retention;
  std::int64_t block;  // parts never cross a multiple of this
};
inline constexpr std::int64_t kDay = 86400;
inline constexpr Tier kTiers[] = {{1, 3 * 3600, 3600}, {60, 15 * kDay, kDay}, {300, 63 * kDay, 7 * kDay}, {3600, 455 * kDay, 30 * kDay}};
inline constexpr std::size_t kTierCount = 4, kHotTiers = 2;

using Dimensions = std::vector<std::pair<std::string, std::string>>;

struct MetricId {
  std::string scope;  // whose it is: "000000000000/us-east-1"
  std::string space;  // "AWS/SQS"
  std::string name;
  Dimensions dimensions;  // in order of name

  std::string key() const;
};

// The data points of one metric with one unit.
struct Series {
  SeriesId id = 0;
  Unit unit = Unit::kNone;
  std::vector<Bucket> hot[kHotTiers];
  std::int64_t parts_until = 0;  // what is on disk of it lies before this second
};

struct Metric {
  MetricId id;
  std::int64_t last_second = 0;  // of its newest data point
  std::vector<std::unique_ptr<Series>> units;
};

// Buckets that left memory. Where two parts, or a part and memory, hold buckets of the same time, they add up.
struct Part {
  SeriesId series = 0;
  std::uint8_t tier = 0;
  std::int64_t block = 0;    // the second that its block begins
  std::uint32_t number = 0;  // of the flush that made it
  std::string buckets;       // encode_buckets
};

class SeriesStore {
 public:
  const Metric* find(std::string_view key) const;
  // The series of a metric in a unit, or nothing; `define` makes it.
  const Series* find(std::string_view key, Unit unit) const;
  SeriesId next_id() const { return next_id_; }
  void define(SeriesId id, MetricId metric, Unit unit);
  // Samples of one series: one bucket gets them.
  void add(SeriesId id, std::uint8_t tier, std::int64_t second, const Summary& set);
  void add(SeriesId id, std::uint8_t tier, std::int64_t second, const std::vector<Distribution::Entry>& values);
  void forget(SeriesId id);

  // Takes the buckets before `cutoff` of the series `first`..`last` out of memory. Those older than `coarse_before` leave at
  // the next resolution.
  std::vector<Part> flush(std::uint32_t number, std::int64_t cutoff, std::int64_t coarse_before, SeriesId first, SeriesId last);

  // Buckets in memory with from <= second < to, merged into `into` by windows of `period` seconds from `from` on. A tier counts
  // when the period is a multiple of its resolution.
  static void collect(const Series& series, std::int64_t from, std::int64_t to, std::int64_t period, std::vector<Bucket>& into);

  const TextMap<std::unique_ptr<Metric>>& metrics() const { return metrics_; }
  std::size_t hot_bytes() const { return hot_bytes_; }
  std::size_t series_count() const { return by_id_.size(); }
  // In order of id, from `first` on.
  std::vector<Series*> series_from(SeriesId first, std::size_t count);
  const Metric* metric_of(SeriesId id) const;

  void save(ByteWriter& out) const;
  bool load(ByteReader& in);
  void clear();

 private:
  struct Place {
    Metric* metric;
    Series* series;
  };
  Bucket* bucket(SeriesId id, std::uint8_t tier, std::int64_t second);
  TextMap<std::unique_ptr<Metric>> metrics_;
  std::map<SeriesId, Place> by_id_;
  std::vector<Place> fast_;  // by id, for the way in; empty places for those that are gone
  SeriesId next_id_ = 1;
  std::size_t hot_bytes_ = 0;
};

void append_metric_id(ByteWriter& out, const MetricId& id);
MetricId read_metric_id(ByteReader& in);
// Merges what lies in [from, to) into windows of `period` seconds that start at `from`.
void merge_window(std::vector<Bucket>& into, const std::vector<Bucket>& from_buckets, std::int64_t from, std::int64_t to, std::int64_t period);

}  // namespace reef::metrics
