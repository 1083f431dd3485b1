#include "engine/metrics/distribution.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace reef::metrics {
namespace {

constexpr double kGamma = 1.02;
constexpr unsigned char kLevelMax = 20;

void add_sorted(std::vector<Distribution::Entry>& entries, double value, double count) {
  if (entries.empty() || entries.back().value < value) {
    entries.push_back({value, count});
    return;
  }
  const auto at = std::lower_bound(entries.begin(), entries.end(), value, [](const Distribution::Entry& one, double wanted) { return one.value < wanted; });
  if (at != entries.end() && at->value == value) at->count += count;
  else entries.insert(at, {value, count});
}

}  // namespace

// The middle of the class that the value falls into: DDSketch's (Masson, Rim, Lee 2019).
double Distribution::representative(double value) const {
  if (level_ == 0 || value == 0) return value;
  const double log_gamma = std::log(kGamma) * std::ldexp(1.0, level_ - 1);
  const double index = std::ceil(std::log(std::fabs(value)) / log_gamma);
  const double gamma = std::exp(log_gamma);
  return std::copysign(2 * std::exp(index * log_gamma) / (gamma + 1), value);
}

void Distribution::add(double value, double count) {
  if (count <= 0) return;
  add_sorted(entries_, representative(value), count);
  if (entries_.size() > (level_ == 0 ? kExactMax : kClassesMax)) coarsen();
}

void Distribution::coarsen() {
  while (level_ < kLevelMax && entries_.size() > (level_ == 0 ? kExactMax : kClassesMax)) {
    ++level_;
    std::vector<Entry> before;
    before.swap(entries_);
    for (const Entry& one : before) add_sorted(entries_, representative(one.value), one.count);
  }
}

void Distribution::merge(const Distribution& other) {
  if (other.level_ > level_) {
    level_ = other.level_;
    std::vector<Entry> before;
    before.swap(entries_);
    for (const Entry& one : before) add_sorted(entries_, representative(one.value), one.count);
  }
  for (const Entry& one : other.entries_) add(one.value, one.count);
}

double Distribution::total() const {
  double sum = 0;
  for (const Entry& one : entries_) sum += one.count;
  return sum;
}

double Distribution::percentile(double fraction) const {
  if (entries_.empty()) return 0;
  const double all = total();
  // Between the two samples around the rank, as percentiles of a list of samples are usually taken.
  const double rank = std::clamp(fraction, 0.0, 1.0) * (all - 1);
  double before = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const double last = before + entries_[i].count - 1;  // rank of this value's last sample
    if (rank <= last || i + 1 == entries_.size()) return entries_[i].value;
    if (rank < last + 1) return entries_[i].value + (rank - last) * (entries_[i + 1].value - entries_[i].value);
    before += entries_[i].count;
  }
  return entries_.back().value;
}

double Distribution::count_between(double low, double high) const { return sum_between(low, high).second; }

std::pair<double, double> Distribution::sum_between(double low, double high) const {
  double sum = 0, count = 0;
  for (const Entry& one : entries_) {
    if (one.value <= low || one.value > high) continue;
    sum += one.value * one.count;
    count += one.count;
  }
  return {sum, count};
}

std::pair<double, double> Distribution::sum_between_ranks(double low, double high) const {
  const double all = total(), from = low * all, to = high * all;
  double sum = 0, count = 0, before = 0;
  for (const Entry& one : entries_) {
    const double part = std::min(before + one.count, to) - std::max(before, from);
    if (part > 0) {
      sum += one.value * part;
      count += part;
    }
    before += one.count;
  }
  return {sum, count};
}

void Distribution::append_to(ByteWriter& out) const {
  out.fixed(level_);
  out.varint(entries_.size());
  for (const Entry& one : entries_) {
    out.fixed(std::bit_cast<std::uint64_t>(one.value));
    out.fixed(std::bit_cast<std::uint64_t>(one.count));
  }
}

bool Distribution::read_from(ByteReader& in) {
  level_ = in.fixed<unsigned char>();
  const std::uint64_t count = in.varint();
  if (!in.ok() || level_ > kLevelMax || count > in.rest().size() / 16) return false;
  entries_.clear();
  entries_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const double value = std::bit_cast<double>(in.fixed<std::uint64_t>());
    entries_.push_back({value, std::bit_cast<double>(in.fixed<std::uint64_t>())});
  }
  return in.ok();
}

}  // namespace reef::metrics
