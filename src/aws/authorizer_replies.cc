#include "aws/authorizer_replies.h"

#include <fmt/format.h>

namespace reef::aws {
namespace {

constexpr std::size_t kRepliesMax = 10'000;

}  // namespace

AuthorizerReplies& AuthorizerReplies::of_this_loop() {
  thread_local auto* const one = new AuthorizerReplies();
  return *one;
}

std::string AuthorizerReplies::key(std::string_view api, std::string_view stage, std::string_view authorizer, const std::vector<std::string>& identity) {
  std::string out = fmt::format("{}/{}/{}", api, stage, authorizer);
  for (const std::string& value : identity) out += fmt::format("/{}:{}", value.size(), value);
  return out;
}

const wire::Json* AuthorizerReplies::find(std::string_view key, Time now) const {
  const auto found = replies_.find(key);
  return found != replies_.end() && now < found->second.until ? &found->second.json : nullptr;
}

void AuthorizerReplies::keep(std::string key, wire::Json reply, Time until) {
  if (replies_.size() >= kRepliesMax) replies_.clear();
  replies_.insert_or_assign(std::move(key), Reply{.json = std::move(reply), .until = until});
}

}  // namespace reef::aws
