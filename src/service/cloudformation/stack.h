// What CloudFormation remembers of a stack, and its form in the store.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/models/cloudformation.h"
#include "aws/resource.h"
#include "service/cloudformation/template/parameters.h"

namespace reef::cloudformation {

namespace model = aws::cloudformation;

// What a stack should be: a template with its parameters, ready to be carried out.
struct Desired {
  std::string source;                 // the template's text as given
  Json document;                      // after transforms
  std::vector<Parameter> parameters;
  std::vector<model::Tag> tags;
  std::vector<std::string> capabilities;
  std::vector<std::string> notification_arns;
  std::string role_arn;

  std::string description() const { return document.text("Description"); }
  std::map<std::string, std::string> parameter_values() const;
};

// A resource as it is.
struct Resource {
  std::string logical_id, type;
  std::string status, reason;         // "CREATE_COMPLETE"
  Time changed{};
  aws::ResourceState state;
  Json properties;                    // evaluated; what the resource was made or changed from
  std::set<std::string> depends_on;   // logical ids
  std::string deletion_policy, update_replace_policy;
  Json metadata;
  std::string attempt;                // names the attempt to make it; what it was called follows from this
  bool is_making = false;             // the attempt has begun, and what came of it is not known yet
  bool exists() const { return !state.physical_id.empty() && status != "DELETE_COMPLETE"; }
};

// A resource that a replacement or a template without it left behind, to be removed when the update has succeeded.
struct Leftover {
  Resource resource;
  bool is_replaced = false;
};


struct ChangeSet {
  std::string id, name, type;         // type: CREATE, UPDATE
  std::string status, reason, execution_status;
  std::string description, token, on_stack_failure;
  Time created{};
  Desired desired;
  std::vector<model::Change> changes;
};

// What is being done to the stack, so that it can be carried on after a crash.
enum class Work { kNone, kCreate, kUpdate, kDelete, kRollBackCreate, kRollBackUpdate, kCleanUp, kCleanUpAfterRollBack };

struct Stack {
  std::string id, name, account, region, uuid;
  std::string status, reason;
  Time created{};
  std::optional<Time> updated, deleted;
  Desired desired;
  std::optional<Desired> previous;    // while updating: what to roll back to
  Work work = Work::kNone;
  std::string on_failure;             // ROLLBACK, DO_NOTHING, DELETE
  bool has_termination_protection = false;
  std::string change_set_id, token, parent_id, root_id, stack_policy;
  bool cancel_requested = false;      // CancelUpdateStack; not stored
  std::string policy_during_update;   // instead of stack_policy, for one update; not stored
  std::int32_t timeout_minutes = 0;
  std::vector<model::Output> outputs;
  std::map<std::string, Resource, std::less<>> resources;
  std::vector<Leftover> leftovers;
  std::map<std::string, ChangeSet, std::less<>> change_sets;  // by name
  std::set<std::string> retain;       // on delete
  std::string status_before_delete;   // what a deletion that is refused goes back to
  std::set<std::string> imports;      // names of exports in use
  std::uint64_t event_count = 0;      // not stored: the events tell

  bool is_deleted() const { return status == "DELETE_COMPLETE"; }
  bool is_busy() const { return status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"; }
};

// Their forms in the store. Resources are records of their own: a step of a deployment writes one of them.
Json to_json(const Stack& stack);
Stack stack_from_json(const Json& json);
Json to_json(const Resource& resource);
Resource resource_from_json(const Json& json);

}  // namespace reef::cloudformation
