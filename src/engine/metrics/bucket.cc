#include "engine/metrics/bucket.h"

#include <algorithm>
#include <bit>
#include <string>

namespace reef::metrics {
namespace {

constexpr std::uint8_t kHidden = 1, kValues = 2, kSingle = 4;

void put_double(ByteWriter& out, double value) { out.fixed(std::bit_cast<std::uint64_t>(value)); }
double get_double(ByteReader& in) { return std::bit_cast<double>(in.fixed<std::uint64_t>()); }

bool is_uniform(const Summary& summary) { return summary.min == summary.max; }

}  // namespace

void Summary::merge(const Summary& other) {
  if (other.count <= 0) return;
  if (count <= 0) {
    *this = other;
    return;
  }
  count += other.count;
  sum += other.sum;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

void Bucket::add(double value, double count) { add(Summary{.count = count, .sum = value * count, .min = value, .max = value}); }

void Bucket::add(const Summary& set) {
  if (set.count <= 0) return;
  if (!is_uniform(set) && set.count > 1) {
    is_hidden = true;
    values.reset();
  } else if (!is_hidden) {
    if (values) {
      values->add(set.min, set.count);
    } else if (summary.count > 0 && !(is_uniform(summary) && summary.min == set.min)) {
      values = std::make_unique<Distribution>();
      values->add(summary.min, summary.count);
      values->add(set.min, set.count);
    }
  }
  summary.merge(set);
}

void Bucket::merge(const Bucket& other) {
  if (other.summary.count <= 0) return;
  if (!other.is_hidden && !other.values) return add(other.summary);
  if (other.is_hidden || is_hidden) {
    is_hidden = true;
    values.reset();
  } else {
    if (!values) {
      values = std::make_unique<Distribution>();
      if (summary.count > 0) values->add(summary.min, summary.count);
    }
    values->merge(*other.values);
  }
  summary.merge(other.summary);
}

std::optional<Distribution> Bucket::distribution() const {
  if (is_hidden) return std::nullopt;
  if (values) return *values;
  Distribution single;
  single.add(summary.min, summary.count);
  return single;
}

std::string encode_buckets(const std::vector<Bucket>& buckets) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(buckets.size());
  std::int64_t before = 0;
  for (const Bucket& bucket : buckets) {
    out.varint(static_cast<std::uint64_t>(bucket.second - before));
    before = bucket.second;
    const bool is_single = !bucket.is_hidden && !bucket.values;
    out.fixed(static_cast<std::uint8_t>((bucket.is_hidden ? kHidden : 0) | (bucket.values ? kValues : 0) | (is_single ? kSingle : 0)));
    put_double(out, bucket.summary.count);
    put_double(out, bucket.summary.sum);
    put_double(out, bucket.summary.min);
    if (!is_single) put_double(out, bucket.summary.max);
    if (bucket.values) bucket.values->append_to(out);
  }
  return bytes;
}

std::optional<std::vector<Bucket>> decode_buckets(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > bytes.size()) return std::nullopt;
  std::vector<Bucket> buckets(count);
  std::int64_t before = 0;
  for (Bucket& bucket : buckets) {
    const std::uint64_t step = in.varint();
    if (step > (std::uint64_t{1} << 40)) return std::nullopt;
    bucket.second = before + static_cast<std::int64_t>(step);
    before = bucket.second;
    const auto flags = in.fixed<std::uint8_t>();
    bucket.is_hidden = (flags & kHidden) != 0;
    bucket.summary.count = get_double(in);
    bucket.summary.sum = get_double(in);
    bucket.summary.min = get_double(in);
    bucket.summary.max = (flags & kSingle) ? bucket.summary.min : get_double(in);
    if (flags & kValues) {
      bucket.values = std::make_unique<Distribution>();
      if (!bucket.values->read_from(in)) return std::nullopt;
    }
    if (!in.ok()) return std::nullopt;
  }
  return buckets;
}

Bucket& bucket_at(std::vector<Bucket>& buckets, std::int64_t second) {
  if (!buckets.empty() && buckets.back().second == second) return buckets.back();
  if (buckets.empty() || buckets.back().second < second) {
    Bucket& made = buckets.emplace_back();
    made.second = second;
    return made;
  }
  const auto at = std::lower_bound(buckets.begin(), buckets.end(), second, [](const Bucket& one, std::int64_t wanted) { return one.second < wanted; });
  if (at->second == second) return *at;
  Bucket& made = *buckets.emplace(at);
  made.second = second;
  return made;
}

void merge_buckets(std::vector<Bucket>& into, const std::vector<Bucket>& from, std::int64_t resolution) {
  for (const Bucket& bucket : from) bucket_at(into, bucket.second - bucket.second % resolution).merge(bucket);
}

}  // namespace reef::metrics
