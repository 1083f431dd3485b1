// What browsers and providers bring to a sign-in: cookies, states and URLs that anybody may have written. Only what was
// sealed here is taken, and that comes back as it was.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/encoding.h"
#include "engine/edge/balancer/sign_in.h"

using namespace reef;
using namespace reef::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SignIn with = [] {
    SignIn out;
    out.issuer = "https://idp.example";
    out.authorization_endpoint = "https://idp.example/authorize";
    out.client_id = "client";
    out.signer = "arn:balancer";
    out.rule = "rule";
    out.keys = std::make_shared<SignInKeys>(make_sign_in_keys()->first);
    return out;
  }();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Time now = from_seconds(1'800'000'000);
  if (const auto url = parse_provider_url(bytes)) {
    CHECK(!url->host.empty() && url->port > 0 && url->port < 65536 && url->target.starts_with('/'));
    CHECK(url->target.find_first_of("\r\n ") == std::string::npos);
  }
  CHECK(!read_session(with, bytes, now));
  CHECK(!read_session(with, with.cookie + "-0=" + std::string(bytes), now));
  CHECK(!read_state(*with.keys, bytes, now));

  // What was sealed here: as it was, and not at all when a byte of it is another.
  const Session session{.subject = hex_encode(bytes.substr(0, 200)), .access_token = "access", .refresh_token = "", .claims = wire::Json::object(), .signed_in = now, .token_expires = {}};
  std::string cookies;
  for (const std::string& cookie : session_cookies(with, session, now)) cookies += (cookies.empty() ? "" : "; ") + cookie.substr(0, cookie.find(';'));
  const auto back = read_session(with, cookies, now);
  CHECK(back && back->subject == session.subject && back->access_token == session.access_token);
  if (size < 3) return 0;
  const auto value = cookies.find('=') + 1;
  const std::size_t at = value + (data[0] | data[1] << 8) % (cookies.size() - value);
  if (cookies[at] == static_cast<char>(data[2])) return 0;
  cookies[at] = static_cast<char>(data[2]);
  if (const auto forged = read_session(with, cookies, now)) CHECK(forged->subject == session.subject);  // a byte that means nothing
  return 0;
}
