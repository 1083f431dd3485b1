#include "engine/events/event.h"

#include "wire/json.h"

namespace reef::events {

std::string to_json(const Event& event) {
  std::string out;
  out.reserve(event.detail.size() + 300);
  wire::JsonWriter w(out);
  const auto text = [&](std::string_view name, std::string_view value) {
    w.key(name);
    w.string(value);
  };
  w.begin_object();
  text("version", "0");
  text("id", event.id);
  text("detail-type", event.detail_type);
  text("source", event.source);
  text("account", event.account);
  text("time", format_iso8601(event.time));
  text("region", event.region);
  w.key("resources");
  w.begin_array();
  for (const std::string& resource : event.resources) w.string(resource);
  w.end_array();
  if (!event.replay_name.empty()) text("replay-name", event.replay_name);
  w.key("detail");
  w.raw(event.detail);
  w.end_object();
  return out;
}

std::optional<Event> parse_event(std::string_view json) {
  wire::JsonReader in(json);
  if (in.peek() != wire::JsonKind::kObject) return std::nullopt;
  Event event;
  std::string_view key, value;
  in.begin_object();
  while (in.next_member(key)) {
    const std::string name(key);
    if (name == "detail") {
      if (in.read_raw(value)) event.detail = value;
    } else if (name == "resources") {
      if (!in.begin_array()) return std::nullopt;
      while (in.next_element())
        if (in.read_string(value)) event.resources.emplace_back(value);
    } else if (in.peek() != wire::JsonKind::kString) {
      in.skip();
    } else if (in.read_string(value)) {
      if (name == "id") event.id = value;
      else if (name == "detail-type") event.detail_type = value;
      else if (name == "source") event.source = value;
      else if (name == "account") event.account = value;
      else if (name == "region") event.region = value;
      else if (name == "replay-name") event.replay_name = value;
      else if (name == "time") event.time = parse_iso8601(value).value_or(Time{});
    }
  }
  if (!in.finish()) return std::nullopt;
  return event;
}

}  // namespace reef::events
