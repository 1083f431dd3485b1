#include "service/lambda/event_filter.h"

namespace reef::service::lambda {
namespace {

bool is_empty_object(std::string_view pattern) {
  const auto json = wire::Json::parse(pattern);
  return json && json->is_object() && json->size() == 0;
}

}  // namespace

bool is_filter_pattern(std::string_view pattern) { return is_empty_object(pattern) || events::compile_pattern(pattern); }

// A pattern that cannot be read wants everything: it must not cost a message, as those that nobody wants are deleted.
void EventFilters::add(std::string_view pattern) {
  const auto compiled = events::compile_pattern(pattern);
  if (compiled) index_.add(++count_, *compiled);
  else want_all_ = true;
}

bool EventFilters::want(const wire::Json& event) { return want_all_ || is_empty() || !index_.match(event.dump()).empty(); }

}  // namespace reef::service::lambda
