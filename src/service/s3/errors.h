// S3's errors. Most of them are not in its model.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
#pragma once

#include "service/s3/s3.h"

namespace reef::s3 {

aws::Error no_such_bucket(std::string_view name);
aws::Error no_such_key(std::string_view key);
aws::Error no_such_version(std::string_view key, std::string_view version);
aws::Error no_such_upload(std::string_view id);
aws::Error precondition_failed(std::string_view condition);
aws::Error marker_refuses(std::string_view method);  // what is asked of a delete marker
aws::Error not_modified();
aws::Error invalid_argument(std::string message, std::string_view name = {}, std::string_view value = {});
aws::Error invalid_request(std::string message);
aws::Error malformed_xml();
aws::Error storage_failed(const Failure& failure);
// A refusal of the engine about that bucket, key and upload.
struct Subject {
  std::string_view bucket, key, upload, version;
};
aws::Error to_error(blob::Refusal refusal, const Subject& subject);

}  // namespace reef::s3
