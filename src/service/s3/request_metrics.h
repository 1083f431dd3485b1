// What AWS/S3 publishes of the requests to a bucket that has metrics configurations: for each of them that the request
// matches, with the dimensions BucketName and FilterId.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
//
// A configuration with a filter counts what is about one object only; its tags are those that the object has.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "aws/exchange_observer.h"
#include "engine/blob/blobs.h"
#include "engine/metrics/counters.h"
#include "service/s3/s3.h"

namespace reef::s3 {

// Whether a configuration counts a request about that object ("" for one about the bucket). `tags` is asked for only
// when they matter.
bool counts(const model::MetricsConfiguration& configuration, std::string_view key,
            const std::function<std::vector<model::Tag>()>& tags);

class RequestMetrics {
 public:
  RequestMetrics(const blob::Blobs& blobs, metrics::Counters& counters) : blobs_(blobs), counters_(counters) {}

  class Watch;
  // Nothing when the bucket counts nothing. On the loop that serves the request.
  std::unique_ptr<Watch> begin(std::string_view operation, std::string_view bucket, std::string_view key, http::Request& request);

 private:
  friend class Watch;
  const blob::Blobs& blobs_;
  metrics::Counters& counters_;
};

class RequestMetrics::Watch final : public aws::ExchangeObserver {
 public:
  Watch(RequestMetrics& owner, blob::BucketPtr bucket, std::string_view operation, std::string_view key, http::Request& request);
  ~Watch() override;
  void answer(http::Response& response) override;
  void set_key(std::string_view key);  // when it comes in the body; before the object is changed

 private:
  struct Exchange;
  class Upload;
  class Download;
  std::shared_ptr<Exchange> exchange_;
  http::Request& request_;
  http::Body* const original_;   // the request's own body, which it has back in the end
  std::unique_ptr<http::Body> upload_;
};

}  // namespace reef::s3
