// Cross-origin requests, answered from a bucket's CORS configuration.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
#pragma once

#include "service/s3/s3.h"

namespace reef::s3 {

// For a request with an Origin header that some rule allows.
void add_cors_headers(const blob::Bucket& bucket, const http::Request& request, http::Response& response);

// Whether a request is a browser's question about a bucket; `path` gets the bucket in front when it was in the host's
// name. A bucket in the path must exist: others answer OPTIONS as well.
bool is_preflight(const blob::Blobs& blobs, const http::Request& request, std::string& path);

// The answer to an OPTIONS request to a bucket or object: what the browser asks before a request. `path` starts with
// the bucket ("/bucket/key").
http::Response answer_preflight(const blob::Blobs& blobs, std::string_view path, const http::Request& request);

}  // namespace reef::s3
