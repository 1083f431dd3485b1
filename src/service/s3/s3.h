// What S3's handlers may touch.
#pragma once

#include "aws/call.h"
#include "aws/error.h"
#include "aws/models/s3.h"
#include "aws/unmodelled_errors.h"
#include "base/parts.h"
#include "base/task.h"
#include "engine/blob/blobs.h"

namespace reef::s3 {

namespace model = aws::s3;
using aws::Call;
using aws::Reply;

class Notifications;
class RequestMetrics;
class StorageMetrics;

struct S3 {
  explicit S3(Parts& parts);
  ~S3();
  void start();
  void stop() { blobs.stop(); }
  void reset() { blobs.reset(); }

  blob::Blobs& blobs;
  std::unique_ptr<Notifications> notifications;
  std::unique_ptr<StorageMetrics> storage_metrics;
  std::unique_ptr<RequestMetrics> request_metrics;
};

// The bucket, or NoSuchBucket. Adds the bucket's CORS headers to the reply when the request has an Origin.
Reply<blob::BucketPtr> find_bucket(const S3& s3, const Call& call, const std::string& name);

// What S3 calls the owner: a canonical id made from the account.
std::string canonical_id(std::string_view account);
model::Owner owner_of(std::string_view account);

}  // namespace reef::s3
