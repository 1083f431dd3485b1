#include "service/cloudformation/deployment.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/deploy/walk.h"
#include "engine/store/shard.h"
#include "service/cloudformation/changes.h"
#include "service/cloudformation/dynamic_references.h"
#include "service/cloudformation/prepare.h"
#include "service/cloudformation/recovery.h"
#include "service/cloudformation/role.h"
#include "service/cloudformation/stack_policy.h"

namespace reef::cloudformation {
namespace {

constexpr std::size_t kParallelMax = 16;

std::string names_of(const std::vector<const Stack*>& stacks) {
  std::string out;
  for (const Stack* stack : stacks) out += (out.empty() ? "" : ", ") + stack->name;
  return out;
}

class Deployment {
 public:
  Deployment(Cloudformation& cloud, Stack& stack) : cloud_(cloud), stack_(stack) {}

  // Makes and changes resources until the stack is as desired. Everything that is not wanted any more becomes a
  // leftover. False after a failure, with `reason_`.
  Task<bool> apply() {
    auto scope = make_scope(cloud_, stack_, stack_.desired);
    if (!scope) co_return give_up(scope.error().message);
    scope_ = *std::move(scope);
    watch_imports();
    auto plan = make_plan(cloud_, stack_.desired, scope_);
    if (!plan) co_return give_up(plan.error().message);
    plan_ = *std::move(plan);
    deploy::Graph graph;
    for (const auto& [name, planned] : plan_) graph[name] = planned.depends_on;
    if (!co_await walk(graph, false, &Deployment::put)) {
      reason_ = failed_.empty() ? stack_.cancel_requested ? "Update cancelled by user. " : "Stack creation time exceeded the specified timeout. "
                                : fmt::format("The following resource(s) failed to {}: [{}]. ", failed_verb_, fmt::join(failed_, ", "));
      co_return false;
    }
    auto outputs = co_await evaluate_outputs();
    if (!outputs) co_return give_up(outputs.error().message);
    stack_.outputs = *std::move(outputs);
    stack_.imports = imports_;
    for (const auto& [name, resource] : stack_.resources)
      if (auto denied = plan_.contains(name) || !resource.exists() ? std::nullopt : policy_denial("Update:Delete", resource)) co_return give_up(*denied);
    for (auto each = stack_.resources.begin(); each != stack_.resources.end();) {
      if (plan_.contains(each->first)) {
        ++each;
        continue;
      }
      if (each->second.exists() || each->second.is_making) stack_.leftovers.push_back({each->second, false});
      cloud_.forget_resource(stack_, each->first);
      each = stack_.resources.erase(each);
    }
    cloud_.save(stack_);
    co_return true;
  }

  // Removes everything that exists, dependents first.
  Task<bool> remove_all(bool is_rollback) {
    is_rollback_ = is_rollback;
    deploy::Graph graph;
    for (const auto& [name, resource] : stack_.resources)
      if (resource.exists() || !resource.status.starts_with("DELETE")) graph[name] = resource.depends_on;
    const bool succeeded = co_await walk(deploy::reversed(graph), true, &Deployment::remove);
    if (!succeeded) reason_ = fmt::format("The following resource(s) failed to delete: [{}]. ", fmt::join(failed_, ", "));
    co_return succeeded;
  }

  // Removes what an update left behind. A failure is an event, no more.
  Task<void> clean_up() {
    while (!stack_.leftovers.empty()) {
      // Those that others depend on go last.
      auto next = std::find_if(stack_.leftovers.begin(), stack_.leftovers.end(), [&](const Leftover& candidate) {
        return std::none_of(stack_.leftovers.begin(), stack_.leftovers.end(), [&](const Leftover& other) {
          return &other != &candidate && other.resource.depends_on.contains(candidate.resource.logical_id);
        });
      });
      if (next == stack_.leftovers.end()) next = stack_.leftovers.begin();
      Resource resource = next->resource;
      const std::string policy = resource.is_making ? "" : next->is_replaced ? resource.update_replace_policy : resource.deletion_policy;
      stack_.leftovers.erase(next);
      if (resource.is_making) co_await find_half_made(resource);
      if (!resource.exists()) continue;
      co_await remove_resource(resource, policy.starts_with("Retain"));
      cloud_.save(stack_);
    }
  }

  const std::string& reason() const { return reason_; }

 private:
  using Step = Task<bool> (Deployment::*)(const std::string& name);
  struct Rounds {
    deploy::Walk walk;
    std::unique_ptr<Later<bool>> wake;
  };

  bool give_up(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  Task<bool> walk(const deploy::Graph& graph, bool keep_going, Step step) {
    Rounds rounds{deploy::Walk(graph, kParallelMax), nullptr};
    if (keep_going) rounds.walk.keep_going();
    walking_ = keep_going ? nullptr : &rounds.walk;
    for (;;) {
      if (is_out_of_time() || (stack_.cancel_requested && stack_.work == Work::kUpdate)) rounds.walk.cancel();
      const std::vector<std::string> ready = rounds.walk.start_ready();
      for (const std::string& name : ready) one(rounds, name, step).detach();
      if (!ready.empty()) continue;
      if (rounds.walk.is_over()) break;
      rounds.wake = std::make_unique<Later<bool>>();
      Later<bool>& wake = *rounds.wake;
      co_await wake;
    }
    walking_ = nullptr;
    failed_ = rounds.walk.failed();
    co_return !rounds.walk.has_failed() && rounds.walk.is_complete();
  }

  Task<void> one(Rounds& rounds, std::string name, Step step) {
    const bool succeeded = co_await (this->*step)(name);
    rounds.walk.finish(name, succeeded);
    // Resuming the walk may end it: nothing of it may be touched afterwards.
    if (const auto wake = std::move(rounds.wake)) wake->set(true);
  }

  // Why the stack's policy forbids it, if it does. Rolling back is always allowed.
  std::optional<std::string> policy_denial(std::string_view action, const Resource& resource) const {
    if (stack_.work != Work::kUpdate) return std::nullopt;
    const std::string& policy = stack_.policy_during_update.empty() ? stack_.stack_policy : stack_.policy_during_update;
    if (is_allowed_by_policy(policy, action, resource.logical_id, resource.type)) return std::nullopt;
    return fmt::format("Action denied by stack policy: Statement does not allow [{}] for resource [LogicalResourceId/{}]", action, resource.logical_id);
  }

  // CreateStack's TimeoutInMinutes: what runs may end, nothing else starts.
  bool is_out_of_time() const {
    return stack_.work == Work::kCreate && stack_.timeout_minutes > 0 &&
           store::Shard::control().now() >= stack_.created + std::chrono::minutes(stack_.timeout_minutes);
  }

  void watch_imports() {
    scope_.import_value = [this, inner = scope_.import_value](std::string_view name) {
      auto value = inner(name);
      if (value) imports_.insert(std::string(name));
      return value;
    };
  }

  aws::ResourceContext context_for(const Resource& resource) {
    const std::string& name = resource.logical_id;
    aws::ResourceContext context{.call = stack_call(cloud_.caller, stack_.account, stack_.region, stack_.desired.role_arn), .caller = cloud_.caller,
                                 .stack_name = stack_.name, .stack_id = stack_.id, .logical_id = name, .type = resource.type, .role_arn = stack_.desired.role_arn, .signals = &cloud_.signals,
                                 .is_cancelled = [this] { return walking_ && (walking_->has_failed() || (stack_.cancel_requested && stack_.work == Work::kUpdate)); }, .tags = Json::array()};
    if (!resource.attempt.empty()) context.name_seed = fmt::format("{}/{}/{}", stack_.id, name, resource.attempt);
    const auto tag = [&](std::string_view key, std::string_view value) { context.tags.push_back(Json::object({{"Key", key}, {"Value", value}})); };
    for (const model::Tag& each : stack_.desired.tags) tag(each.key, each.value);
    tag("aws:cloudformation:stack-name", stack_.name);
    tag("aws:cloudformation:logical-id", name);
    tag("aws:cloudformation:stack-id", stack_.id);
    return context;
  }

  void set_resource(Resource& resource, std::string_view status, std::string_view reason = "") {
    resource.status = std::string(status);
    resource.reason = std::string(reason);
    resource.changed = store::Shard::control().now();
    cloud_.record_event(stack_, resource);
    // A leftover is no resource of the stack any more, though it may have the name of one.
    const auto found = stack_.resources.find(resource.logical_id);
    if (found != stack_.resources.end() && &found->second == &resource) cloud_.save_resource(stack_, resource);
  }

  static std::string handler_message(const aws::Error& error) {
    if (error.code.empty()) return error.message;   // a custom resource's own words
    return fmt::format("Resource handler returned message: \"{}\" (RequestToken: {}, HandlerErrorCode: {})", error.message, make_uuid(thread_random()), error.code);
  }

  // Brings one resource to what the plan says.
  Task<bool> put(const std::string& name) {
    const PlannedResource& planned = plan_.at(name);
    Resource& resource = stack_.resources[name];
    resource.logical_id = name;
    const bool is_known = resource.exists();
    const std::string verb = is_known ? "UPDATE" : "CREATE";
    const auto fail = [&](std::string reason) {
      if (!is_known) resource.type = planned.declaration->text("Type");
      failed_verb_ = is_known ? "update" : "create";
      set_resource(resource, verb + "_FAILED", reason);
      return false;
    };
    auto evaluated = evaluate_or_null((*planned.declaration)["Properties"], scope_);
    if (!evaluated) co_return fail(evaluated.error().message);
    auto resolved = co_await resolve_dynamic_references(cloud_, stack_call(cloud_.caller, stack_.account, stack_.region, stack_.desired.role_arn), *std::move(evaluated));
    if (!resolved) co_return fail(resolved.error().message);
    const Json properties = resolved->is_object() ? *std::move(resolved) : Json::object();
    auto metadata = evaluate_or_null((*planned.declaration)["Metadata"], scope_);
    const auto describe = [&] {
      resource.depends_on = planned.depends_on;
      resource.deletion_policy = planned.declaration->text("DeletionPolicy");
      resource.update_replace_policy = planned.declaration->text("UpdateReplacePolicy");
      if (metadata) resource.metadata = *metadata;
    };
    if (is_known) {
      const Difference difference = compare(*planned.type, planned.declaration->text("Type"), resource.type, resource.properties, properties);
      const bool tags_changed = stack_.previous && stack_.previous->tags != stack_.desired.tags && has_property(*planned.type, "Tags");
      if (difference.changed.empty() && !difference.needs_replacement && resource.status != "UPDATE_FAILED" && !tags_changed) {
        describe();
        cloud_.save_resource(stack_, resource);
        co_return true;
      }
      const bool replaces = difference.needs_replacement || !planned.type->update;
      if (auto denied = policy_denial(replaces ? "Update:Replace" : "Update:Modify", resource)) {
        resource.status = "UPDATE_IN_PROGRESS";
        co_return fail(*denied);
      }
      if (!replaces) co_return co_await update(resource, planned, properties, describe);
      stack_.leftovers.push_back({resource, true});
      cloud_.save(stack_);
      set_resource(resource, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.");
    }
    co_return co_await create(resource, planned, properties, is_known, describe);
  }

  template <class Describe>
  Task<bool> create(Resource& resource, const PlannedResource& planned, const Json& properties, bool is_replacement, const Describe& describe) {
    const std::string verb = is_replacement ? "UPDATE" : "CREATE";
    resource.type = planned.declaration->text("Type");
    resource.properties = properties;
    if (!resource.is_making) resource.attempt = make_uuid(thread_random());
    resource.is_making = true;
    describe();
    // What is about to be made is on record first: after a crash it can be found and removed.
    if (is_replacement) {
      cloud_.save_resource(stack_, resource);
    } else {
      resource.state = {};
      set_resource(resource, "CREATE_IN_PROGRESS");
    }
    co_await store::Shard::control().committed();
    const aws::ResourceContext context = context_for(resource);
    auto state = co_await planned.type->create(context, properties);
    resource.is_making = false;
    if (!state) {
      failed_verb_ = is_replacement ? "update" : "create";
      if (is_replacement) {  // the old one is still what the stack has
        const auto old = std::find_if(stack_.leftovers.begin(), stack_.leftovers.end(), [&](const Leftover& leftover) {
          return leftover.is_replaced && leftover.resource.logical_id == resource.logical_id &&
                 leftover.resource.state.physical_id == resource.state.physical_id;
        });
        if (old != stack_.leftovers.end()) {
          resource = old->resource;
          stack_.leftovers.erase(old);
          cloud_.save(stack_);
        }
      }
      if (!is_replacement) resource.state.physical_id = state.error().fields.text("PhysicalResourceId");
      set_resource(resource, verb + "_FAILED", handler_message(state.error()));
      co_return false;
    }
    resource.state = *std::move(state);
    if (!is_replacement) set_resource(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated");
    set_resource(resource, verb + "_COMPLETE");
    co_return true;
  }

  template <class Describe>
  Task<bool> update(Resource& resource, const PlannedResource& planned, const Json& properties, const Describe& describe) {
    const Json old_properties = std::exchange(resource.properties, properties);
    describe();
    set_resource(resource, "UPDATE_IN_PROGRESS");
    const aws::ResourceContext context = context_for(resource);
    const aws::ResourceState current = resource.state;
    auto state = co_await planned.type->update(context, current, old_properties, properties);
    if (!state) {
      failed_verb_ = "update";
      set_resource(resource, "UPDATE_FAILED", handler_message(state.error()));
      co_return false;
    }
    if (planned.type->is_custom && state->physical_id != current.physical_id) {
      Resource old = resource;
      old.properties = old_properties;
      stack_.leftovers.push_back({std::move(old), true});
      cloud_.save(stack_);
    }
    resource.state = *std::move(state);
    set_resource(resource, "UPDATE_COMPLETE");
    co_return true;
  }

  Task<bool> remove(const std::string& name) {
    Resource& resource = stack_.resources.find(name)->second;
    if (!resource.exists() && resource.is_making) co_await find_half_made(resource);
    if (!resource.exists()) {
      set_resource(resource, "DELETE_COMPLETE");
      co_return true;
    }
    const bool keep = stack_.retain.contains(name) || resource.deletion_policy == "Retain" ||
                      (resource.deletion_policy == "RetainExceptOnCreate" && !is_rollback_);
    co_return co_await remove_resource(resource, keep);
  }

  // A crash came between the making of the resource and the record of what it is. A made-up name says which one it is.
  // Under a name that the template gives there may have been somebody else's all along: only when making it again
  // succeeds it is the stack's own to remove.
  Task<void> find_half_made(Resource& resource) {
    resource.is_making = false;
    const aws::ResourceType* type = find_type(cloud_.caller, resource.type);
    if (!type || !type->create) co_return;
    const aws::ResourceContext context = context_for(resource);
    const Json properties = resource.properties;
    if (type->identify) {
      const std::string name = type->identify(context, properties);
      aws::ResourceContext other = context;
      other.name_seed += "/other";
      if (type->identify(other, properties) != name) {
        resource.state.physical_id = name;
        co_return;
      }
    }
    auto state = co_await type->create(context, properties);
    if (state) resource.state = *std::move(state);
    else log::warn("a resource may be left over from before the restart", {{"stack", stack_.name}, {"resource", resource.logical_id}, {"reason", state.error().message}});
  }

  Task<bool> remove_resource(Resource& resource, bool keep) {
    if (keep) {
      set_resource(resource, "DELETE_SKIPPED");
      co_return true;
    }
    const aws::ResourceType* type = find_type(cloud_.caller, resource.type);
    set_resource(resource, "DELETE_IN_PROGRESS");
    if (type && type->remove) {
      const aws::ResourceContext context = context_for(resource);
      const aws::ResourceState state = resource.state;
      const Json properties = resource.properties;
      auto done = co_await type->remove(context, state, properties);
      if (!done) {
        set_resource(resource, "DELETE_FAILED", handler_message(done.error()));
        co_return false;
      }
    }
    set_resource(resource, "DELETE_COMPLETE");
    co_return true;
  }

  Task<Reply<std::vector<model::Output>>> evaluate_outputs() {
    std::vector<model::Output> out;
    for (const auto& [name, declared] : stack_.desired.document["Outputs"].as_object()) {
      if (const Json& condition = declared["Condition"]; condition.is_string()) {
        const auto found = scope_.conditions.find(condition.as_string());
        if (found != scope_.conditions.end() && !found->second) continue;
      }
      const auto value = CO_TRY(evaluate(declared["Value"], scope_));
      if (!value) continue;
      const Json resolved = CO_TRY(co_await resolve_dynamic_references(cloud_, stack_call(cloud_.caller, stack_.account, stack_.region, stack_.desired.role_arn), *value));
      const auto text = resolved.scalar_text();
      if (!text) co_return Err(invalid("Template format error: The Value field of every Outputs member must evaluate to a String."));
      model::Output output{.output_key = name, .output_value = *text};
      if (declared["Description"].is_string()) output.description = declared.text("Description");
      if (declared["Export"].contains("Name")) {
        const auto export_name = CO_TRY(evaluate_or_null(declared["Export"]["Name"], scope_)).scalar_text();
        if (!export_name) co_return Err(invalid("Template format error: Export name must be a String."));
        output.export_name = *export_name;
      }
      out.push_back(std::move(output));
    }
    CO_TRY(check_exports(out));
    co_return out;
  }

  Reply<void> check_exports(const std::vector<model::Output>& outputs) {
    const auto taken = cloud_.exports(stack_.account, stack_.region);
    std::map<std::string, std::string> exported;
    for (const model::Output& output : outputs) {
      if (!output.export_name) continue;
      const auto found = taken.find(*output.export_name);
      if (found != taken.end() && found->second.stack != &stack_)
        return Err(invalid(fmt::format("Export with name {} is already exported by stack {}", *output.export_name, found->second.stack->name)));
      if (!exported.emplace(*output.export_name, output.output_value.value_or("")).second)
        return Err(invalid(fmt::format("Duplicate Export names: [{}]", *output.export_name)));
    }
    for (const model::Output& old : stack_.outputs) {
      if (!old.export_name) continue;
      const auto importers = cloud_.importers(stack_.account, stack_.region, *old.export_name);
      if (importers.empty()) continue;
      const auto found = exported.find(*old.export_name);
      if (found == exported.end())
        return Err(invalid(fmt::format("Delete canceled. Cannot delete export {} as it is in use by {}.", *old.export_name, names_of(importers))));
      if (found->second != old.output_value)
        return Err(invalid(fmt::format("Cannot update export {} as it is in use by {}.", *old.export_name, names_of(importers))));
    }
    return {};
  }

  Cloudformation& cloud_;
  Stack& stack_;
  Scope scope_;
  Plan plan_;
  std::set<std::string> imports_;
  std::vector<std::string> failed_;
  std::string failed_verb_ = "create";
  std::string reason_;
  bool is_rollback_ = false;
  const deploy::Walk* walking_ = nullptr;   // while resources are made and changed
};

// What follows when a create failed.
void after_failed_create(Cloudformation& cloud, Stack& stack, const std::string& reason) {
  if (stack.on_failure == "DO_NOTHING") {
    stack.work = Work::kNone;
    return cloud.set_status(stack, "CREATE_FAILED", reason);
  }
  if (stack.on_failure == "DELETE") {
    stack.work = Work::kDelete;
    return cloud.set_status(stack, "DELETE_IN_PROGRESS", reason + "Delete requested by user.");
  }
  stack.work = Work::kRollBackCreate;
  cloud.set_status(stack, "ROLLBACK_IN_PROGRESS", reason + "Rollback requested by user.");
}

Task<void> roll_back_update(Cloudformation& cloud, Stack& stack) {
  if (stack.previous) {
    prepare_rollback(stack);
    std::swap(stack.desired, *stack.previous);
    stack.previous.reset();
    cloud.save(stack);
    for (const auto& [name, resource] : stack.resources) cloud.save_resource(stack, resource);
  }
  Deployment deployment(cloud, stack);
  if (co_await deployment.apply()) {
    stack.work = Work::kCleanUpAfterRollBack;
    cloud.set_status(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
  } else {
    stack.work = Work::kNone;
    cloud.set_status(stack, "UPDATE_ROLLBACK_FAILED", deployment.reason());
  }
}

Task<void> delete_stack(Cloudformation& cloud, Stack& stack) {
  for (const model::Output& output : stack.outputs) {
    if (!output.export_name) continue;
    const auto importers = cloud.importers(stack.account, stack.region, *output.export_name);
    if (importers.empty()) continue;
    stack.work = Work::kNone;
    // Nothing has happened: the stack is what it was.
    const std::string before = std::exchange(stack.status_before_delete, {});
    cloud.set_status(stack, before.empty() ? "DELETE_FAILED" : before, fmt::format("Delete canceled. Cannot delete export {} as it is in use by {}.", *output.export_name, names_of(importers)));
    co_return;
  }
  Deployment deployment(cloud, stack);
  co_await deployment.clean_up();
  const bool succeeded = co_await deployment.remove_all(false);
  stack.work = Work::kNone;
  if (succeeded) {
    stack.outputs.clear();
    stack.imports.clear();
    stack.change_sets.clear();
  }
  cloud.set_status(stack, succeeded ? "DELETE_COMPLETE" : "DELETE_FAILED", succeeded ? "" : deployment.reason());
}

// One piece of work; stack.work says what follows.
Task<void> work_once(Cloudformation& cloud, Stack& stack) {
  Deployment deployment(cloud, stack);
  switch (stack.work) {
    case Work::kNone: break;
    case Work::kCreate:
      if (co_await deployment.apply()) {
        stack.work = Work::kNone;
        cloud.set_status(stack, "CREATE_COMPLETE");
      } else {
        after_failed_create(cloud, stack, deployment.reason());
      }
      break;
    case Work::kUpdate:
      if (co_await deployment.apply()) {
        stack.work = Work::kCleanUp;
        cloud.set_status(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
      } else if (stack.on_failure == "DO_NOTHING") {
        stack.work = Work::kNone;
        cloud.set_status(stack, "UPDATE_FAILED", deployment.reason());
      } else {
        stack.work = Work::kRollBackUpdate;
        cloud.set_status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", deployment.reason());
      }
      break;
    case Work::kRollBackUpdate: co_await roll_back_update(cloud, stack); break;
    case Work::kCleanUp:
    case Work::kCleanUpAfterRollBack: {
      co_await deployment.clean_up();
      const bool is_rollback = stack.work == Work::kCleanUpAfterRollBack;
      stack.work = Work::kNone;
      stack.previous.reset();
      cloud.set_status(stack, is_rollback ? "UPDATE_ROLLBACK_COMPLETE" : "UPDATE_COMPLETE");
      break;
    }
    case Work::kRollBackCreate: {
      const bool succeeded = co_await deployment.remove_all(true);
      stack.work = Work::kNone;
      stack.outputs.clear();
      cloud.set_status(stack, succeeded ? "ROLLBACK_COMPLETE" : "ROLLBACK_FAILED", succeeded ? "" : deployment.reason());
      break;
    }
    case Work::kDelete: co_await delete_stack(cloud, stack); break;
  }
}

}  // namespace

Task<void> deploy(Cloudformation& cloud, std::string stack_id) {
  for (;;) {
    Stack* stack = cloud.find_by_id(stack_id);
    if (!stack || stack->work == Work::kNone) co_return;
    co_await work_once(cloud, *stack);
    co_await store::Shard::control().committed();
  }
}

}  // namespace reef::cloudformation
