#include "service/cognitoidp/session.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/seal.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

constexpr Duration kLasts = std::chrono::minutes(3);

}  // namespace

std::string make_session(const Pool& pool, const Session& session, Time now) {
  const Json json = Json::object({{"h", session.challenge}, {"c", session.who.client}, {"u", session.who.user}, {"v", session.is_verified}, {"x", session.extra}, {"e", to_micros(now + kLasts)}});
  // Whoever reads it has to know whose key sealed it.
  return base64url_encode(pool.id()) + "." + base64url_encode(seal(pool.seal_key, "session", json.dump()));
}

Reply<Session> read_session(Cognito& service, std::string_view text, std::string_view challenge, std::string_view client_id, Time now) {
  const auto wrong = [](std::string_view what) { return Err(aws::Error(errors::kNotAuthorizedException, std::string(what))); };
  const auto dot = text.find('.');
  const auto id = dot == std::string_view::npos ? std::nullopt : base64url_decode(text.substr(0, dot));
  const auto found = id ? service.pools.find(*id) : service.pools.end();
  if (found == service.pools.end()) return wrong("Invalid session for the user.");
  const auto sealed = base64url_decode(text.substr(dot + 1));
  const auto open = sealed ? unseal(found->second->seal_key, "session", *sealed) : std::nullopt;
  const auto json = open ? Json::parse(*open) : Json::parse("null");
  if (!open || !json || json->text("h") != challenge || (!client_id.empty() && json->text("c") != client_id)) return wrong("Invalid session for the user.");
  if (now >= from_micros((*json)["e"].as_int().value_or(0))) return wrong("Invalid session for the user, session is expired.");
  return Session{.challenge = std::string(challenge), .who = {.pool = *id, .client = json->text("c"), .user = json->text("u")}, .is_verified = (*json)["v"].as_bool(), .extra = json->text("x")};
}

}  // namespace reef::service::cognito
