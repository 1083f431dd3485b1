// The filters of an event source mapping: event patterns, as rules of event buses have them.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
#pragma once

#include <string_view>

#include "engine/events/rule_index.h"
#include "wire/json.h"

namespace reef::service::lambda {

// An object without any rule is fine, too: it wants everything.
bool is_filter_pattern(std::string_view pattern);

// Not thread-safe.
class EventFilters {
 public:
  void add(std::string_view pattern);
  // Whether one of them wants the event, or there is none.
  bool want(const wire::Json& event);
  bool is_empty() const { return count_ == 0 && !want_all_; }

 private:
  events::RuleIndex index_;
  std::size_t count_ = 0;
  bool want_all_ = false;
};

}  // namespace reef::service::lambda
