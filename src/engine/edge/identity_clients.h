// The secrets of this machine's own OAuth clients, for the parts that act as them: load balancers that sign users in with a user
// pool. Whoever owns the clients keeps it current. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/text.h"

namespace reef::edge {

class IdentityClients {
 public:
  // `pool` is an ARN; a client may have no secret.
  void put(std::string_view pool, std::string_view client, std::string secret) {
    secrets_.write([&](auto& all) { all.insert_or_assign(key(pool, client), std::move(secret)); });
  }
  void erase(std::string_view pool, std::string_view client) {
    secrets_.write([&](auto& all) { all.erase(key(pool, client)); });
  }
  void clear() {
    secrets_.write([](auto& all) { all.clear(); });
  }
  // Nothing when there is no such client.
  std::optional<std::string> find(std::string_view pool, std::string_view client) const {
    return secrets_.read([&](const auto& all) -> std::optional<std::string> {
      const auto found = all.find(key(pool, client));
      return found == all.end() ? std::nullopt : std::optional(found->second);
    });
  }

 private:
  static std::string key(std::string_view pool, std::string_view client) { return std::string(pool) + "\n" + std::string(client); }
  Guarded<TextMap<std::string>> secrets_;
};

}  // namespace reef::edge
