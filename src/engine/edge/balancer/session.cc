// The pure parts of sign-in: URLs, sealed sessions and states, and the token for targets.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "engine/edge/balancer/cookies.h"
#include "engine/edge/balancer/sign_in.h"
#include "io/signing_key.h"

namespace reef::edge {
namespace {

using wire::Json;

constexpr std::size_t kShardBytes = 3800, kShardsMax = 4;   // browsers keep 4 KiB a cookie; AWS uses up to four
constexpr Duration kSignInMax = std::chrono::minutes(15);
constexpr Duration kTokenLasts = std::chrono::seconds(120);

// Sessions are shared by rules that sign in with the same provider and client under the same cookie.
std::string purpose_of(const SignIn& with) { return fmt::format("session\n{}\n{}\n{}", with.issuer, with.client_id, with.cookie); }

// Targets expect the padding that AWS keeps.
std::string padded(std::string_view bytes) {
  std::string out = base64url_encode(bytes);
  while (out.size() % 4 != 0) out += '=';
  return out;
}

}  // namespace

Result<std::pair<SignInKeys, std::string>, Failure> make_sign_in_keys() {
  auto pair = TRY(io::make_signing_key());
  SignInKeys keys{.seal = secret_bytes(kSealKeyBytes), .id = make_uuid(thread_random()), .private_pem = std::move(pair.private_pem)};
  return std::pair(std::move(keys), std::move(pair.public_pem));
}

std::optional<Session> read_session(const SignIn& with, std::string_view cookies, Time now) {
  std::string text;
  for (std::size_t i = 0; i < kShardsMax; ++i) {
    const std::string_view shard = cookie_value(cookies, fmt::format("{}-{}", with.cookie, i));
    if (shard.empty()) break;
    text += shard;
  }
  if (text.empty()) return std::nullopt;
  const auto sealed = base64url_decode(text);
  const auto open = sealed ? unseal(with.keys->seal, purpose_of(with), *sealed) : std::nullopt;
  if (!open) return std::nullopt;
  const auto json = Json::parse(*open);
  if (!json) return std::nullopt;
  Session out{.subject = json->text("s"), .access_token = json->text("a"), .refresh_token = json->text("r"), .claims = (*json)["c"],
              .signed_in = from_seconds((*json)["t"].as_int().value_or(0)), .token_expires = from_seconds((*json)["e"].as_int().value_or(0))};
  if (now >= out.signed_in + with.session_timeout) return std::nullopt;
  return out;
}

std::vector<std::string> session_cookies(const SignIn& with, const Session& session, Time now) {
  const Json json = Json::object({{"s", session.subject}, {"a", session.access_token}, {"r", session.refresh_token}, {"c", session.claims},
                                  {"t", to_seconds(session.signed_in)}, {"e", to_seconds(session.token_expires)}});
  const std::string text = base64url_encode(seal(with.keys->seal, purpose_of(with), json.dump()));
  std::vector<std::string> out;
  if (text.size() > kShardBytes * kShardsMax) return out;
  const std::string attributes = fmt::format("Expires={}; Path=/; Secure; HttpOnly; SameSite=None", format_http_date(session.signed_in + with.session_timeout));
  std::size_t shards = 0;
  for (std::size_t at = 0; at < text.size(); at += kShardBytes) out.push_back(fmt::format("{}-{}={}; {}", with.cookie, shards++, text.substr(at, kShardBytes), attributes));
  // What an earlier, larger session left behind would be read as a part of this one.
  if (shards < kShardsMax) out.push_back(fmt::format("{}-{}=; Expires={}; Path=/; Secure; HttpOnly; SameSite=None", with.cookie, shards, format_http_date(now - std::chrono::hours(24))));
  return out;
}

std::string authorization_url(const SignIn& with, std::string_view return_to, std::string_view return_url, std::string_view nonce, Time now) {
  const Json state = Json::object({{"r", with.rule}, {"n", nonce}, {"u", return_url}, {"e", to_seconds(now + kSignInMax)}});
  std::string out = with.authorization_endpoint;
  out += out.find('?') == std::string::npos ? '?' : '&';
  out += fmt::format("client_id={}&redirect_uri={}&response_type=code&scope={}&state={}", percent_encode(with.client_id), percent_encode(return_to),
                     percent_encode(with.scope), base64url_encode(seal(with.keys->seal, "state", state.dump())));
  for (const auto& [name, value] : with.extra_parameters) out += fmt::format("&{}={}", percent_encode(name), percent_encode(value));
  return out;
}

std::optional<ReturnState> read_state(const SignInKeys& keys, std::string_view state, Time now) {
  const auto sealed = base64url_decode(state);
  const auto open = sealed ? unseal(keys.seal, "state", *sealed) : std::nullopt;
  const auto json = open ? Json::parse(*open) : Json::parse("null");
  if (!open || !json || now >= from_seconds((*json)["e"].as_int().value_or(0))) return std::nullopt;
  return ReturnState{.rule = json->text("r"), .nonce = json->text("n"), .url = json->text("u")};
}

std::string claims_token(const SignIn& with, const Session& session, Time now) {
  const std::int64_t expires = to_seconds(now + kTokenLasts);
  const Json head = Json::object({{"typ", "JWT"}, {"kid", with.keys->id}, {"alg", "ES256"}, {"iss", with.issuer}, {"client", with.client_id}, {"signer", with.signer}, {"exp", expires}});
  Json claims = session.claims;
  claims.set("exp", expires);
  claims.set("iss", with.issuer);
  const std::string text = padded(head.dump()) + "." + padded(claims.dump());
  const auto signature = io::sign_es256(with.keys->private_pem, text);
  if (!signature) {
    log::error("a token for targets cannot be signed", {{"reason", signature.error().message}});
    return {};
  }
  return text + "." + padded(*signature);
}

}  // namespace reef::edge
