// What is kept of the data points of one interval: their number, sum and extremes, and the distribution of their
// values unless a statistic set hid it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/metrics/distribution.h"

namespace reef::metrics {

struct Summary {
  double count = 0, sum = 0, min = 0, max = 0;

  void merge(const Summary& other);
};

struct Bucket {
  std::int64_t second = 0;   // when the interval begins, seconds since 1970
  Summary summary;
  bool is_hidden = false;    // a statistic set is in it: its values are not known
  // More than one value: a single one is summary.min, and needs no list.
  std::unique_ptr<Distribution> values;

  void add(double value, double count);
  // Of several samples at once. Its values are known when there is one, or all are the same.
  void add(const Summary& set);
  void merge(const Bucket& other);
  // All values with their counts; nothing when they are not known.
  std::optional<Distribution> distribution() const;
  std::size_t memory_bytes() const { return sizeof *this + (values ? sizeof *values + values->memory_bytes() : 0); }
};

// Buckets in order of time, packed: what the store keeps on disk.
std::string encode_buckets(const std::vector<Bucket>& buckets);
// Nothing when the bytes make no sense.
std::optional<std::vector<Bucket>> decode_buckets(std::string_view bytes);

// Merges `from`, in order of time, into `into`, by the interval of `resolution` seconds that each falls into.
void merge_buckets(std::vector<Bucket>& into, const std::vector<Bucket>& from, std::int64_t resolution);
// The bucket of that second in a list in order of time; made when missing.
Bucket& bucket_at(std::vector<Bucket>& buckets, std::int64_t second);

}  // namespace reef::metrics
