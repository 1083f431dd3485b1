// Tells queues, topics, functions and the event bus what happens to a bucket's objects, as its notification
// configuration asks. Events are stored before the operation answers and delivered at least once.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
#pragma once

#include "aws/caller.h"
#include "engine/delivery/deliveries.h"
#include "engine/events/publisher.h"
#include "service/s3/s3.h"

namespace reef::s3 {

class Notifications {
 public:
  Notifications(delivery::Deliveries& deliveries, aws::Caller& caller, const events::Publisher& publisher)
      : deliveries_(deliveries), caller_(caller), publisher_(publisher) {}
  void start();

  // `event`: "ObjectCreated:Put". Stored when it returns.
  Task<void> notify(const Call& call, blob::BucketPtr bucket, std::string event, std::string key, blob::Object object);
  // Whether every destination is there; sends the test event that AWS sends to queues and topics.
  Task<Reply<void>> check(const Call& call, const blob::Bucket& bucket, const model::NotificationConfiguration& configuration);

 private:
  Task<delivery::Verdict> attempt(const delivery::Entry& entry);
  Task<Reply<void>> send(const std::string& arn, const std::string& body);
  delivery::Deliveries& deliveries_;
  aws::Caller& caller_;
  const events::Publisher& publisher_;
};

}  // namespace reef::s3
