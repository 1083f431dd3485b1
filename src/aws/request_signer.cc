#include "aws/request_signer.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/text.h"

namespace reef::aws {
namespace {

constexpr Duration kSkewMax = 5min;
constexpr std::string_view kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
constexpr std::string_view kInvalidToken = "The security token included in the request is invalid.";

RequestSigner fails(SignatureFault fault, std::string why) { return {.fault = fault, .why = std::move(why), .principal = {}}; }

bool is_account(std::string_view key) {
  return key.size() == 12 && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_stale(const SignatureClaim& claim, Time signed_at, Time now) {
  const Duration validity = claim.form == SignatureClaim::Form::kPresigned ? std::chrono::seconds(claim.expires_seconds) : kSkewMax;
  return now - signed_at > validity || signed_at - now > kSkewMax;
}

// What ends the canonical request, if the body is what the client says it is.
std::string payload_hash(const http::Request& request, std::string_view body) {
  constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";
  return request.header("x-amz-content-sha256") == kUnsigned ? std::string(kUnsigned) : sha256_hex(body);
}

}  // namespace

RequestSigner signer_of(const AccessKeys& keys, const http::Request& request, std::string_view body, const std::string& account, Time now) {
  SignatureClaim claim;
  std::string why;
  const ClaimStatus status = read_signature(request, claim, why);
  if (status == ClaimStatus::kNone) return fails(SignatureFault::kUnsigned, {});
  if (status == ClaimStatus::kMalformed) return fails(SignatureFault::kMalformed, std::move(why));
  const auto signed_at = parse_basic(claim.timestamp);
  if (!signed_at || is_stale(claim, *signed_at, now))
    return fails(SignatureFault::kStale, fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)", claim.timestamp, format_basic(now - kSkewMax), format_basic(now)));
  const auto key = keys.find(claim.access_key);
  if (!key) {
    if (!keys.are_unknown_believed()) return fails(SignatureFault::kUnknownKey, std::string(kInvalidToken));
    const std::string& whose = is_account(claim.access_key) ? claim.access_key : account;
    return {.fault = SignatureFault::kNone, .why = {},
            .principal = {.arn = fmt::format("arn:aws:iam::{}:root", whose), .user_id = whose, .account = whose, .access_key = claim.access_key}};
  }
  if (!key->active || (!key->session_token.empty() && key->session_token != claim.session_token)) return fails(SignatureFault::kUnknownKey, std::string(kInvalidToken));
  if (key->expires_at && now > *key->expires_at) return fails(SignatureFault::kExpiredToken, "The security token included in the request is expired");
  if (!equals_in_constant_time(expected_signature(claim, request, payload_hash(request, body), key->secret), claim.signature)) return fails(SignatureFault::kWrong, std::string(kMismatch));
  RequestSigner out{.fault = SignatureFault::kNone, .why = {}, .principal = key->principal};
  out.principal.access_key = claim.access_key;
  return out;
}

wire::Json signer_identity(const Principal& who) {
  return wire::Json::object({{"accessKey", who.access_key}, {"accountId", who.account}, {"caller", who.user_id}, {"user", who.user_id}, {"userArn", who.arn}});
}

wire::Json iam_authorizer(const Principal& who) {
  return wire::Json::object({{"accessKey", who.access_key}, {"accountId", who.account}, {"callerId", who.user_id}, {"cognitoIdentity", wire::Json()},
                             {"principalOrgId", wire::Json()}, {"userArn", who.arn}, {"userId", who.user_id}});
}

}  // namespace reef::aws
