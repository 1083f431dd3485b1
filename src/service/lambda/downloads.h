// The packages that GetFunction and GetLayerVersion point to, as downloads.
#pragma once

#include <string>

#include "base/task.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

bool wants_download(const http::Request& request);
// `folder` is the function engine's.
Task<http::Response> serve_download(std::string folder, http::Request& request);

}  // namespace reef::service::lambda
