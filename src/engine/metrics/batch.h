// Data points on their way in, as the journal keeps them: what is appended is what is applied, now and at recovery.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/metrics/series.h"

namespace reef::metrics {

// The types of the journal's records of this engine.
enum class RecordType : std::uint8_t { kPoints = 1, kDefine = 2, kFlush = 3, kFlushed = 4, kForget = 5 };

class Batch {
 public:
  Batch() : out_(bytes_) { out_.fixed(RecordType::kPoints); }
  void add(SeriesId series, std::uint8_t tier, std::int64_t second, double value, double count = 1);
  void add(SeriesId series, std::uint8_t tier, std::int64_t second, const Summary& set);
  void add(SeriesId series, std::uint8_t tier, std::int64_t second, const std::vector<Distribution::Entry>& values);
  bool empty() const { return bytes_.size() == 1; }
  std::string_view bytes() const { return bytes_; }

 private:
  void head(SeriesId series, std::uint8_t tier, std::int64_t second, std::uint8_t form);
  std::string bytes_;
  ByteWriter out_;
};

// `bytes` after the record type. False when they make no sense.
bool apply_points(ByteReader& in, SeriesStore& store);

}  // namespace reef::metrics
