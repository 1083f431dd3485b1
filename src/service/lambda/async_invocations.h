// Asynchronous invocation: a durable queue per function with retries, a maximum age, destinations and dead letters.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
#pragma once

#include <string>

#include "base/task.h"
#include "engine/delivery/deliveries.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

class AsyncInvocations {
 public:
  explicit AsyncInvocations(Lambda& lambda) : lambda_(lambda) {}
  void start();
  // Stored when it returns.
  Task<void> add(FunctionName name, std::string payload, std::string request_id, std::string trace_id, std::string client_context);

 private:
  struct Event;
  struct Settings;
  Settings settings_of(const FunctionName& name) const;
  Task<delivery::Verdict> attempt(const delivery::Entry& entry);
  Task<delivery::Verdict> deliver(const delivery::Entry& entry);
  // Sends what became of an event where the function wants it.
  Task<void> settle(const Event& event, const Settings& settings, std::string condition, std::uint32_t attempts,
                    std::string executed_version, bool failed, std::string response);
  Task<Reply<void>> send(const std::string& arn, const std::string& body, const wire::Json& attributes);
  Lambda& lambda_;
};

}  // namespace reef::service::lambda
