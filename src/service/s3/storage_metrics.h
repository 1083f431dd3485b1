// What each bucket holds, measured once a day at midnight (UTC), as AWS publishes it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
#pragma once

#include "base/task.h"
#include "engine/blob/blobs.h"
#include "engine/metrics/counters.h"

namespace reef::s3 {

class StorageMetrics {
 public:
  StorageMetrics(blob::Blobs& blobs, metrics::Counters& counters) : blobs_(blobs), counters_(counters) {}
  void start();

 private:
  Task<void> measure();
  blob::Blobs& blobs_;
  metrics::Counters& counters_;
};

}  // namespace reef::s3
