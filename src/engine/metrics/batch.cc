#include "engine/metrics/batch.h"

#include <bit>

namespace reef::metrics {
namespace {

// The low bit of the first byte is the tier, the rest says what follows.
enum Form : std::uint8_t { kOne, kRepeated, kSet, kList };

void put(ByteWriter& out, double value) { out.fixed(std::bit_cast<std::uint64_t>(value)); }
double get(ByteReader& in) { return std::bit_cast<double>(in.fixed<std::uint64_t>()); }

}  // namespace

void Batch::head(SeriesId series, std::uint8_t tier, std::int64_t second, std::uint8_t form) {
  out_.fixed(static_cast<std::uint8_t>(form << 1 | tier));
  out_.varint(series);
  out_.varint(static_cast<std::uint64_t>(second));
}

void Batch::add(SeriesId series, std::uint8_t tier, std::int64_t second, double value, double count) {
  head(series, tier, second, count == 1 ? kOne : kRepeated);
  put(out_, value);
  if (count != 1) put(out_, count);
}

void Batch::add(SeriesId series, std::uint8_t tier, std::int64_t second, const Summary& set) {
  head(series, tier, second, kSet);
  for (const double part : {set.count, set.sum, set.min, set.max}) put(out_, part);
}

void Batch::add(SeriesId series, std::uint8_t tier, std::int64_t second, const std::vector<Distribution::Entry>& values) {
  if (values.size() == 1) return add(series, tier, second, values[0].value, values[0].count);
  head(series, tier, second, kList);
  out_.varint(values.size());
  for (const auto& [value, count] : values) {
    put(out_, value);
    put(out_, count);
  }
}

bool apply_points(ByteReader& in, SeriesStore& store) {
  std::vector<Distribution::Entry> values;
  while (!in.at_end()) {
    const auto first = in.fixed<std::uint8_t>();
    const auto tier = static_cast<std::uint8_t>(first & 1);
    const auto series = static_cast<SeriesId>(in.varint());
    const auto second = static_cast<std::int64_t>(in.varint());
    switch (first >> 1) {
      case kOne: {
        const double value = get(in);
        if (in.ok()) store.add(series, tier, second, Summary{1, value, value, value});
        break;
      }
      case kRepeated: {
        const double value = get(in), count = get(in);
        if (in.ok()) store.add(series, tier, second, Summary{count, value * count, value, value});
        break;
      }
      case kSet: {
        const double count = get(in), sum = get(in), min = get(in), max = get(in);
        if (in.ok()) store.add(series, tier, second, Summary{count, sum, min, max});
        break;
      }
      case kList: {
        values.clear();
        for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
          const double value = get(in);
          values.push_back({value, get(in)});
        }
        if (in.ok()) store.add(series, tier, second, values);
        break;
      }
      default: return false;
    }
    if (!in.ok()) return false;
  }
  return true;
}

}  // namespace reef::metrics
