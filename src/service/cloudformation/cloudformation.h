// CloudFormation: templates in, stacks of resources out. It knows no resource type: each belongs to the service that
// knows what it means, and is found by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "base/parts.h"
#include "base/task.h"
#include "engine/events/publisher.h"
#include "service/cloudformation/signals.h"
#include "service/cloudformation/stack.h"

namespace reef::cloudformation {

// The stacks, and what is under way. Everything runs on the control shard.
// By which a stack names itself to the stacks nested in it; nobody from outside may set it.
inline constexpr std::string_view kParentTag = "aws:cloudformation:stack-id";

class Cloudformation {
 public:
  explicit Cloudformation(Parts& parts);

  // Loads the stacks and carries on what a crash interrupted.
  void start();

  // The stack of that name or id; a deleted one only by its id.
  Stack* find(const aws::Call& call, std::string_view name_or_id);
  // ... or "Stack with id X does not exist".
  Reply<Stack*> get(const aws::Call& call, std::string_view name_or_id);
  Stack* find_by_id(std::string_view id);
  Stack& add(Stack stack);
  void erase(Stack& stack);
  // Those of the call's account and region, newest first.
  std::vector<Stack*> list(const aws::Call& call);
  Stack make_stack(const aws::Call& call, std::string_view name);

  // Writes the stack to the store; durable when the shard's tick is committed.
  void save(const Stack& stack);
  void save_resource(const Stack& stack, const Resource& resource);
  void forget_resource(const Stack& stack, const std::string& logical_id);
  void set_status(Stack& stack, std::string_view status, std::string_view reason = "");
  // Records an event for a resource, or for the stack itself.
  void record_event(Stack& stack, const Resource& resource);
  void record_stack_event(Stack& stack);
  // Newest first.
  std::vector<model::StackEvent> events(const Stack& stack) const;

  // Names exported by the stacks of an account and region: name -> (value, stack).
  struct Exported {
    std::string value;
    const Stack* stack;
  };
  std::map<std::string, Exported> exports(std::string_view account, std::string_view region) const;
  // Stacks that import the name.
  std::vector<const Stack*> importers(std::string_view account, std::string_view region, const std::string& name) const;

  // Carries out stack.work, to its end. Starts at once, goes on by itself.
  void carry_out(const std::string& stack_id);
  // Comes back when the stack is at rest, or after a second: most stacks are done before a client's first look, and clients look
  // again only after many seconds.
  Task<void> settle(std::string stack_id);

  void reset() { signals.reset(); }

  aws::Caller& caller;
  Signals signals;

 private:
  // The event bus hears of every stack event.
  void tell(const Stack& stack, const model::StackEvent& event);
  const events::Publisher& publisher_;
  static std::string live_key(std::string_view account, std::string_view region, std::string_view name);
  void record(Stack& stack, model::StackEvent event);

  std::map<std::string, std::unique_ptr<Stack>, std::less<>> stacks_;  // by id
  std::map<std::string, std::string, std::less<>> live_;               // account, region and name -> id
};

}  // namespace reef::cloudformation
