// Reading and checking templates.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html
#include <algorithm>

#include <fmt/format.h>

#include "service/cloudformation/operations.h"
#include "service/cloudformation/prepare.h"
#include "service/cloudformation/transforms.h"

namespace reef::cloudformation::operations {
namespace {

// The template with its transforms applied as far as that goes without parameters' values.
Task<Reply<Json>> expanded(Cloudformation& cloud, const Json& document, const aws::Call& call) {
  std::map<std::string, Json, std::less<>> values;
  for (const auto& [name, declared] : document["Parameters"].as_object())
    if (const auto text = declared["Default"].scalar_text()) values[name] = *text;
  co_return co_await apply_transforms(cloud, call, document, values);
}

std::string capabilities_reason(const Json& document) {
  std::set<std::string> types;
  for (const auto& [name, resource] : document["Resources"].as_object())
    if (resource.text("Type").starts_with("AWS::IAM::")) types.insert(resource.text("Type"));
  return fmt::format("The following resource(s) require capabilities: [{}]", fmt::join(types, ", "));
}

}  // namespace

Task<Reply<model::GetTemplateOutput>> get_template(Cloudformation& cloud, const model::GetTemplateInput& in, const aws::Call& call) {
  const Desired* desired = nullptr;
  if (in.change_set_name) {
    if (!in.stack_name && !in.change_set_name->starts_with("arn:")) co_return Err(invalid("StackName is a required parameter."));
    for (Stack* stack : cloud.list(call))
      for (auto& [name, set] : stack->change_sets)
        if (set.id == *in.change_set_name || (name == *in.change_set_name && in.stack_name && (stack->name == *in.stack_name || stack->id == *in.stack_name)))
          desired = &set.desired;
    if (!desired) co_return Err(aws::Error(model::errors::kChangeSetNotFoundException, fmt::format("ChangeSet [{}] does not exist", *in.change_set_name)));
  } else {
    if (!in.stack_name) co_return Err(invalid("StackName is required if ChangeSetName is not specified."));
    desired = &CO_TRY(cloud.get(call, *in.stack_name))->desired;
  }
  model::GetTemplateOutput out;
  out.template_body = in.template_stage == "Processed" ? desired->document.dump() : desired->source;
  out.stages_available = {"Original", "Processed"};
  co_return out;
}

Task<Reply<model::GetTemplateSummaryOutput>> get_template_summary(Cloudformation& cloud, const model::GetTemplateSummaryInput& in, const aws::Call& call) {
  std::string source;
  if (in.stack_name) {
    const Stack* stack = CO_TRY(cloud.get(call, *in.stack_name));
    if (stack->status == "REVIEW_IN_PROGRESS") co_return Err(invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."));
    source = stack->desired.source;
  } else {
    source = CO_TRY(co_await fetch_template(cloud, call, {in.template_body, in.template_url}, nullptr));
  }
  const Json document = CO_TRY(parse_template(source));
  CO_TRY(check_sections(document));
  model::GetTemplateSummaryOutput out;
  auto& parameters = out.parameters.emplace();
  for (const auto& [name, declared] : document["Parameters"].as_object()) {
    model::ParameterDeclaration each{.parameter_key = name, .parameter_type = declared.text("Type"), .no_echo = declared["NoEcho"].scalar_text() == "true"};
    if (const auto text = declared["Default"].scalar_text()) each.default_value = *text;
    if (declared["Description"].is_string()) each.description = declared.text("Description");
    auto& constraints = each.parameter_constraints.emplace();
    if (declared["AllowedValues"].is_array()) {
      auto& allowed = constraints.allowed_values.emplace();
      for (const Json& value : declared["AllowedValues"].as_array()) allowed.push_back(value.scalar_text().value_or(""));
    }
    parameters.push_back(std::move(each));
  }
  if (document["Description"].is_string()) out.description = document.text("Description");
  const auto processed = co_await expanded(cloud, document, call);
  const Json& shown = processed ? *processed : document;
  std::vector<std::string> capabilities = required_capabilities(document, shown);
  if (!capabilities.empty()) {
    out.capabilities_reason = capabilities_reason(shown);
    out.capabilities = std::move(capabilities);
  }
  std::vector<std::string> types;
  std::map<std::string, std::vector<std::string>> by_type;
  for (const auto& [name, resource] : document["Resources"].as_object()) {
    const std::string& type = resource.text("Type");
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
    by_type[type].push_back(name);
  }
  out.resource_types = types;
  if (document["AWSTemplateFormatVersion"].is_string()) out.version = document.text("AWSTemplateFormatVersion");
  if (document["Metadata"].is_object()) out.metadata = document["Metadata"].dump();
  out.declared_transforms = transforms_of(document);
  auto& summaries = out.resource_identifier_summaries.emplace();
  for (auto& [type, names] : by_type) {
    model::ResourceIdentifierSummary each;
    each.resource_type = type;
    each.logical_resource_ids = std::move(names);
    summaries.push_back(std::move(each));
  }
  co_return out;
}

Task<Reply<model::ValidateTemplateOutput>> validate_template(Cloudformation& cloud, const model::ValidateTemplateInput& in, const aws::Call& call) {
  const std::string source = CO_TRY(co_await fetch_template(cloud, call, {in.template_body, in.template_url}, nullptr));
  const Json document = CO_TRY(parse_template(source));
  CO_TRY(check_sections(document));
  const Json processed = CO_TRY(co_await expanded(cloud, document, call));
  // References are checked whatever the conditions turn out to be.
  std::set<std::string> mentioned;
  for (const auto& [name, resource] : processed["Resources"].as_object()) collect_mentions(resource["Properties"], mentioned);
  std::vector<std::string> unresolved;
  for (const std::string& name : mentioned)
    if (!name.starts_with("AWS::") && !processed["Parameters"].contains(name) && !processed["Resources"].contains(name)) unresolved.push_back(name);
  if (!unresolved.empty())
    co_return Err(invalid(fmt::format("Template format error: Unresolved resource dependencies [{}] in the Resources block of the template", fmt::join(unresolved, ", "))));
  model::ValidateTemplateOutput out;
  auto& parameters = out.parameters.emplace();
  for (const auto& [name, declared] : document["Parameters"].as_object()) {
    model::TemplateParameter each{.parameter_key = name, .no_echo = declared["NoEcho"].scalar_text() == "true"};
    if (const auto text = declared["Default"].scalar_text()) each.default_value = *text;
    if (declared["Description"].is_string()) each.description = declared.text("Description");
    parameters.push_back(std::move(each));
  }
  if (document["Description"].is_string()) out.description = document.text("Description");
  std::vector<std::string> capabilities = required_capabilities(document, processed);
  if (!capabilities.empty()) {
    out.capabilities_reason = capabilities_reason(processed);
    out.capabilities = std::move(capabilities);
  }
  if (const auto transforms = transforms_of(document); !transforms.empty()) out.declared_transforms = transforms;
  co_return out;
}

}  // namespace reef::cloudformation::operations
