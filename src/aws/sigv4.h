// Signatures on requests: Signature Version 4 in headers and in presigned URLs, and the Signature Version 2 query
// form that boto3 still emits for S3.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"

namespace reef::aws {

// What a request says of its signature, not yet believed. Views point into the request.
struct SignatureClaim {
  enum class Form { kHeader, kPresigned, kPresignedV2 };
  Form form = Form::kHeader;
  std::string access_key;
  std::string date;      // "20261120"
  std::string region, service;
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string timestamp;              // "20261120T223829Z"
  std::int64_t expires_seconds = 0;   // presigned: validity; V2: the absolute epoch second
  std::string session_token;
};

enum class ClaimStatus { kNone, kMalformed, kFound };

// Looks for a signature. `why` tells what is wrong with a malformed one.
ClaimStatus read_signature(const http::Request& request, SignatureClaim& claim, std::string& why);

// The signature that `secret` gives for the request. `payload_hash` is the value that ends the canonical request:
// a hexadecimal digest or one of S3's constants. S3 does not encode its path twice.
std::string expected_signature(const SignatureClaim& claim, const http::Request& request, std::string_view payload_hash,
                               std::string_view secret);
// The canonical request of the above, for error replies.
std::string canonical_request(const SignatureClaim& claim, const http::Request& request, std::string_view payload_hash);

// HMAC chain of date, region and service; cached per thread.
const std::string& signing_key(std::string_view secret, std::string_view date, std::string_view region,
                               std::string_view service);

// Signs an outgoing request: the Authorization header's value. `headers` must hold host and x-amz-date, lower case.
std::string authorization_header(std::string_view access_key, std::string_view secret, std::string_view region,
                                 std::string_view service, std::string_view timestamp, const http::Request& request,
                                 std::string_view payload_hash);

}  // namespace reef::aws
