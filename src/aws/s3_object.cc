#include "aws/s3_object.h"

#include <cerrno>

#include <fmt/format.h>

#include "aws/models/s3.h"
#include "http/message.h"

namespace reef::aws {

Task<Reply<std::string>> read_s3_object(Caller& caller, Call call, S3Place place, std::size_t bytes_max) {
  s3::GetObjectInput in;
  in.bucket = std::move(place.bucket);
  in.key = std::move(place.key);
  if (!place.version.empty()) in.version_id = std::move(place.version);
  if (!place.etag.empty()) in.if_match = std::move(place.etag);
  http::Response streamed;
  call.http_request = nullptr;
  call.http_response = &streamed;
  auto out = co_await caller.call<s3::GetObjectOutput>(call, s3::ops::kGetObject, in);
  if (!out) co_return Err(std::move(out).error());
  if (streamed.stream) {
    auto body = co_await http::read_all(*streamed.stream, bytes_max);
    if (!body && body.error().code == EMSGSIZE) co_return Err(Error("EntityTooLarge", fmt::format("The object {} has more than {} bytes.", in.key, bytes_max), 400));
    if (!body) co_return Err(Error("InternalError", body.error().message, 500));
    co_return *std::move(body);
  }
  if (!streamed.body.empty()) co_return std::move(streamed.body);
  co_return out->body.value_or("");
}

}  // namespace reef::aws
