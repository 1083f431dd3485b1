// How often each value occurred, in bounded memory, so that any percentile can be asked for later.
//
// Always true:
// - Up to kExactMax different values are kept as they are; beyond, values are rounded to logarithmic classes.
// - A percentile is off by at most 1% of its value while the values span no more than nine decades; each doubling of
//   that span doubles the error.
// - Merging in any order gives the same counts.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace reef::metrics {

class Distribution {
 public:
  static constexpr std::size_t kExactMax = 32;
  static constexpr std::size_t kClassesMax = 1024;

  struct Entry {
    double value = 0;
    double count = 0;
  };

  void add(double value, double count);
  void merge(const Distribution& other);

  // In order of value.
  const std::vector<Entry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  double total() const;
  // The value below which `fraction` (0 to 1) of the samples lie.
  double percentile(double fraction) const;
  // Count of the samples with low < value <= high.
  double count_between(double low, double high) const;
  // Sum and count of the samples between two ranks, given as fractions of all samples.
  std::pair<double, double> sum_between_ranks(double low, double high) const;
  // Sum and count of the samples with low < value <= high.
  std::pair<double, double> sum_between(double low, double high) const;

  std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }
  void append_to(ByteWriter& out) const;
  bool read_from(ByteReader& in);

 private:
  double representative(double value) const;
  void coarsen();
  // 0: exact; k: classes whose bounds are 1.02^(2^(k-1)) apart.
  unsigned char level_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace reef::metrics
