// What stands between a request's bytes and an operation's payload: aws-chunked framing, gzip, and the check that
// the payload is the one that was signed.
#pragma once

#include <memory>
#include <string>

#include "aws/error.h"
#include "aws/sigv4.h"
#include "http/message.h"

namespace reef::gateway {

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// Decodes aws-chunked; with a `secret`, checks each chunk's signature. The trailers are those inside the body. A
// failure's message is an S3 error code.
std::unique_ptr<http::Body> decode_aws_chunked(http::Body& inner, const http::Request& request,
                                               const aws::SignatureClaim* claim, std::string secret);
bool is_aws_chunked(const http::Request& request);

// Fails with XAmzContentSHA256Mismatch at the end when the bytes hash to something else.
std::unique_ptr<http::Body> check_sha256(http::Body& inner, std::string expected_hex);

// Inflates gzip or zlib; EMSGSIZE beyond `bytes_max`.
Result<std::string, Failure> inflate(std::string_view bytes, std::size_t bytes_max);

}  // namespace reef::gateway
