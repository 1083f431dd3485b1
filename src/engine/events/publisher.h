// Where services tell what happened to their resources, without knowing who listens: the event bus's service takes it up and
// gives it to the rules of the account's default bus. Found through Parts.
//
//   publisher.publish({.detail_type = "ECS Task State Change", .source = "aws.ecs", .account = ..., .region = ...,
//                      .resources = {task_arn}, .detail = detail.dump()});
#pragma once

#include <functional>
#include <utility>

#include "base/task.h"
#include "engine/events/event.h"

namespace reef::events {

class Publisher {
 public:
  using Sink = std::function<Task<void>(Event event)>;
  // While wiring; may be called on any shard afterwards.
  void set_sink(Sink sink) { sink_ = std::move(sink); }
  // From any shard. An id and the time are given to what has none. At best effort, as AWS's services do it: nobody waits.
  void publish(Event event) const {
    if (sink_) sink_(std::move(event)).detach();
  }
  // The same; what follows from the event is stored when it returns, on the control shard.
  Task<void> store(Event event) const {
    if (sink_) co_await sink_(std::move(event));
  }

 private:
  Sink sink_;
};

}  // namespace reef::events
