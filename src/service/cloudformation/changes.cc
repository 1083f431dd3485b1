#include "service/cloudformation/changes.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/deploy/walk.h"
#include "service/cloudformation/prepare.h"

namespace reef::cloudformation {
namespace {

// Stands for a value that only the change itself will bring about; equal to nothing.
std::string unknown_value(std::string_view resource, std::string_view attribute) {
  return fmt::format("{{{{changeSet:KNOWN_AFTER_APPLY:{}{}{}}}}}", resource, attribute.empty() ? "" : ".", attribute);
}
bool is_unknown(const Json& value) {
  if (value.is_string()) return value.as_string().find("{{changeSet:KNOWN_AFTER_APPLY") != std::string::npos;
  for (const Json& element : value.as_array())
    if (is_unknown(element)) return true;
  for (const auto& [name, member] : value.as_object())
    if (is_unknown(member)) return true;
  return false;
}

model::Change change(std::string_view action, const std::string& logical_id, std::string_view type) {
  model::ResourceChange resource;
  resource.action = std::string(action);
  resource.logical_resource_id = logical_id;
  resource.resource_type = std::string(type);
  resource.scope.emplace();
  resource.details.emplace();
  return {.type = "Resource", .resource_change = std::move(resource)};
}

void add_details(model::ResourceChange& change, const Difference& difference, const Json& new_properties) {
  bool is_conditional = false;
  for (const std::string& property : difference.changed) {
    const bool replaces = std::find(difference.replacing.begin(), difference.replacing.end(), property) != difference.replacing.end();
    const bool is_dynamic = is_unknown(new_properties[property]);
    is_conditional = is_conditional || (replaces && is_dynamic);
    model::ResourceChangeDetail detail;
    detail.target = model::ResourceTargetDefinition{.attribute = "Properties", .name = property, .requires_recreation = replaces ? (is_dynamic ? "Conditionally" : "Always") : "Never"};
    detail.evaluation = is_dynamic ? "Dynamic" : "Static";
    detail.change_source = is_dynamic ? "ResourceAttribute" : "DirectModification";
    change.details->push_back(std::move(detail));
  }
  const bool is_certain = std::any_of(difference.replacing.begin(), difference.replacing.end(), [&](const std::string& p) { return !is_unknown(new_properties[p]); });
  change.replacement = !difference.needs_replacement ? "False" : is_certain || !is_conditional ? "True" : "Conditional";
  change.scope->push_back("Properties");
}

}  // namespace

bool has_property(const aws::ResourceType& type, std::string_view name) {
  return std::any_of(type.properties.begin(), type.properties.end(), [&](const aws::PropertyType& p) { return p.name == name; });
}

Difference compare(const aws::ResourceType& type, std::string_view type_name, std::string_view old_type, const Json& old_properties, const Json& new_properties) {
  Difference out;
  out.needs_replacement = old_type != type_name;
  if (type.is_custom) {
    std::set<std::string, std::less<>> names;
    for (const Json* properties : {&old_properties, &new_properties})
      for (const auto& [name, value] : properties->as_object()) names.insert(name);
    for (const std::string& name : names)
      if (!(old_properties[name] == new_properties[name])) out.changed.push_back(name);
    return out;
  }
  for (const aws::PropertyType& property : type.properties) {
    if (property.on_change == aws::OnChange::kIgnore) continue;
    if (old_properties[property.name] == new_properties[property.name]) continue;
    out.changed.emplace_back(property.name);
    if (property.on_change == aws::OnChange::kReplace) {
      out.replacing.emplace_back(property.name);
      out.needs_replacement = true;
    }
  }
  return out;
}

Reply<std::vector<model::Change>> preview(Cloudformation& cloud, const Stack& stack, const Desired& desired) {
  Scope scope = TRY(make_scope(cloud, stack, desired));
  const Plan plan = TRY(make_plan(cloud, desired, scope));
  std::set<std::string, std::less<>> new_ones;  // resources that will be made anew
  scope.ref = [&, known = scope.ref](std::string_view name) -> std::optional<Json> {
    if (new_ones.contains(name)) return Json(unknown_value(name, ""));
    return known(name);
  };
  scope.attribute = [&, known = scope.attribute](std::string_view name, std::string_view attribute) -> std::optional<Json> {
    if (new_ones.contains(name)) return Json(unknown_value(name, attribute));
    auto value = known(name, attribute);
    return value ? value : std::optional<Json>(unknown_value(name, attribute));
  };
  std::map<std::string, model::Change> changes;
  deploy::Graph graph;
  for (const auto& [name, planned] : plan) graph[name] = planned.depends_on;
  deploy::Walk walk(graph, graph.size() + 1);
  for (auto ready = walk.start_ready(); !ready.empty(); ready = walk.start_ready()) {
    for (const std::string& name : ready) {
      const PlannedResource& planned = plan.at(name);
      const auto found = stack.resources.find(name);
      if (found == stack.resources.end() || !found->second.exists()) {
        new_ones.insert(name);
        changes[name] = change("Add", name, planned.declaration->text("Type"));
      } else {
        auto properties = evaluate_or_null((*planned.declaration)["Properties"], scope);
        if (!properties) return Err(std::move(properties).error());
        const Difference difference = compare(*planned.type, planned.declaration->text("Type"), found->second.type, found->second.properties, *properties);
        const bool tags_changed = stack.desired.tags != desired.tags && has_property(*planned.type, "Tags");
        if (!difference.changed.empty() || difference.needs_replacement || tags_changed) {
          model::Change each = change("Modify", name, planned.declaration->text("Type"));
          each.resource_change->physical_resource_id = found->second.state.physical_id;
          add_details(*each.resource_change, difference, *properties);
          changes[name] = std::move(each);
        }
        if (difference.needs_replacement) new_ones.insert(name);
      }
      walk.finish(name, true);
    }
  }
  for (const auto& [name, resource] : stack.resources) {
    if (plan.contains(name) || !resource.exists()) continue;
    model::Change each = change("Remove", name, resource.type);
    each.resource_change->physical_resource_id = resource.state.physical_id;
    each.resource_change->policy_action = resource.deletion_policy.starts_with("Retain") ? "Retain" : "Delete";
    changes[name] = std::move(each);
  }
  std::vector<model::Change> out;
  for (auto& [name, each] : changes) out.push_back(std::move(each));
  return out;
}

bool is_same(const Stack& stack, const Desired& desired, const std::vector<model::Change>& changes) {
  return changes.empty() && stack.desired.tags == desired.tags && stack.desired.document["Outputs"] == desired.document["Outputs"];
}

}  // namespace reef::cloudformation
