// How the rest of the system publishes metrics of its own (AWS/SQS, AWS/Lambda, ...): added up on each loop, handed to the
// control shard each second. Cheap enough for every request: one look-up by a text that the caller mostly has anyway.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "base/text.h"
#include "engine/metrics/metrics.h"
#include "engine/store/shard.h"

namespace reef::metrics {

// What a group of measures is about.
struct Subject {
  std::string_view account, region;
  std::string_view space;  // "AWS/SQS"
  // In order of name; at most four.
  std::initializer_list<std::pair<std::string_view, std::string_view>> dimensions;
};

struct Measure {
  std::string_view name;  // a literal: it is kept as it is
  double value = 0;
  Unit unit = Unit::kCount;
  double count = 1;       // so many samples of that value
};

class Counters {
 public:
  explicit Counters(Metrics& metrics);

  // From any loop that is a shard's.
  void add(const Subject& subject, std::initializer_list<Measure> measures);
  // What was added on all loops until now is in the metrics when it returns. On the control shard.
  Task<void> collect();
  void forget();  // everything was wiped

 private:
  struct Total {
    std::string_view name;
    Unit unit;
    Summary summary;
    Distribution values;
  };
  struct Group {
    std::string scope, space;
    Dimensions dimensions;
    std::vector<Total> totals;
  };
  struct Loop {
    TextMap<Group> groups;
    std::string key;            // kept for its memory
    std::int64_t second = 0;    // of the first measure since the last time
    bool is_armed = false;
  };
  using Taken = std::pair<std::int64_t, TextMap<Group>>;
  static void take(Loop& loop, Taken& into);
  void put(const Taken& taken);
  void arm(Loop& loop);

  Metrics& metrics_;
  std::vector<std::unique_ptr<Loop>> loops_;  // by shard; each touched on its own thread only
};

}  // namespace reef::metrics
