// Host names that belong to parts of the system (load balancers, caches, databases) and the addresses they have. Whoever
// owns a part puts its name here; whoever resolves names looks here. Any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/text.h"

namespace reef::edge {

class HostNames {
 public:
  // `speaks_http`: requests that name it find their way by that alone, wherever they come in.
  void put(std::string_view name, std::string address, bool speaks_http = true) {
    wordless_.write([&](auto& all) {
      if (speaks_http) all.erase(to_lower(name));
      else all.insert(to_lower(name));
    });
    names_.write([&](auto& names) { names.insert_or_assign(to_lower(name), std::move(address)); });
    changed();
  }
  void remove(std::string_view name) {
    names_.write([&](auto& names) { names.erase(to_lower(name)); });
    unhealthy_.write([&](auto& all) { all.erase(to_lower(name)); });
    wordless_.write([&](auto& all) { all.erase(to_lower(name)); });
    changed();
  }
  void clear() {
    names_.write([](auto& names) { names.clear(); });
    changed();
  }
  // "127.64.0.3"; the name without a dot at its end.
  std::optional<std::string> find(std::string_view name) const {
    return names_.read([&](const auto& names) -> std::optional<std::string> {
      const auto found = names.find(to_lower(name));
      return found == names.end() ? std::nullopt : std::optional(found->second);
    });
  }
  // For DNS aliases that look at the health of what they lead to. A name is healthy until told otherwise.
  void set_healthy(std::string_view name, bool healthy) {
    const bool was = is_healthy(name);
    unhealthy_.write([&](auto& all) {
      if (healthy) all.erase(to_lower(name));
      else all.insert(to_lower(name));
    });
    if (was != healthy) changed();
  }
  bool is_healthy(std::string_view name) const {
    return unhealthy_.read([&](const auto& all) { return !all.contains(to_lower(name)); });
  }
  // Whether its own address is the only way to it.
  bool needs_address(std::string_view name) const {
    return wordless_.read([&](const auto& all) { return all.contains(to_lower(name)); });
  }
  // In order of name.
  std::map<std::string, std::string> all() const {
    return names_.read([](const auto& names) { return std::map<std::string, std::string>(names.begin(), names.end()); });
  }

  // Told of each change, on the thread that makes it: the DNS server. Set before there is any.
  void set_watcher(std::function<void()> watcher) { watcher_ = std::move(watcher); }

 private:
  void changed() const {
    if (watcher_) watcher_();
  }
  std::function<void()> watcher_;
  Guarded<TextMap<std::string>> names_;
  Guarded<std::set<std::string, std::less<>>> unhealthy_, wordless_;
};

}  // namespace reef::edge
