#include "engine/function/extensions.h"

#include <utility>

namespace reef::function {

std::string Extensions::add(std::string name, bool wants_invoke, bool wants_shutdown, Random& random) {
  std::string id = make_uuid(random);
  extensions_[id] = {std::move(name), wants_invoke, wants_shutdown};
  return id;
}

Task<std::string> Extensions::next(std::string id) {
  Extension& extension = extensions_.at(id);
  if (!extension.events.empty()) {
    std::string event = std::move(extension.events.front());
    extension.events.pop_front();
    co_return event;
  }
  if (ended_ || extension.waiting) co_return std::string();
  Later<std::string> later;
  extension.waiting = &later;
  co_return co_await later;
}

bool Extensions::all_waiting() const {
  for (const auto& [id, extension] : extensions_)
    if (!extension.waiting) return false;
  return true;
}

bool Extensions::wants_shutdown() const {
  for (const auto& [id, extension] : extensions_)
    if (extension.wants_shutdown) return true;
  return false;
}

void Extensions::publish(Extension& extension, const std::string& json) {
  if (extension.waiting)
    std::exchange(extension.waiting, nullptr)->set(json);
  else
    extension.events.push_back(json);
}

void Extensions::publish_invoke(const std::string& json) {
  for (auto& [id, extension] : extensions_)
    if (extension.wants_invoke) publish(extension, json);
}

void Extensions::publish_shutdown(const std::string& json) {
  for (auto& [id, extension] : extensions_)
    if (extension.wants_shutdown) publish(extension, json);
}

void Extensions::end() {
  ended_ = true;
  for (auto& [id, extension] : extensions_)
    if (extension.waiting) std::exchange(extension.waiting, nullptr)->set({});
}

}  // namespace reef::function
