// The endpoints of a user pool's domain for browsers: /oauth2/authorize, /login and /logout.
// https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "engine/edge/balancer/cookies.h"
#include "engine/identity/totp.h"
#include "service/cognitoidp/hosted.h"
#include "service/cognitoidp/pages.h"
#include "service/cognitoidp/session.h"
#include "service/cognitoidp/token_endpoint.h"
#include "wire/form.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

constexpr std::uint64_t kBodyMax = 64 * 1024;
constexpr std::size_t kGrantsMax = 10'000;
constexpr Duration kGrantLasts = std::chrono::minutes(5), kCookieLasts = std::chrono::hours(1);
constexpr std::string_view kSessionCookie = "cognito", kCsrfCookie = "XSRF-TOKEN";

bool holds(const std::optional<std::vector<std::string>>& all, std::string_view one) { return all && std::find(all->begin(), all->end(), one) != all->end(); }

http::Response redirect_to(const std::string& url) {
  http::Response out;
  out.status = 302;
  out.set("Location", url);
  out.set("Cache-Control", "no-store");
  return out;
}

std::string with_query(std::string url, std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += fmt::format("{}={}", name, percent_encode(value));
  }
  return url;
}

// What a browser asks /oauth2/authorize for, and /login on its behalf.
struct Authorization {
  std::string client, redirect_uri, scope, state, nonce, challenge, challenge_method;
};

// A request to the domain, on the control shard.
struct Visit {
  std::string method, path, base, query, cookies, body;
  bool is_tls = false;
};

// The request's authorization, or what to answer instead.
struct Checked {
  std::optional<Authorization> asked;
  http::Response refusal;
};
Checked check_authorization(Cognito& service, const std::string& pool_id, const wire::Form& query) {
  Checked out;
  const auto found = service.client(pool_id, query.value("client_id"));
  if (!found) {
    out.refusal = error_page(400, "Invalid client_id: the client does not exist");
    return out;
  }
  const Client& client = *found->client;
  std::string redirect(query.value("redirect_uri"));
  if (redirect.empty()) redirect = client.default_redirect_uri.value_or("");
  // Nobody is sent to where the client never said.
  if (!holds(client.callback_urls, redirect)) {
    out.refusal = error_page(400, "redirect_mismatch");
    return out;
  }
  const std::string state(query.value("state"));
  const auto refuse = [&](std::string_view error, std::string_view what = {}) {
    out.refusal = redirect_to(with_query(redirect, {{"error", error}, {"error_description", what}, {"state", state}}));
    return std::move(out);
  };
  if (query.value("response_type") != "code") return refuse(query.value("response_type") == "token" ? "unauthorized_client" : "unsupported_response_type");
  if (!client.allowed_o_auth_flows_user_pool_client.value_or(false) || !holds(client.allowed_o_auth_flows, "code")) return refuse("unauthorized_client");
  std::string scope(query.value("scope"));
  if (scope.empty() && client.allowed_o_auth_scopes) scope = join(*client.allowed_o_auth_scopes, " ");
  for (const std::string_view one : split(scope, ' '))
    if (!one.empty() && !holds(client.allowed_o_auth_scopes, one)) return refuse("invalid_scope");
  const std::string challenge(query.value("code_challenge")), method(query.value("code_challenge_method"));
  if (!challenge.empty() && method != "S256") return refuse("invalid_request", "code_challenge_method must be S256");
  out.asked = {.client = std::string(query.value("client_id")), .redirect_uri = redirect, .scope = scope, .state = state, .nonce = std::string(query.value("nonce")), .challenge = challenge, .challenge_method = method};
  return out;
}

http::Response grant(Cognito& service, const Authorization& asked, Who who, Time signed_in, Time now) {
  std::erase_if(service.grants, [&](const auto& one) { return now >= one.second.expires; });
  if (service.grants.size() >= kGrantsMax) return error_page(429, "Too many sign-ins are under way");
  const std::string code = base64url_encode(secret_bytes(32));
  service.grants[code] = {.who = std::move(who), .redirect_uri = asked.redirect_uri, .scope = asked.scope, .nonce = asked.nonce, .challenge = asked.challenge, .challenge_method = asked.challenge_method,
                          .signed_in = signed_in, .expires = now + kGrantLasts};
  return redirect_to(with_query(asked.redirect_uri, {{"code", code}, {"state", asked.state}}));
}

std::string cookie(std::string_view name, std::string_view value, const Visit& visit, Duration lasts) {
  return fmt::format("{}={}; Path={}; Max-Age={}; HttpOnly; SameSite=Lax{}", name, value, visit.base.empty() ? "/" : visit.base, std::chrono::duration_cast<std::chrono::seconds>(lasts).count(), visit.is_tls ? "; Secure" : "");
}

// Who is signed in by the browser's cookie.
std::optional<std::pair<Who, Time>> visitor(Pool& pool, const Visit& visit, Time now) {
  const auto sealed = base64url_decode(edge::cookie_value(visit.cookies, kSessionCookie));
  const auto open = sealed ? unseal(pool.seal_key, "browser", *sealed) : std::nullopt;
  const auto json = open ? Json::parse(*open) : Json::parse("null");
  if (!open || !json || now >= from_micros((*json)["e"].as_int().value_or(0))) return std::nullopt;
  const User* const user = pool.users.find_subject(json->text("u"));
  const Time signed_in = from_micros((*json)["t"].as_int().value_or(0));
  if (!user || !user->enabled || signed_in < user->signed_out) return std::nullopt;
  return std::pair(Who{.pool = pool.id(), .client = {}, .user = user->name}, signed_in);
}

http::Response show(http::Response page, const Visit& visit, const std::string& csrf) {
  page.add("Set-Cookie", cookie(kCsrfCookie, csrf, visit, kCookieLasts));
  return page;
}

// The last step: the browser gets its cookie, the client its code.
Task<http::Response> let_in(Cognito& service, Visit visit, Authorization asked, Who who, Time now) {
  {
    const auto user = service.user(**service.pool(who.pool), who.user);
    if (!user) co_return error_page(400, "The user does not exist");
    const auto said = co_await invoke_trigger(service, who, {"PostAuthentication", "PostAuthentication_Authentication"},
                                              Json::object({{"userAttributes", attributes_json(**user)}, {"newDeviceUsed", false}, {"clientMetadata", Json::object()}}), Json::object());
    if (!said) co_return error_page(400, said.error().message);
  }
  const auto pool = service.pool(who.pool);
  const auto user = pool ? service.user(**pool, who.user) : Reply<User*>(Err(pool.error()));
  if (!user) co_return error_page(400, "The user does not exist");
  const Json session = Json::object({{"u", (*user)->subject}, {"t", to_micros(now)}, {"e", to_micros(now + kCookieLasts)}});
  http::Response out = grant(service, asked, who, now, now);
  out.add("Set-Cookie", cookie(kSessionCookie, base64url_encode(seal((*pool)->seal_key, "browser", session.dump())), visit, kCookieLasts));
  co_return out;
}

// What is still to be done after a step, with the user's password right.
Task<http::Response> next_step(Cognito& service, Visit visit, Authorization asked, Who who, Form form, bool had_code, Time now) {
  const Pool& pool = **service.pool(who.pool);
  const User& user = **service.user(**service.pool(who.pool), who.user);
  form.message.clear();
  if (user.status == identity::UserStatus::kForceChangePassword) {
    form.step = make_session(pool, {.challenge = "HOSTED_NEW_PASSWORD", .who = who}, now);
    co_return show(new_password_page(form), visit, form.csrf);
  }
  const std::string mfa = pool.value.mfa_configuration.value_or("OFF");
  if (pool.totp_enabled && mfa != "OFF" && !had_code) {
    if (!user.totp_secret.empty() && (user.prefers_totp || mfa == "ON")) {
      form.step = make_session(pool, {.challenge = "HOSTED_CODE", .who = who}, now);
      co_return show(one_time_page(form), visit, form.csrf);
    }
    if (mfa == "ON") co_return error_page(403, "This user pool requires an authenticator app, which has to be set up through the API (AssociateSoftwareToken) first");
  }
  co_return co_await let_in(service, std::move(visit), std::move(asked), who, now);
}

Task<http::Response> sign_in(Cognito& service, std::string pool_id, Visit visit, Authorization asked, Time now) {
  const wire::Form form(visit.body);
  Form shown{.action = visit.base + "/login?" + visit.query, .csrf = std::string(edge::cookie_value(visit.cookies, kCsrfCookie)), .step = {}, .message = {}};
  // Only a page of ours, in this browser, may sign it in.
  if (shown.csrf.empty() || !equals_in_constant_time(shown.csrf, form.value("_csrf"))) co_return error_page(403, "Invalid CSRF token: go back and load the page again");
  const std::string step(form.value("step"));
  if (step.empty()) {
    const std::string name(form.value("username"));
    Json request = Json::object({{"validationData", Json::object()}});
    Who who{.pool = pool_id, .client = asked.client, .user = name};
    if (const User* const user = (**service.pool(pool_id)).users.find(name)) request.set("userAttributes", attributes_json(*user)), who.user = user->name;
    else request.set("userAttributes", Json::object()), request.set("userNotFound", true);
    const auto allowed = co_await invoke_trigger(service, who, {"PreAuthentication", "PreAuthentication_Authentication"}, std::move(request), Json::object());
    auto checked = allowed ? co_await check_password(service, pool_id, asked.client, name, std::string(form.value("password")), now) : Reply<Who>(Err(allowed.error()));
    if (!checked) {
      const bool hides = checked.error().code == "UserNotFoundException";
      shown.message = hides ? "Incorrect username or password." : checked.error().message;
      co_return show(sign_in_page(shown), visit, shown.csrf);
    }
    co_return co_await next_step(service, std::move(visit), std::move(asked), *checked, std::move(shown), false, now);
  }
  if (const auto session = read_session(service, step, "HOSTED_NEW_PASSWORD", asked.client, now)) {
    const auto user = service.user(**service.pool(pool_id), session->who.user);
    if (!user || (*user)->status != identity::UserStatus::kForceChangePassword) co_return error_page(400, "Invalid session for the user.");
    if (const auto set = co_await set_password(service, session->who, std::string(form.value("new_password")), true, now); !set) {
      shown.step = step;
      shown.message = set.error().message;
      co_return show(new_password_page(shown), visit, shown.csrf);
    }
    co_await service.committed();
    co_return co_await next_step(service, std::move(visit), std::move(asked), session->who, std::move(shown), false, now);
  }
  const auto session = read_session(service, step, "HOSTED_CODE", asked.client, now);
  const auto user = session ? service.user(**service.pool(pool_id), session->who.user) : Reply<User*>(Err(session.error()));
  if (!user) co_return error_page(400, user.error().message);
  if (identity::is_locked(**user, now) || !identity::is_totp((*user)->totp_secret, form.value("code"), now)) {
    identity::note_failure(**user, now);
    shown.step = step;
    shown.message = "Invalid code received for user";
    co_return show(one_time_page(shown), visit, shown.csrf);
  }
  (*user)->failures = 0;
  co_return co_await next_step(service, std::move(visit), std::move(asked), session->who, std::move(shown), true, now);
}

http::Response sign_out(Cognito& service, const std::string& pool_id, const Visit& visit) {
  const wire::Form query(visit.query);
  const auto at = service.client(pool_id, query.value("client_id"));
  if (!at) return error_page(400, "Invalid client_id: the client does not exist");
  http::Response out = signed_out_page();
  if (const std::string to(query.value("logout_uri")); !to.empty()) {
    if (!holds(at->client->logout_urls, to)) return error_page(400, "logout_uri is none of the client's");
    out = redirect_to(to);
  } else if (!query.value("redirect_uri").empty()) {
    out = redirect_to(visit.base + "/login?" + visit.query);
  }
  out.add("Set-Cookie", cookie(kSessionCookie, "", visit, Duration(0)));
  return out;
}

Task<http::Response> handle(Cognito& service, std::string domain, Visit visit, std::string authorization, Time now) {
  const auto found = service.domains.find(domain);
  const auto pool = found == service.domains.end() ? Reply<Pool*>(Err(aws::internal_failure())) : service.pool(found->second);
  if (!pool) co_return error_page(404, "There is no such domain");
  const std::string pool_id = (*pool)->id();
  if (visit.path == "/oauth2/token" || visit.path == "/oauth2/userInfo" || visit.path == "/oauth2/revoke")
    co_return co_await serve_tokens(service, pool_id, {.method = visit.method, .path = visit.path, .authorization = std::move(authorization), .body = visit.body}, now);
  if (visit.path == "/logout") co_return sign_out(service, pool_id, visit);
  if (visit.path != "/oauth2/authorize" && visit.path != "/login") co_return error_page(404, "There is no such page");
  const wire::Form query(visit.query);
  Checked checked = check_authorization(service, pool_id, query);
  if (!checked.asked) co_return std::move(checked.refusal);
  if (visit.path == "/oauth2/authorize") {
    if (visit.method != "GET") co_return error_page(405, "This page takes GET");
    if (auto known = visitor(**pool, visit, now); known && query.value("prompt") != "login") {
      known->first.client = checked.asked->client;
      co_return grant(service, *checked.asked, known->first, known->second, now);
    }
    if (query.value("prompt") == "none") co_return redirect_to(with_query(checked.asked->redirect_uri, {{"error", "login_required"}, {"state", checked.asked->state}}));
    co_return redirect_to(visit.base + "/login?" + visit.query);
  }
  if (visit.method == "POST") co_return co_await sign_in(service, pool_id, std::move(visit), *std::move(checked.asked), now);
  if (visit.method != "GET") co_return error_page(405, "This page takes GET and POST");
  std::string csrf(edge::cookie_value(visit.cookies, kCsrfCookie));
  if (csrf.size() != 43) csrf = base64url_encode(secret_bytes(32));
  co_return show(sign_in_page({.action = visit.base + "/login?" + visit.query, .csrf = csrf, .step = {}, .message = {}}), visit, csrf);
}

class DomainSite final : public edge::Site {
 public:
  DomainSite(Cognito& service, std::string domain) : service_(service), domain_(std::move(domain)) {}
  Task<http::Response> serve(edge::SiteRequest request) const override {
    auto body = co_await http::read_all(*request.http.body, kBodyMax);
    if (!body) co_return error_page(400, "The request's body cannot be read");
    Visit visit{.method = request.http.method, .path = request.path, .base = {}, .query = std::string(request.http.query), .cookies = {}, .body = *std::move(body), .is_tls = request.http.is_tls};
    // By path, the address of the domain is a part of each path; by host name it is not.
    if (request.http.path.size() > request.path.size()) visit.base = request.http.path.substr(0, request.http.path.size() - request.path.size());
    for (const http::HeaderView& header : request.http.headers)
      if (header.name == "cookie") visit.cookies.append(visit.cookies.empty() ? "" : "; ").append(header.value);
    std::string authorization(request.http.header("authorization"));
    co_return co_await store::on(store::Shard::control(), [&]() -> Task<http::Response> {
      return handle(service_, domain_, std::move(visit), std::move(authorization), store::Shard::control().now());
    });
  }

 private:
  Cognito& service_;
  std::string domain_;
};

}  // namespace

std::shared_ptr<const edge::Site> make_domain_site(Cognito& service, std::string domain) { return std::make_shared<DomainSite>(service, std::move(domain)); }

}  // namespace reef::service::cognito
