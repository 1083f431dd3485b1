// Who calls: the signature checked, the account and region chosen.
#pragma once

#include <string>

#include "aws/access_keys.h"
#include "aws/call.h"
#include "aws/error.h"
#include "aws/sigv4.h"

namespace reef::gateway {

enum class AuthMode {
  kTrust,   // known keys are verified; a 12-digit key selects that account, any other unknown key the default one
  kStrict,  // unknown keys are refused
};

struct AuthSettings {
  AuthMode mode = AuthMode::kTrust;
  std::string default_account = "000000000000";
  std::string default_region = "us-east-1";
};

// How an error is worded depends on the protocol: S3, query or JSON.
enum class ErrorDialect { kS3, kQuery, kJson };

struct Authenticated {
  aws::Principal principal;
  std::string region;
  std::string secret;  // of a verified key, for chunk signatures; empty otherwise
};

// `payload_hash` is what the signature covers.
aws::Reply<Authenticated> authenticate(const AuthSettings& settings, const aws::AccessKeys& keys,
                                       const http::Request& request, const aws::SignatureClaim* claim,
                                       std::string_view payload_hash, ErrorDialect dialect, Time now);
// Whether authenticate will look at the payload's hash: hashing a body for nothing is a waste.
bool needs_payload_hash(const aws::AccessKeys& keys, const aws::SignatureClaim* claim);

}  // namespace reef::gateway
