// What functions that authorize requests to APIs have said, for as long as it holds. Each loop keeps its own.
#pragma once

#include <string>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "wire/json.h"

namespace reef::aws {

class AuthorizerReplies {
 public:
  static AuthorizerReplies& of_this_loop();

  // Names who asks an authorizer. No two lists of values have the same name, whatever bytes callers put into them.
  static std::string key(std::string_view api, std::string_view stage, std::string_view authorizer, const std::vector<std::string>& identity);

  const wire::Json* find(std::string_view key, Time now) const;   // until the next keep()
  void keep(std::string key, wire::Json reply, Time until);

 private:
  struct Reply {
    wire::Json json;
    Time until{};
  };
  TextMap<Reply> replies_;
};

}  // namespace reef::aws
