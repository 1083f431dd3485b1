// An event as buses carry it. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace reef::events {

struct Event {
  std::string id;           // a UUID
  std::string detail_type, source, account, region;
  Time time{};
  std::vector<std::string> resources;
  std::string detail = "{}";  // a JSON object as it was sent
  std::string replay_name;    // of events that an archive sends again
};

// The JSON that rules match and targets get; times in whole seconds.
std::string to_json(const Event& event);
// Nothing for what is no such JSON.
std::optional<Event> parse_event(std::string_view json);

}  // namespace reef::events
