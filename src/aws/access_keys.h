// The access keys that were issued here (by IAM and STS), as every loop's authentication sees them. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/call.h"
#include "base/guarded.h"
#include "base/text.h"
#include "base/time.h"

namespace reef::aws {

struct AccessKey {
  std::string secret;
  std::string session_token;      // temporary credentials: must come with the request
  Principal principal;
  std::optional<Time> expires_at;
  bool active = true;
};

class AccessKeys {
 public:
  // Keys that nobody issued here are believed, unless the daemon was told to refuse them. Said before the loops run.
  bool are_unknown_believed() const { return are_unknown_believed_; }
  void refuse_unknown() { are_unknown_believed_ = false; }

  void put(std::string id, AccessKey key) {
    keys_.write([&](auto& keys) { keys.insert_or_assign(std::move(id), std::move(key)); });
  }
  void erase(std::string_view id) {
    keys_.write([&](auto& keys) {
      if (const auto found = keys.find(id); found != keys.end()) keys.erase(found);
    });
  }
  std::optional<AccessKey> find(std::string_view id) const {
    return keys_.read([&](const auto& keys) -> std::optional<AccessKey> {
      const auto found = keys.find(id);
      if (found == keys.end()) return std::nullopt;
      return found->second;
    });
  }
  void clear() {
    keys_.write([](auto& keys) { keys.clear(); });
  }

 private:
  Guarded<TextMap<AccessKey>> keys_;
  bool are_unknown_believed_ = true;
};

}  // namespace reef::aws
