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

Task<Result<std::shared_ptr<const KeySet>, Failure>> KeySets::find_issuer(std::string issuer, std::string key_id, Time now) {
  constexpr Duration kPlaceLasts = std::chrono::hours(1);
  auto found = places_.find(issuer);
  if (found == places_.end() || now >= found->second.fetched + kPlaceLasts) {
    const std::string base = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
    const std::string text = CO_TRY(co_await web_.read(base + "/.well-known/openid-configuration", kBytesMax, kPatience));
    const auto json = wire::Json::parse(text);
    const std::string url = json && json->is_object() ? json->text("jwks_uri") : std::string();
    if (url.empty()) co_return Err(Failure{"the discovery document names no keys"});
    if (places_.size() >= kSetsMax) places_.clear();
    found = places_.insert_or_assign(issuer, Place{.url = url, .fetched = now}).first;
  }
  co_return co_await find(found->second.url, std::move(key_id), now);
}

KeySets& KeySets::of_this_loop(const Sites& sites, const std::string& trusted_pem) {
  // Never destroyed, as its connections belong to a loop that may be gone before thread-local objects are.
  thread_local auto* const web = new Web(io::Reactor::current(), trusted_pem, &sites);
  thread_local auto* const one = new KeySets(*web);
  return *one;
}

}  // namespace reef::edge
