// A CloudFormation resource type, owned by the service that knows what it means. CloudFormation itself knows
// none: it finds them by name through the Caller and drives them through these four functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/call.h"
#include "aws/caller.h"
#include "aws/error.h"
#include "base/task.h"
#include "base/time.h"
#include "wire/json.h"

namespace reef::aws {

enum class OnChange { kUpdate, kReplace, kIgnore };  // what a changed property does

struct PropertyType {
  std::string_view name;                        // "QueueName"; top-level properties only
  OnChange on_change = OnChange::kUpdate;
  bool required = false;
};

// Where resources that something outside finishes hear of it: custom resources, wait conditions. Control shard.
class Signals {
 public:
  enum class Kind { kFromFunction, kHandle };   // kHandle outlives a restart
  virtual ~Signals() = default;
  // A URL to which texts may be PUT until close(); `label` is shown in it.
  virtual std::string open(const Call& call, Kind kind, std::string_view label) = 0;
  // What was sent there as number `seen` (from 0); nothing when it does not come by then, or before `given_up` is true.
  virtual Task<std::optional<std::string>> next(std::string url, std::size_t seen, Time until, std::function<bool()> given_up) = 0;
  virtual void close(std::string_view url) = 0;
};

struct ResourceContext {
  Call call;                   // account, region and principal that the stack acts as
  Caller& caller;
  std::string stack_name, stack_id;
  std::string logical_id;
  std::string type;            // as the template has it: "AWS::SQS::Queue", "Custom::Seed"
  std::string role_arn;        // the role that the stack acts as; "" when it was given none
  Signals* signals = nullptr;  // never null in a deployment
  // Another resource has failed: what only waits should end. Never empty in a deployment.
  std::function<bool()> is_cancelled;
  wire::Json tags;             // the stack's tags plus aws:cloudformation:*, as [{"Key","Value"}]
  // What makes the random part of generated_name() repeatable: the same resource, made again after a crash, gets the
  // same name. Empty: random.
  std::string name_seed;
  // "<stack>-<logical id>-<12 random characters>", cut to `length_max`: the name AWS makes up.
  std::string generated_name(std::size_t length_max, bool lower_case = false) const;
};

struct ResourceState {
  std::string physical_id;     // what Ref gives
  wire::Json attributes;       // what GetAtt gives, by (dotted) attribute name: an object
};

// An operation by name, as the stack's principal; most of a template's properties go through to it as they are.
Task<Reply<wire::Json>> call_operation(const ResourceContext& context, std::string_view service, std::string_view operation, wire::Json input);
// The same for what may be gone already: an error with `gone_code` is success.
Task<Reply<void>> call_unless_gone(const ResourceContext& context, std::string_view service, std::string_view operation, wire::Json input,
                                   std::string_view gone_code);

// Whether tags, as [{"Key","Value"}], say that a resource was made for this very one of this very stack. Creating under a
// name that the template gives must not take over what was there before, even where the API's own create would.
bool is_made_for(const ResourceContext& context, const wire::Json& tags);
// "Resource of type 'AWS::SQS::Queue' with identifier 'orders' already exists.", code AlreadyExists.
Error already_exists(std::string_view type, std::string_view name);

struct ResourceType {
  std::string_view name;                        // "AWS::SQS::Queue"
  std::vector<PropertyType> properties;         // every supported one; any other fails the stack by name
  // A custom resource: takes any property; an update that gives another physical id has replaced it. (Of every type: create's
  // error may have the field PhysicalResourceId, of what was made though it is not well: the rollback removes it.)
  bool is_custom = false;
  // Refuses values before anything is created: a message, or "" when fine. What depends on resources is not known yet, and is an
  // object with the function's name as its only member ({"Ref": "Table"}). Optional.
  std::string (*check)(const wire::Json& properties) = nullptr;
  Task<Reply<ResourceState>> (*create)(const ResourceContext& context, const wire::Json& properties) = nullptr;
  // What create() calls the resource, for types whose creation cannot be repeated: after a crash in the middle of it a
  // resource with a generated name is found by this, and removed. Optional.
  std::string (*identify)(const ResourceContext& context, const wire::Json& properties) = nullptr;
  // Called when a changed property has kUpdate; a kReplace change is create followed by remove of the old one.
  Task<Reply<ResourceState>> (*update)(const ResourceContext& context, const ResourceState& current,
                                       const wire::Json& old_properties, const wire::Json& new_properties) = nullptr;
  // Already gone is success.
  Task<Reply<void>> (*remove)(const ResourceContext& context, const ResourceState& current,
                              const wire::Json& properties) = nullptr;
};

}  // namespace reef::aws
