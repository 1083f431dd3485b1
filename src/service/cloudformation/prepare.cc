#include "service/cloudformation/prepare.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "aws/s3_object.h"
#include "base/encoding.h"
#include "base/text.h"
#include "engine/deploy/walk.h"
#include "service/cloudformation/role.h"
#include "service/cloudformation/template/known_values.h"
#include "service/cloudformation/transforms.h"

namespace reef::cloudformation {
namespace {

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html: AWS takes 51,200 bytes in
// the request and 1 MB from S3. We take the larger from both.
constexpr std::size_t kTemplateBytesMax = 1'000'000;

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
std::optional<aws::S3Place> parse_s3_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view protocol = url.substr(0, scheme);
  std::string_view rest = url.substr(scheme + 3), query;
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) query = rest.substr(mark + 1), rest = rest.substr(0, mark);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view host = rest.substr(0, slash);
  std::string_view path = rest.substr(slash + 1);
  aws::S3Place out;
  if (protocol == "s3") {
    out.bucket = std::string(host);
  } else if (protocol != "http" && protocol != "https") {
    return std::nullopt;
  } else if (const std::size_t s3 = host.find(".s3"); s3 != std::string_view::npos && s3 != 0 && s3 + 3 < host.size() && (host[s3 + 3] == '.' || host[s3 + 3] == '-')) {
    out.bucket = std::string(host.substr(0, s3));
  } else {
    const std::size_t end = path.find('/');
    if (end == std::string_view::npos) return std::nullopt;
    out.bucket = percent_decode(path.substr(0, end));
    path = path.substr(end + 1);
  }
  out.key = percent_decode(path);
  for (const std::string_view part : split(query, '&'))
    if (part.starts_with("versionId=")) out.version = percent_decode(part.substr(10));
  if (out.bucket.empty() || out.key.empty()) return std::nullopt;
  return out;
}

Task<Reply<std::string>> read_object(Cloudformation& cloud, const aws::Call& call, aws::S3Place place) {
  auto text = co_await aws::read_s3_object(cloud.caller, call, std::move(place), kTemplateBytesMax);
  if (text) co_return *std::move(text);
  if (text.error().code == "EntityTooLarge") co_return Err(invalid(fmt::format("Template may not exceed {} bytes in size.", kTemplateBytesMax)));
  co_return Err(invalid(fmt::format("S3 error: {}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", text.error().message)));
}

bool is_iam_type(std::string_view type) {
  static constexpr std::array kTypes = {"AWS::IAM::AccessKey", "AWS::IAM::Group", "AWS::IAM::InstanceProfile", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy",
                                        "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::UserToGroupAddition", "AWS::IAM::RolePolicy",
                                        "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy", "AWS::IAM::ServiceLinkedRole"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}
bool has_custom_name(std::string_view type, const Json& properties) {
  return (type == "AWS::IAM::Role" && properties.contains("RoleName")) || (type == "AWS::IAM::User" && properties.contains("UserName")) ||
         (type == "AWS::IAM::Group" && properties.contains("GroupName")) ||
         (type == "AWS::IAM::ManagedPolicy" && properties.contains("ManagedPolicyName")) ||
         (type == "AWS::IAM::InstanceProfile" && properties.contains("InstanceProfileName"));
}

Task<Reply<void>> resolve_ssm(Cloudformation& cloud, const aws::Call& call, std::vector<Parameter>& parameters) {
  for (Parameter& parameter : parameters) {
    if (!parameter.is_ssm()) continue;
    auto out = co_await cloud.caller.invoke_json(call, "ssm", "GetParameter", Json::object({{"Name", parameter.value}, {"WithDecryption", false}}));
    if (!out) co_return Err(invalid(fmt::format("Unable to fetch parameters [{}] from parameter store for this account.", parameter.value)));
    parameter.resolved = (*out)["Parameter"].text("Value");
  }
  co_return Reply<void>{};
}

std::optional<Json> attribute_of(const Resource& resource, std::string_view name) {
  if (const Json* flat = resource.state.attributes.find(name)) return *flat;
  const Json* at = &resource.state.attributes;
  for (const std::string_view part : split(name, '.')) {
    at = at->find(part);
    if (!at) return std::nullopt;
  }
  return *at;
}

Reply<void> check_properties(const std::string& name, const aws::ResourceType& type, const Json& properties, const Scope& scope) {
  for (const auto& [key, value] : properties.as_object()) {
    const bool is_known = std::any_of(type.properties.begin(), type.properties.end(), [&](const aws::PropertyType& p) { return p.name == key; });
    if (!is_known && !type.is_custom)
      return Err(invalid(fmt::format("Properties validation failed for resource {} with message:\n#: extraneous key [{}] is not permitted ({} is not supported for {})", name, key, key, type.name)));
  }
  for (const aws::PropertyType& property : type.properties)
    if (property.required && !properties.contains(property.name))
      return Err(invalid(fmt::format("Properties validation failed for resource {} with message:\n#: required key [{}] not found", name, property.name)));
  const Json known = TRY(known_values(properties, scope));
  if (type.check) {
    const std::string problem = type.check(known.is_object() ? known : Json::object());
    if (!problem.empty()) return Err(invalid(fmt::format("Properties validation failed for resource {} with message:\n#: {}", name, problem)));
  }
  return {};
}

}  // namespace

Task<Reply<std::string>> fetch_template(Cloudformation& cloud, const aws::Call& call, const TemplateSource& source, const Stack* stack) {
  if (source.body && source.url) co_return Err(invalid("You must specify either TemplateBody or TemplateURL, not both."));
  if (source.body) {
    if (source.body->size() > kTemplateBytesMax)
      co_return Err(invalid(fmt::format("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to {}", kTemplateBytesMax)));
    co_return *source.body;
  }
  if (source.url) {
    auto place = parse_s3_url(*source.url);
    if (!place) co_return Err(invalid("TemplateURL must be a supported URL."));
    co_return co_await read_object(cloud, call, *std::move(place));
  }
  if (source.use_previous && stack && !stack->desired.source.empty()) co_return stack->desired.source;
  if (source.use_previous) co_return Err(invalid("No previous template is available for this stack."));
  co_return Err(invalid("Either Template URL or Template Body must be specified."));
}

namespace {

// ResourceTypes: "AWS::*", "Custom::*", "AWS::EC2::*", "Custom::Seed", "AWS::EC2::Instance".
Reply<void> check_allowed(const Json& document, const std::vector<std::string>& allowed) {
  std::set<std::string> others;
  for (const auto& [name, declaration] : document["Resources"].as_object()) {
    const std::string type = declaration.text("Type");
    const bool fits = std::ranges::any_of(allowed, [&](std::string_view one) {
      return one.ends_with("*") ? type.starts_with(one.substr(0, one.size() - 1)) : type == one;
    });
    if (!fits) others.insert(type);
  }
  if (others.empty()) return {};
  return Err(invalid(fmt::format("Resource type(s) [{}] in the template are not among those that ResourceTypes allows.", fmt::join(others, ", "))));
}

}  // namespace

Task<Reply<Desired>> prepare(Cloudformation& cloud, const aws::Call& call, const Wanted& wanted, const Stack* stack) {
  Desired out;
  if (stack) {
    out.tags = stack->desired.tags;
    out.role_arn = stack->desired.role_arn;
    out.notification_arns = stack->desired.notification_arns;
  }
  if (wanted.tags) out.tags = *wanted.tags;
  if (wanted.role_arn) out.role_arn = *wanted.role_arn;
  if (wanted.role_arn) CO_TRY(co_await check_role(cloud.caller, call, out.role_arn));
  if (wanted.notification_arns) out.notification_arns = *wanted.notification_arns;
  out.capabilities = wanted.capabilities.value_or(std::vector<std::string>());
  for (const model::Tag& tag : out.tags)
    if (to_lower(tag.key).starts_with("aws:")) co_return Err(invalid(fmt::format("aws: prefixed tag key names are not allowed for external use: {}", tag.key)));
  out.source = CO_TRY(co_await fetch_template(cloud, call, wanted.source, stack));
  const Json document = CO_TRY(parse_template(out.source));
  CO_TRY(check_parameter_names(document));
  std::vector<GivenParameter> given;
  for (const model::Parameter& parameter : wanted.parameters.value_or(std::vector<model::Parameter>()))
    given.push_back({parameter.parameter_key.value_or(""), parameter.parameter_value, parameter.use_previous_value.value_or(false)});
  out.parameters = CO_TRY(resolve_parameters(document["Parameters"], given, stack ? stack->desired.parameter_values() : std::map<std::string, std::string>()));
  CO_TRY(co_await resolve_ssm(cloud, call, out.parameters));
  std::map<std::string, Json, std::less<>> values;
  for (const Parameter& parameter : out.parameters) values[parameter.key] = parameter.ref_value();
  out.document = CO_TRY(co_await apply_transforms(cloud, call, document, values));
  CO_TRY(check_sections(out.document));
  CO_TRY(check_capabilities(document, out.document, out.capabilities));
  if (wanted.resource_types) CO_TRY(check_allowed(out.document, *wanted.resource_types));
  co_return out;
}

Reply<Scope> make_scope(Cloudformation& cloud, const Stack& stack, const Desired& desired) {
  Scope scope{.account = stack.account, .region = stack.region, .stack_name = stack.name, .stack_id = stack.id,
              .notification_arns = desired.notification_arns, .mappings = desired.document["Mappings"]};
  if (stack.region.starts_with("cn-")) scope.partition = "aws-cn", scope.url_suffix = "amazonaws.com.cn";
  if (stack.region.starts_with("us-gov-")) scope.partition = "aws-us-gov";
  for (const Parameter& parameter : desired.parameters) scope.parameters[parameter.key] = parameter.ref_value();
  scope.import_value = [&cloud, account = stack.account, region = stack.region](std::string_view name) -> std::optional<std::string> {
    const auto exports = cloud.exports(account, region);
    const auto found = exports.find(std::string(name));
    if (found == exports.end()) return std::nullopt;
    return found->second.value;
  };
  TRY(check_rules(desired.document["Rules"], scope));
  TRY(evaluate_conditions(desired.document["Conditions"], scope));
  scope.ref = [&stack](std::string_view name) -> std::optional<Json> {
    const auto found = stack.resources.find(name);
    if (found == stack.resources.end() || !found->second.exists()) return std::nullopt;
    return Json(found->second.state.physical_id);
  };
  scope.attribute = [&stack](std::string_view name, std::string_view attribute) -> std::optional<Json> {
    const auto found = stack.resources.find(name);
    if (found == stack.resources.end() || !found->second.exists()) return std::nullopt;
    return attribute_of(found->second, attribute);
  };
  return scope;
}

namespace {

// The resource is made when its Condition holds, or when it has none.
Reply<bool> is_wanted(const std::string& name, const Json& declaration, const Scope& scope) {
  const Json& condition = declaration["Condition"];
  if (!condition.is_string()) return true;
  const auto found = scope.conditions.find(condition.as_string());
  if (found == scope.conditions.end())
    return Err(invalid(fmt::format("Template format error: Unresolved condition dependency [{}] for resource {} in the Resources block of the template", condition.as_string(), name)));
  return found->second;
}

Reply<void> check_outputs(const Desired& desired, const Plan& plan, const Scope& scope) {
  std::vector<std::string> unresolved;
  for (const auto& [name, output] : desired.document["Outputs"].as_object()) {
    if (!TRY(is_wanted(name, output, scope))) continue;
    std::set<std::string> references;
    collect_references(output["Value"], scope, references);
    collect_references(output["Export"], scope, references);
    const Json value = TRY(known_values(output["Value"], scope));
    if (value.is_array() || (value.is_object() && intrinsic_of(value).empty()))
      return Err(invalid("Template format error: The Value field of every Outputs member must evaluate to a String."));
    TRY(known_values(output["Export"], scope));
    for (const std::string& reference : references)
      if (!reference.starts_with("AWS::") && !scope.parameters.contains(reference) && !plan.contains(reference)) unresolved.push_back(reference);
  }
  if (!unresolved.empty())
    return Err(invalid(fmt::format("Template format error: Unresolved resource dependencies [{}] in the Outputs block of the template", fmt::join(unresolved, ", "))));
  return {};
}

}  // namespace

const aws::ResourceType* find_type(aws::Caller& caller, std::string_view type) {
  constexpr std::string_view kCustom = "Custom::";
  constexpr std::size_t kNameMax = 60;
  if (!type.starts_with(kCustom)) return caller.find_resource_type(type);
  const std::string_view name = type.substr(kCustom.size());
  const bool fits = !name.empty() && type.size() <= kNameMax && std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || c == '-'; });
  return fits ? caller.find_resource_type("AWS::CloudFormation::CustomResource") : nullptr;
}

Reply<Plan> make_plan(Cloudformation& cloud, const Desired& desired, const Scope& scope) {
  Plan plan;
  std::vector<std::string> unknown_types;
  const Json& resources = desired.document["Resources"];
  for (const auto& [name, declaration] : resources.as_object()) {
    if (!TRY(is_wanted(name, declaration, scope))) continue;
    const std::string& type = declaration.text("Type");
    const aws::ResourceType* found = find_type(cloud.caller, type);
    if (!found && std::find(unknown_types.begin(), unknown_types.end(), type) == unknown_types.end()) unknown_types.push_back(type);
    plan[name] = {.declaration = &declaration, .type = found, .depends_on = {}};
  }
  if (!unknown_types.empty()) return Err(invalid(fmt::format("Template format error: Unrecognized resource types: [{}]", fmt::join(unknown_types, ", "))));
  std::vector<std::string> unresolved;
  deploy::Graph graph;
  for (auto& [name, planned] : plan) {
    const Json& declaration = *planned.declaration;
    TRY(check_properties(name, *planned.type, declaration["Properties"], scope));
    for (const char* attribute : {"CreationPolicy", "UpdatePolicy"})
      if (declaration[attribute].size() > 0)
        return Err(invalid(fmt::format("Resource {} has the attribute {}, which is not supported by this version of Atoll for {}.", name, attribute, declaration.text("Type"))));
    if (declaration.text("DeletionPolicy") == "Snapshot" || declaration.text("UpdateReplacePolicy") == "Snapshot")
      return Err(invalid(fmt::format("Template error: resource type {} does not support deletion policy Snapshot", declaration.text("Type"))));
    std::set<std::string> references;
    collect_references(declaration["Properties"], scope, references);
    std::vector<std::string> explicit_ones;
    const Json& depends_on = declaration["DependsOn"];
    if (depends_on.is_string()) explicit_ones.push_back(depends_on.as_string());
    for (const Json& each : depends_on.as_array()) explicit_ones.push_back(each.as_string());
    for (const std::string& needed : explicit_ones) {
      if (!resources.contains(needed)) unresolved.push_back(needed);
      if (plan.contains(needed)) planned.depends_on.insert(needed);
    }
    for (const std::string& reference : references) {
      if (reference.starts_with("AWS::") || scope.parameters.contains(reference)) continue;
      if (plan.contains(reference)) planned.depends_on.insert(reference);
      else unresolved.push_back(reference);
    }
    graph[name] = planned.depends_on;
  }
  std::sort(unresolved.begin(), unresolved.end());
  unresolved.erase(std::unique(unresolved.begin(), unresolved.end()), unresolved.end());
  if (!unresolved.empty())
    return Err(invalid(fmt::format("Template format error: Unresolved resource dependencies [{}] in the Resources block of the template", fmt::join(unresolved, ", "))));
  if (const auto cycle = deploy::find_cycle(graph); !cycle.empty())
    return Err(invalid(fmt::format("Circular dependency between resources: [{}]", fmt::join(cycle, ", "))));
  for (const auto& [name, planned] : plan)
    if (planned.depends_on.contains(name)) return Err(invalid(fmt::format("Circular dependency between resources: [{}]", name)));
  TRY(check_outputs(desired, plan, scope));
  return plan;
}

std::vector<std::string> required_capabilities(const Json& source_document, const Json& document) {
  bool needs_iam = false, needs_named = false;
  for (const auto& [name, resource] : document["Resources"].as_object()) {
    const std::string& type = resource.text("Type");
    needs_iam = needs_iam || is_iam_type(type);
    needs_named = needs_named || has_custom_name(type, resource["Properties"]);
  }
  std::vector<std::string> out;
  if (needs_named) out.push_back("CAPABILITY_NAMED_IAM");
  else if (needs_iam) out.push_back("CAPABILITY_IAM");
  if (!transforms_of(source_document).empty()) out.push_back("CAPABILITY_AUTO_EXPAND");
  return out;
}

Reply<void> check_capabilities(const Json& source_document, const Json& document, const std::vector<std::string>& given) {
  const auto has = [&](std::string_view name) { return std::find(given.begin(), given.end(), name) != given.end(); };
  for (const std::string& needed : required_capabilities(source_document, document)) {
    // Transforms are the business of who applies them at once: CreateStack and UpdateStack check them.
    if (needed == "CAPABILITY_AUTO_EXPAND" || has(needed) || (needed == "CAPABILITY_IAM" && has("CAPABILITY_NAMED_IAM"))) continue;
    return Err(aws::Error(model::errors::kInsufficientCapabilitiesException, fmt::format("Requires capabilities : [{}]", needed)));
  }
  return {};
}

}  // namespace reef::cloudformation
