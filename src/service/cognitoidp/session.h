// The state between a challenge and its answer, sealed and given to the client to keep: nothing is held for whoever never
// answers. Lasts three minutes.
#pragma once

#include <string>
#include <string_view>

#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {

struct Session {
  std::string challenge;
  Who who;
  bool is_verified = false;   // of MFA_SETUP: the app was
  std::string extra;          // the challenge's own
};
std::string make_session(const Pool& pool, const Session& session, Time now);
// AWS's error when it is not one of this challenge and client, or too old. `client_id` may be empty: any.
Reply<Session> read_session(Cognito& service, std::string_view text, std::string_view challenge, std::string_view client_id, Time now);

}  // namespace reef::service::cognito
