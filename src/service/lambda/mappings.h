// Event source mappings at work: one poller per enabled mapping takes batches from its queue and invokes the function.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/models/sqs.h"
#include "base/task.h"
#include "service/lambda/event_filter.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

class Mappings {
 public:
  explicit Mappings(Lambda& lambda) : lambda_(lambda) {}
  void start();
  void stop();
  // The mapping is new, changed or gone: its poller follows.
  void refresh(const StoredMapping& mapping);
  void remove(const std::string& uuid);
  // "No records processed", "OK" or what went wrong last.
  std::string last_result(const std::string& uuid) const;

 private:
  struct Poller {
    StoredMapping mapping;
    FunctionName function;
    EventFilters filters;
    bool stopping = false;
    std::uint32_t in_flight = 0, allowed = 1;
    Later<bool>* slot = nullptr;
    std::string last_result;
  };
  using Batch = std::vector<aws::sqs::Message>;
  Task<void> poll(std::shared_ptr<Poller> poller);
  Task<Reply<Batch>> gather(Poller& poller, const Call& call);
  Task<Reply<Batch>> receive(Poller& poller, const Call& call, std::uint32_t count, std::int32_t wait_seconds);
  Task<void> process(std::shared_ptr<Poller> poller, Batch batch);
  Task<void> remove_messages(const Poller& poller, const Batch& batch, const std::vector<bool>& keep);
  Task<void> give_back(const Poller& poller, const Batch& batch);

  Lambda& lambda_;
  bool stopping_ = false;
  std::map<std::string, std::shared_ptr<Poller>> pollers_;
};

// The event that a function gets for a batch. Pure.
std::string sqs_event(const std::vector<aws::sqs::Message>& batch, const std::string& queue_arn, const std::string& region);
// Which messages of a batch the function reports as failed; all of them when its answer makes no sense. Pure.
std::vector<bool> failed_items(const std::string& answer, const std::vector<aws::sqs::Message>& batch);

}  // namespace reef::service::lambda
