// From what a caller sends to what a stack should be: fetches and parses the template, applies transforms, resolves
// parameters, and refuses everything that can be refused before a resource is touched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/cloudformation/cloudformation.h"
#include "service/cloudformation/template/evaluate.h"

namespace reef::cloudformation {

struct TemplateSource {
  std::optional<std::string> body, url;
  bool use_previous = false;
};

struct Wanted {
  TemplateSource source;
  std::optional<std::vector<model::Parameter>> parameters;
  std::optional<std::vector<model::Tag>> tags;
  std::optional<std::vector<std::string>> capabilities;
  std::optional<std::vector<std::string>> notification_arns;
  std::optional<std::string> role_arn;
  std::optional<std::vector<std::string>> resource_types;   // the only ones that the template may have: "AWS::EC2::*"
};

// The template's text. `stack` is the one that use_previous means.
Task<Reply<std::string>> fetch_template(Cloudformation& cloud, const aws::Call& call, const TemplateSource& source, const Stack* stack);

// Everything but the checks that need the stack's name. `stack` is the one to be updated, or nullptr.
Task<Reply<Desired>> prepare(Cloudformation& cloud, const aws::Call& call, const Wanted& wanted, const Stack* stack);

// The scope in which the stack's desired template means something: parameters, conditions, exports, and the resources
// as they are.
Reply<Scope> make_scope(Cloudformation& cloud, const Stack& stack, const Desired& desired);

// The type of that name; every "Custom::Name" is AWS::CloudFormation::CustomResource. Nothing when it is unknown.
const aws::ResourceType* find_type(aws::Caller& caller, std::string_view type);

// Resources whose conditions hold, with what each depends on; checks types, properties, references and cycles.
struct PlannedResource {
  const Json* declaration;
  const aws::ResourceType* type;
  std::set<std::string> depends_on;
};
using Plan = std::map<std::string, PlannedResource, std::less<>>;
Reply<Plan> make_plan(Cloudformation& cloud, const Desired& desired, const Scope& scope);

// Capabilities that the template needs, with the reason AWS gives.
std::vector<std::string> required_capabilities(const Json& source_document, const Json& document);
Reply<void> check_capabilities(const Json& source_document, const Json& document, const std::vector<std::string>& given);

}  // namespace reef::cloudformation
