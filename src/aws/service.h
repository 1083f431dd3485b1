// What a service is to the rest of the system: its model, the operations it serves, and the CloudFormation
// resource types it owns. A folder under src/service with a service.cc that defines
//   std::unique_ptr<aws::Service> reef::service::make_<folder>(Parts& parts);
// is a registered service; nothing else needs editing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/call.h"
#include "aws/error.h"
#include "aws/shape.h"
#include "base/parts.h"
#include "base/task.h"

namespace reef::aws {

// An input or output struct whose type only its shape knows. Owns it.
class Value {
 public:
  Value() = default;
  template <class T>
  explicit Value(std::unique_ptr<T> value)
      : value_(value.release()), destroy_([](void* p) { delete static_cast<T*>(p); }) {}
  Value(Value&& other) noexcept : value_(std::exchange(other.value_, nullptr)), destroy_(other.destroy_) {}
  Value& operator=(Value&& other) noexcept {
    std::swap(value_, other.value_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  ~Value() {
    if (value_) destroy_(value_);
  }
  void* get() { return value_; }
  const void* get() const { return value_; }

 private:
  void* value_ = nullptr;
  void (*destroy_)(void*) = nullptr;
};

struct Operation {
  const OperationModel* model;
  Value (*make_input)();
  Task<Reply<Value>> (*invoke)(void* service, const void* input, const Call& call);
};

namespace detail {
template <auto Handler>
struct Serve;
template <class S, class In, class Out, Task<Reply<Out>> (*Handler)(S&, const In&, const Call&)>
struct Serve<Handler> {
  static Value make_input() { return Value(std::make_unique<In>()); }
  static Task<Reply<Value>> invoke(void* service, const void* input, const Call& call) {
    Reply<Out> reply = co_await Handler(*static_cast<S*>(service), *static_cast<const In*>(input), call);
    if (!reply) co_return std::unexpected(std::move(reply).error());
    co_return Value(std::make_unique<Out>(*std::move(reply)));
  }
};
}  // namespace detail

// One row of a service's table: serve<operations::send_message>(sqs::ops::kSendMessage).
template <auto Handler>
Operation serve(const OperationModel& model) {
  return {&model, detail::Serve<Handler>::make_input, detail::Serve<Handler>::invoke};
}

// Where a service's handlers run.
enum class Placement {
  kControl,  // on the control shard, one at a time between suspensions: no locks, state in Records
  kAnyLoop,  // on the loop that accepted the request; the engines it calls find the owning shard
};

struct ResourceType;  // aws/resource.h

struct ServiceDefinition {
  const ServiceModel* model;
  Placement placement = Placement::kControl;
  std::vector<Operation> operations;
  std::vector<const ResourceType*> resources;
  std::uint64_t body_bytes_max = 0;  // of requests that are no stream; 0: the gateway's own limit
};

class Service {
 public:
  virtual ~Service() = default;
  virtual const ServiceDefinition& definition() const = 0;
  // What the handlers' first parameter points to.
  virtual void* state() = 0;
  // Called once on the control shard after the store was recovered, before the first request.
  virtual void start() {}
  // Called on the control shard while stopping; must not start new work.
  virtual void stop() {}
  // Called on the control shard when everything is wiped (`/_atoll/reset`): forgets what it cached of the store.
  virtual void reset() {}
};

// The usual Service: a state struct and a definition.
template <class State>
class ServiceOf final : public Service {
 public:
  template <class... Args>
  explicit ServiceOf(const ServiceDefinition& definition, Args&&... args)
      : definition_(definition), state_(std::forward<Args>(args)...) {}
  const ServiceDefinition& definition() const override { return definition_; }
  void* state() override { return &state_; }
  void start() override {
    if constexpr (requires { state_.start(); }) state_.start();
  }
  void stop() override {
    if constexpr (requires { state_.stop(); }) state_.stop();
  }
  void reset() override {
    if constexpr (requires { state_.reset(); }) state_.reset();
  }

 private:
  const ServiceDefinition& definition_;
  State state_;
};

}  // namespace reef::aws
