#include "engine/edge/balancer/sign_in.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/edge/balancer/cookies.h"
#include "engine/edge/balancer/handler.h"
#include "wire/form.h"

namespace reef::edge {
namespace {

using wire::Json;

constexpr std::string_view kNonceCookie = "AWSALBAuthNonce";
constexpr std::size_t kProviderReplyMax = 64 * 1024;
constexpr Duration kProviderPatience = 10s;
constexpr int kProviderFailed = 561, kTooManyClaims = 500;

// HTTP/2 clients may send several.
std::string all_cookies(const http::Request& request) {
  std::string out;
  for (const http::HeaderView& header : request.headers)
    if (header.name == "cookie") out.append(out.empty() ? "" : "; ").append(header.value);
  return out;
}

std::string base_url(const http::Request& request, int listener_port) {
  std::string out = fmt::format("{}://{}", request.is_tls ? "https" : "http", request.host);
  const bool names_port = request.host.rfind(':') != std::string_view::npos && request.host.rfind(':') > request.host.rfind(']') + 1;
  const bool is_default = listener_port == (request.is_tls ? 443 : 80);
  if (!names_port && !is_default) out += fmt::format(":{}", listener_port);
  return out;
}

http::Response redirect(std::string url) {
  http::Response out = make_error(302);
  out.set("Location", url);
  return out;
}

// A provider's JSON answer with status 200, or nothing; what went wrong is logged without what was said.
Task<std::optional<Json>> ask(Web& web, const std::string& url, http::Outgoing request, std::string_view what) {
  const auto to = parse_provider_url(url);
  if (!to) co_return std::nullopt;
  request.host = to->host;
  request.port = to->port;
  request.tls = to->tls;
  request.target = to->target;
  request.timeout = kProviderPatience;
  auto reply = co_await web.send(std::move(request));
  if (!reply) {
    log::warn("an identity provider cannot be reached", {{"endpoint", what}, {"host", to->host}, {"reason", reply.error().message}});
    co_return std::nullopt;
  }
  std::string text = std::move(reply->body);
  if (reply->stream) {
    auto read = co_await http::read_all(*reply->stream, kProviderReplyMax);
    if (!read) co_return std::nullopt;
    text = *std::move(read);
  }
  auto json = Json::parse(text);
  if (reply->status != 200 || !json || !json->is_object()) {
    log::warn("an identity provider refused", {{"endpoint", what}, {"host", to->host}, {"status", reply->status}});
    co_return std::nullopt;
  }
  co_return *std::move(json);
}

Task<std::optional<Json>> ask_tokens(const SignIn& with, Web& web, std::string body) {
  http::Outgoing request{.method = "POST"};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"},
                     {"Authorization", "Basic " + base64_encode(percent_encode(with.client_id) + ":" + percent_encode(with.find_secret ? with.find_secret() : with.client_secret))}};
  request.body = std::move(body);
  co_return co_await ask(web, with.token_endpoint, std::move(request), "token");
}

// Puts what the provider's tokens give into the session: false when the provider failed.
Task<bool> take_tokens(const SignIn& with, Web& web, Json tokens, Session& session, Time now) {
  session.access_token = tokens.text("access_token");
  if (session.access_token.empty()) co_return false;
  if (!tokens.text("refresh_token").empty()) session.refresh_token = tokens.text("refresh_token");
  const auto seconds = tokens["expires_in"].as_int();
  session.token_expires = seconds && *seconds > 0 ? now + std::chrono::seconds(*seconds) : Time{};
  http::Outgoing request;
  request.headers = {{"Authorization", "Bearer " + session.access_token}, {"Accept", "application/json"}};
  auto claims = co_await ask(web, with.user_info_endpoint, std::move(request), "user info");
  if (!claims || claims->text("sub").empty()) co_return false;
  session.subject = claims->text("sub");
  session.claims = *std::move(claims);
  co_return true;
}

}  // namespace

Task<SignedIn> sign_in(const SignIn& with, const http::Request& request, int listener_port, Web& web, Time now) {
  SignedIn out;
  auto session = read_session(with, all_cookies(request), now);
  if (session && session->token_expires != Time{} && now >= session->token_expires && !session->refresh_token.empty()) {
    auto tokens = co_await ask_tokens(with, web, fmt::format("grant_type=refresh_token&refresh_token={}", percent_encode(session->refresh_token)));
    if (tokens && co_await take_tokens(with, web, *std::move(tokens), *session, now)) out.cookies = session_cookies(with, *session, now);
    else session.reset();
  }
  if (session) {
    out.headers = {{"X-Amzn-Oidc-Accesstoken", session->access_token}, {"X-Amzn-Oidc-Identity", session->subject}, {"X-Amzn-Oidc-Data", claims_token(with, *session, now)}};
    co_return out;
  }
  if (with.otherwise == Unauthenticated::kAllow) co_return out;
  if (with.otherwise == Unauthenticated::kDeny) {
    out.answer = make_error(401);
    co_return out;
  }
  const std::string nonce = make_token(thread_random(), 32), base = base_url(request, listener_port);
  out.answer = redirect(authorization_url(with, base + std::string(kSignInReturnPath), base + std::string(request.target), nonce, now));
  out.answer->add("Set-Cookie", fmt::format("{}={}; Expires={}; Path=/; Secure; HttpOnly; SameSite=None", kNonceCookie, nonce, format_http_date(now + std::chrono::minutes(15))));
  co_return out;
}

Task<http::Response> finish_sign_in(const SignIn& with, const ReturnState& state, const http::Request& request, int listener_port, Web& web, Time now) {
  const std::string cookies = all_cookies(request);
  const wire::Form query(request.query);
  // Whoever comes back must be the browser that was sent away.
  const std::string_view nonce = cookie_value(cookies, kNonceCookie);
  if (nonce.empty() || nonce != state.nonce || query.find("error") || query.value("code").empty()) co_return make_error(401);
  auto tokens = co_await ask_tokens(with, web, fmt::format("grant_type=authorization_code&code={}&redirect_uri={}", percent_encode(query.value("code")),
                                                              percent_encode(base_url(request, listener_port) + std::string(kSignInReturnPath))));
  Session session{.signed_in = now};
  if (!tokens || !co_await take_tokens(with, web, *std::move(tokens), session, now)) co_return make_error(kProviderFailed);
  const auto kept = session_cookies(with, session, now);
  if (kept.empty()) co_return make_error(kTooManyClaims);
  http::Response out = redirect(state.url);
  for (const std::string& cookie : kept) out.add("Set-Cookie", cookie);
  out.add("Set-Cookie", fmt::format("{}=; Expires={}; Path=/; Secure; HttpOnly; SameSite=None", kNonceCookie, format_http_date(now - std::chrono::hours(24))));
  co_return out;
}

}  // namespace reef::edge
