#include "engine/edge/key_sets.h"

namespace reef::edge {
namespace {

// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-verify-jwt.html
constexpr std::size_t kBytesMax = 150 * 1024, kKeysMax = 10;
constexpr std::size_t kSetsMax = 1'000;
constexpr Duration kLasts = std::chrono::minutes(5), kPause = 10s, kPatience = 5s;

}  // namespace

Task<Result<std::shared_ptr<const KeySet>, Failure>> KeySets::find(std::string url, std::string key_id, Time now) {
  if (const auto found = kept_.find(url); found != kept_.end()) {
    const Duration age = now - found->second.fetched;
    // Tokens of strangers name any key: that asks the issuer again only now and then.
    const bool is_known = key_id.empty() || has_key(*found->second.keys, key_id);
    if (age >= Duration(0) && age < (is_known ? kLasts : kPause)) co_return found->second.keys;
  }
  auto text = co_await web_.read(url, kBytesMax, kPatience);
  auto keys = text ? parse_key_set(*text, kKeysMax) : Result<KeySet, Failure>(Err(std::move(text.error())));
  if (!keys) {
    // An issuer that is away for a moment does not lock out those whose key is known.
    if (const auto found = kept_.find(url); found != kept_.end() && has_key(*found->second.keys, key_id)) co_return found->second.keys;
    co_return Err(std::move(keys.error()));
  }
  if (kept_.size() >= kSetsMax) kept_.clear();
  const auto made = std::make_shared<const KeySet>(*std::move(keys));
  kept_.insert_or_assign(url, Kept{.keys = made, .fetched = now});
  co_return made;
}

}  // namespace reef::edge
