#include "gateway/authenticate.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"

namespace reef::gateway {
namespace {

bool is_account_id(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

aws::Principal root_of(std::string_view account, std::string_view access_key) {
  return {.arn = fmt::format("arn:aws:iam::{}:root", account), .user_id = std::string(account),
          .account = std::string(account), .access_key = std::string(access_key)};
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and each service's Common Errors.
aws::Error unknown_key(ErrorDialect dialect, const std::string& key) {
  switch (dialect) {
    case ErrorDialect::kS3: {
      aws::Error error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403);
      error.fields.set("AWSAccessKeyId", key);
      return error;
    }
    case ErrorDialect::kQuery: return {"InvalidClientTokenId", "The security token included in the request is invalid.", 403};
    case ErrorDialect::kJson: break;
  }
  return {"UnrecognizedClientException", "The security token included in the request is invalid.", 400};
}

aws::Error wrong_signature(ErrorDialect dialect) {
  switch (dialect) {
    case ErrorDialect::kS3:
      return {"SignatureDoesNotMatch",
              "The request signature we calculated does not match the signature you provided. Check your key and signing "
              "method.", 403};
    case ErrorDialect::kQuery:
      return {"SignatureDoesNotMatch",
              "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
              "Access Key and signing method. Consult the service documentation for details.", 403};
    case ErrorDialect::kJson: break;
  }
  return {"InvalidSignatureException",
          "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
          "Key and signing method. Consult the service documentation for details.", 403};
}

aws::Error expired_token(ErrorDialect dialect) {
  if (dialect == ErrorDialect::kS3) return {"ExpiredToken", "The provided token has expired.", 400};
  return {dialect == ErrorDialect::kQuery ? "ExpiredToken" : "ExpiredTokenException",
          "The security token included in the request is expired", 403};
}

aws::Reply<void> check_time(const aws::SignatureClaim& claim, ErrorDialect dialect, Time now) {
  using Form = aws::SignatureClaim::Form;
  constexpr Duration kSkewMax = 15min;
  if (claim.form == Form::kPresignedV2) {
    if (to_seconds(now) > claim.expires_seconds) return Err(aws::Error("AccessDenied", "Request has expired", 403));
    return {};
  }
  const auto signed_at = parse_basic(claim.timestamp);
  if (!signed_at) return Err(wrong_signature(dialect));
  if (claim.form == Form::kPresigned) {
    if (now > *signed_at + std::chrono::seconds(claim.expires_seconds))
      return Err(aws::Error("AccessDenied", "Request has expired", 403));
    return {};
  }
  if (now - *signed_at > kSkewMax || *signed_at - now > kSkewMax) {
    if (dialect == ErrorDialect::kS3)
      return Err(aws::Error("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403));
    const std::string text = fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)", claim.timestamp,
                                         format_basic(now - kSkewMax), format_basic(now));
    return Err(aws::Error(dialect == ErrorDialect::kQuery ? "SignatureDoesNotMatch" : "InvalidSignatureException", text, 403));
  }
  return {};
}

}  // namespace

bool needs_payload_hash(const aws::AccessKeys& keys, const aws::SignatureClaim* claim) {
  return claim && keys.find(claim->access_key).has_value();
}

aws::Reply<Authenticated> authenticate(const AuthSettings& settings, const aws::AccessKeys& keys,
                                       const http::Request& request, const aws::SignatureClaim* claim,
                                       std::string_view payload_hash, ErrorDialect dialect, Time now) {
  Authenticated out;
  out.region = claim && !claim->region.empty() && claim->region != "aws-global" ? claim->region : settings.default_region;
  if (!claim) {
    out.principal = root_of(settings.default_account, "");
    out.principal.anonymous = true;
    return out;
  }
  const auto key = keys.find(claim->access_key);
  if (!key) {
    if (settings.mode == AuthMode::kStrict) return Err(unknown_key(dialect, claim->access_key));
    if (claim->form != aws::SignatureClaim::Form::kHeader) TRY(check_time(*claim, dialect, now));  // needs no secret
    out.principal = root_of(is_account_id(claim->access_key) ? claim->access_key : settings.default_account, claim->access_key);
    return out;
  }
  if (!key->active) return Err(unknown_key(dialect, claim->access_key));
  if (key->expires_at && now > *key->expires_at) return Err(expired_token(dialect));
  if (!key->session_token.empty() && key->session_token != claim->session_token) return Err(unknown_key(dialect, claim->access_key));
  TRY(check_time(*claim, dialect, now));
  const std::string expected = aws::expected_signature(*claim, request, payload_hash, key->secret);
  if (!equals_in_constant_time(expected, claim->signature)) return Err(wrong_signature(dialect));
  out.principal = key->principal;
  out.principal.access_key = claim->access_key;
  out.secret = key->secret;
  return out;
}

}  // namespace reef::gateway
