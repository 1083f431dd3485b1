// Who signed a request to something that is no AWS API itself: a stage of an API, a function's URL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/access_keys.h"
#include "aws/call.h"
#include "base/time.h"
#include "http/message.h"
#include "wire/json.h"

namespace reef::aws {

enum class SignatureFault : std::uint8_t { kNone, kUnsigned, kMalformed, kStale, kUnknownKey, kExpiredToken, kWrong };

struct RequestSigner {
  SignatureFault fault = SignatureFault::kNone;
  std::string why;       // in AWS's words; empty without a fault and for kUnsigned
  Principal principal;   // without a fault
};

// `account` is whose the thing is: what is signed with a key that nobody issued here is its root's, where such keys are
// believed; a key of twelve digits is that account's root.
RequestSigner signer_of(const AccessKeys& keys, const http::Request& request, std::string_view body, const std::string& account, Time now);

// What events say of who signed: requestContext.identity of version 1.0, requestContext.authorizer.iam of 2.0.
wire::Json signer_identity(const Principal& who);
wire::Json iam_authorizer(const Principal& who);

}  // namespace reef::aws
