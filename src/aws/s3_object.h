// The bytes of an S3 object, for services that are told where something is: templates, definitions of APIs.
#pragma once

#include <cstddef>
#include <string>

#include "aws/call.h"
#include "aws/caller.h"
#include "aws/error.h"
#include "base/task.h"

namespace reef::aws {

struct S3Place {
  std::string bucket, key, version;  // version: "" for the newest
  std::string etag;                  // when not empty, the object must have it
};

// S3's own error when it cannot be had; EntityTooLarge when it holds more than `bytes_max`.
Task<Reply<std::string>> read_s3_object(Caller& caller, Call call, S3Place place, std::size_t bytes_max);

}  // namespace reef::aws
