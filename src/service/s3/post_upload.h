// Uploads by an HTML form: POST to a bucket, with the object's properties and a signed policy among the form's fields.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
#pragma once

#include <string>

#include "aws/access_keys.h"
#include "aws/caller.h"
#include "service/s3/s3.h"

namespace reef::s3 {

class RequestMetrics;

struct PostUploadParts {
  RequestMetrics& metrics;
  const blob::Blobs& blobs;
  aws::Caller& caller;
  const aws::AccessKeys& keys;
  bool knows_all_keys = false;  // keys that were not issued here are refused
  std::string default_account, default_region;
};

// A form for a bucket that is there, named by the path or the host.
bool is_post_upload(const blob::Blobs& blobs, const http::Request& request);
Task<http::Response> take_post_upload(PostUploadParts parts, http::Request& request);

}  // namespace reef::s3
