// Signs users in by OpenID Connect before their requests reach a target: sends them to the provider, exchanges the code
// that they come back with, and keeps the session in sealed cookies, so that the balancer itself keeps nothing.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "engine/edge/web.h"
#include "http/message.h"
#include "wire/json.h"

namespace reef::edge {

struct SignInKeys {
  std::string seal;                      // kSealKeyBytes, for the cookies
  std::string id, private_pem;           // sign x-amzn-oidc-data
};
Result<std::pair<SignInKeys, std::string>, Failure> make_sign_in_keys();   // and the public PEM

enum class Unauthenticated { kAuthenticate, kAllow, kDeny };

struct SignIn {
  std::string issuer, authorization_endpoint, token_endpoint, user_info_endpoint;   // URLs
  std::string client_id, client_secret;
  // The secret of one of this machine's own clients is asked for when it is needed.
  std::function<std::string()> find_secret;
  std::string scope = "openid";
  std::string cookie = "AWSELBAuthSessionCookie";
  Duration session_timeout = std::chrono::seconds(604'800);
  std::map<std::string, std::string, std::less<>> extra_parameters;
  Unauthenticated otherwise = Unauthenticated::kAuthenticate;
  std::string signer;                    // the balancer's ARN
  std::string rule;                      // which rule asks, for the way back
  std::shared_ptr<const SignInKeys> keys;
};

inline constexpr std::string_view kSignInReturnPath = "/oauth2/idpresponse";

// What a session holds.
struct Session {
  std::string subject, access_token, refresh_token;
  wire::Json claims;                     // of the user info endpoint
  Time signed_in{}, token_expires{};     // zero when the provider does not say
};

// --- pure parts ---
// The session in a request's cookies; nothing when there is none, or it is another rule's, too old or not ours.
std::optional<Session> read_session(const SignIn& with, std::string_view cookies, Time now);
// Set-Cookie values that keep it, each at most 4 KiB; empty when it is larger than a browser would keep.
std::vector<std::string> session_cookies(const SignIn& with, const Session& session, Time now);
// Where the user goes to sign in; the state is sealed, and `nonce` is what the browser must come back with.
std::string authorization_url(const SignIn& with, std::string_view return_to, std::string_view return_url, std::string_view nonce, Time now);
struct ReturnState {
  std::string rule, nonce, url;
};
std::optional<ReturnState> read_state(const SignInKeys& keys, std::string_view state, Time now);
// x-amzn-oidc-data: a token that targets can verify.
std::string claims_token(const SignIn& with, const Session& session, Time now);

// --- the flow ---
struct SignedIn {
  std::optional<http::Response> answer;  // instead of forwarding
  std::vector<std::pair<std::string, std::string>> headers;   // for the target
  std::vector<std::string> cookies;      // Set-Cookie values for the reply
};
Task<SignedIn> sign_in(const SignIn& with, const http::Request& request, int listener_port, Web& web, Time now);
// A request to kSignInReturnPath; `with` is the rule's that its state names.
Task<http::Response> finish_sign_in(const SignIn& with, const ReturnState& state, const http::Request& request, int listener_port, Web& web, Time now);

}  // namespace reef::edge
