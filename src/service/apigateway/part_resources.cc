// API keys, usage plans, gateway responses, models, request validators and domain names as CloudFormation resources.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
#include <algorithm>

#include <fmt/format.h>

#include "service/apigateway/resource_calls.h"
#include "service/apigateway/resources.h"

namespace reef::service::apigateway::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Json texts_of(const Json& map) {
  Json out = Json::object();
  for (const auto& [name, value] : map.as_object()) out.set(name, value.is_object() ? value.dump() : value.scalar_text().value_or(""));
  return out;
}
// --- API keys ------------------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_key(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"name", properties.contains("Name") ? properties["Name"] : Json(context.generated_name(64))}});
  for (const auto& [from, to] : {std::pair("CustomerId", "customerId"), std::pair("Description", "description"), std::pair("Value", "value")})
    if (properties.contains(from)) input.set(to, properties[from]);
  if (properties.contains("Enabled")) input.set("enabled", boolean(properties["Enabled"]));
  Json& stages = input.set("stageKeys", Json::array());
  for (const Json& stage : properties["StageKeys"].as_array()) stages.push_back(Json::object({{"restApiId", stage["RestApiId"]}, {"stageName", stage["StageName"]}}));
  input.set("tags", tags_of(context, properties["Tags"]));
  const Json out = CO_TRY(co_await call(context, "CreateApiKey", std::move(input)));
  co_return ResourceState{.physical_id = out.text("id"), .attributes = Json::object({{"APIKeyId", out.text("id")}})};
}
Task<aws::Reply<ResourceState>> update_key(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json operations = Json::array({replace("/enabled", after["Enabled"].scalar_text().value_or("false"))});
  for (const auto& [from, to] : {std::pair("CustomerId", "/customerId"), std::pair("Description", "/description")})
    if (after.contains(from)) operations.push_back(replace(to, after.text(from)));
  CO_TRY(co_await call(context, "UpdateApiKey", Json::object({{"apiKey", current.physical_id}, {"patchOperations", std::move(operations)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_key(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await call_gone(context, "DeleteApiKey", Json::object({{"apiKey", current.physical_id}}));
}

// --- usage plans ---------------------------------------------------------------------------------------------------------

Json limits_of(const Json& given) {
  Json out = Json::object();
  if (given.contains("BurstLimit")) out.set("burstLimit", number(given["BurstLimit"]));
  if (given.contains("RateLimit")) out.set("rateLimit", number(given["RateLimit"]));
  return out;
}

Task<aws::Reply<ResourceState>> create_plan(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"name", properties.contains("UsagePlanName") ? properties["UsagePlanName"] : Json(context.generated_name(64))}});
  if (properties.contains("Description")) input.set("description", properties["Description"]);
  if (properties.contains("Throttle")) input.set("throttle", limits_of(properties["Throttle"]));
  if (const Json* quota = properties.find("Quota")) {
    Json& out = input.set("quota", Json::object({{"period", (*quota)["Period"]}}));
    for (const auto& [from, to] : {std::pair("Limit", "limit"), std::pair("Offset", "offset")})
      if (quota->contains(from)) out.set(to, number((*quota)[from]));
  }
  Json& stages = input.set("apiStages", Json::array());
  for (const Json& stage : properties["ApiStages"].as_array()) {
    Json one = Json::object({{"apiId", stage["ApiId"]}, {"stage", stage["Stage"]}});
    for (const auto& [method, limits] : stage["Throttle"].as_object()) {
      if (!one.contains("throttle")) one.set("throttle", Json::object());
      one.find("throttle")->set(method, limits_of(limits));
    }
    stages.push_back(std::move(one));
  }
  input.set("tags", tags_of(context, properties["Tags"]));
  const Json out = CO_TRY(co_await call(context, "CreateUsagePlan", std::move(input)));
  co_return ResourceState{.physical_id = out.text("id"), .attributes = Json::object({{"Id", out.text("id")}})};
}

std::string stage_text(const Json& stage) { return fmt::format("{}:{}", stage.text("ApiId"), stage.text("Stage")); }

Task<aws::Reply<ResourceState>> update_plan(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json operations = Json::array();
  if (after.contains("UsagePlanName")) operations.push_back(replace("/name", after.text("UsagePlanName")));
  if (after.contains("Description")) operations.push_back(replace("/description", after.text("Description")));
  const auto same = [](const Json& stages, const Json& wanted) {
    return std::any_of(stages.as_array().begin(), stages.as_array().end(), [&](const Json& each) { return stage_text(each) == stage_text(wanted); });
  };
  for (const Json& stage : before["ApiStages"].as_array())
    if (!same(after["ApiStages"], stage)) operations.push_back(patch("remove", "/apiStages", stage_text(stage)));
  for (const Json& stage : after["ApiStages"].as_array())
    if (!same(before["ApiStages"], stage)) operations.push_back(patch("add", "/apiStages", stage_text(stage)));
  for (const auto& [part, path] : {std::pair("Throttle", "/throttle"), std::pair("Quota", "/quota")}) {
    if (!after.contains(part) && before.contains(part)) operations.push_back(patch("remove", path, ""));
    for (const auto& [from, to] : {std::pair("BurstLimit", "burstLimit"), std::pair("RateLimit", "rateLimit"), std::pair("Limit", "limit"), std::pair("Offset", "offset"), std::pair("Period", "period")})
      if (after[part].contains(from)) operations.push_back(replace(fmt::format("{}/{}", path, to), after[part][from].scalar_text().value_or("")));
  }
  CO_TRY(co_await call(context, "UpdateUsagePlan", Json::object({{"usagePlanId", current.physical_id}, {"patchOperations", std::move(operations)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_plan(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  // A plan with stages cannot go.
  Json operations = Json::array();
  for (const Json& stage : properties["ApiStages"].as_array()) operations.push_back(patch("remove", "/apiStages", stage_text(stage)));
  if (operations.size() > 0) CO_TRY(co_await call_gone(context, "UpdateUsagePlan", Json::object({{"usagePlanId", current.physical_id}, {"patchOperations", std::move(operations)}})));
  co_return co_await call_gone(context, "DeleteUsagePlan", Json::object({{"usagePlanId", current.physical_id}}));
}

Task<aws::Reply<ResourceState>> create_member(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "CreateUsagePlanKey", Json::object({{"usagePlanId", properties["UsagePlanId"]}, {"keyId", properties["KeyId"]}, {"keyType", properties["KeyType"]}})));
  const std::string id = fmt::format("{}:{}", properties.text("KeyId"), properties.text("UsagePlanId"));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<void>> remove_member(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await call_gone(context, "DeleteUsagePlanKey", Json::object({{"usagePlanId", properties["UsagePlanId"]}, {"keyId", properties["KeyId"]}}));
}

// --- gateway responses, models, validators -----------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> put_response(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"restApiId", properties["RestApiId"]}, {"responseType", properties["ResponseType"]}});
  if (properties.contains("StatusCode")) input.set("statusCode", properties["StatusCode"].scalar_text().value_or(""));
  if (properties.contains("ResponseParameters")) input.set("responseParameters", texts_of(properties["ResponseParameters"]));
  if (properties.contains("ResponseTemplates")) input.set("responseTemplates", texts_of(properties["ResponseTemplates"]));
  CO_TRY(co_await call(context, "PutGatewayResponse", std::move(input)));
  const std::string id = fmt::format("{}|{}", properties.text("RestApiId"), properties.text("ResponseType"));
  co_return ResourceState{.physical_id = id, .attributes = Json::object({{"Id", id}})};
}
Task<aws::Reply<ResourceState>> update_response(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return put_response(context, after); }
Task<aws::Reply<void>> remove_response(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await call_gone(context, "DeleteGatewayResponse", Json::object({{"restApiId", properties["RestApiId"]}, {"responseType", properties["ResponseType"]}}));
}

Task<aws::Reply<ResourceState>> create_model(const ResourceContext& context, const Json& properties) {
  std::string name = properties.text("Name");
  if (name.empty())
    for (const char c : context.generated_name(64))
      if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  Json input = Json::object({{"restApiId", properties["RestApiId"]}, {"name", name}, {"contentType", properties.contains("ContentType") ? properties["ContentType"] : Json("application/json")}});
  if (properties.contains("Description")) input.set("description", properties["Description"]);
  if (properties.contains("Schema")) input.set("schema", text_of(properties["Schema"]));
  CO_TRY(co_await call(context, "CreateModel", std::move(input)));
  co_return ResourceState{.physical_id = name, .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_model(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json operations = Json::array();
  if (after.contains("Description")) operations.push_back(replace("/description", after.text("Description")));
  if (after.contains("Schema")) operations.push_back(replace("/schema", text_of(after["Schema"])));
  CO_TRY(co_await call(context, "UpdateModel", Json::object({{"restApiId", after["RestApiId"]}, {"modelName", current.physical_id}, {"patchOperations", std::move(operations)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_model(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteModel", Json::object({{"restApiId", properties["RestApiId"]}, {"modelName", current.physical_id}}));
}

Task<aws::Reply<ResourceState>> create_validator(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"restApiId", properties["RestApiId"]}, {"validateRequestBody", boolean(properties["ValidateRequestBody"])}, {"validateRequestParameters", boolean(properties["ValidateRequestParameters"])}});
  if (properties.contains("Name")) input.set("name", properties["Name"]);
  const Json out = CO_TRY(co_await call(context, "CreateRequestValidator", std::move(input)));
  co_return ResourceState{.physical_id = out.text("id"), .attributes = Json::object({{"RequestValidatorId", out.text("id")}})};
}
Task<aws::Reply<ResourceState>> update_validator(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json operations = Json::array({replace("/validateRequestBody", after["ValidateRequestBody"].scalar_text().value_or("false")),
                                 replace("/validateRequestParameters", after["ValidateRequestParameters"].scalar_text().value_or("false"))});
  CO_TRY(co_await call(context, "UpdateRequestValidator", Json::object({{"restApiId", after["RestApiId"]}, {"requestValidatorId", current.physical_id}, {"patchOperations", std::move(operations)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_validator(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await call_gone(context, "DeleteRequestValidator", Json::object({{"restApiId", properties["RestApiId"]}, {"requestValidatorId", current.physical_id}}));
}

// --- domain names --------------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_domain(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"domainName", properties["DomainName"]}});
  for (const auto& [from, to] : {std::pair("CertificateArn", "certificateArn"), std::pair("RegionalCertificateArn", "regionalCertificateArn"), std::pair("SecurityPolicy", "securityPolicy"),
                                 std::pair("OwnershipVerificationCertificateArn", "ownershipVerificationCertificateArn")})
    if (properties.contains(from)) input.set(to, properties[from]);
  if (const Json& types = properties["EndpointConfiguration"]["Types"]; types.is_array()) input.set("endpointConfiguration", Json::object({{"types", types}}));
  if (const Json* mutual = properties.find("MutualTlsAuthentication")) input.set("mutualTlsAuthentication", Json::object({{"truststoreUri", (*mutual)["TruststoreUri"]}}));
  input.set("tags", tags_of(context, properties["Tags"]));
  const Json out = CO_TRY(co_await call(context, "CreateDomainName", std::move(input)));
  Json attributes = Json::object();
  for (const auto& [from, to] : {std::pair("regionalDomainName", "RegionalDomainName"), std::pair("regionalHostedZoneId", "RegionalHostedZoneId"), std::pair("domainNameArn", "DomainNameArn"),
                                 std::pair("distributionDomainName", "DistributionDomainName"), std::pair("distributionHostedZoneId", "DistributionHostedZoneId")})
    if (out.contains(from)) attributes.set(to, out[from]);
  co_return ResourceState{.physical_id = properties.text("DomainName"), .attributes = std::move(attributes)};
}
Task<aws::Reply<ResourceState>> update_domain(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json operations = Json::array();
  for (const auto& [from, to] : {std::pair("CertificateArn", "/certificateArn"), std::pair("RegionalCertificateArn", "/regionalCertificateArn"), std::pair("SecurityPolicy", "/securityPolicy")})
    if (after.contains(from)) operations.push_back(replace(to, after.text(from)));
  CO_TRY(co_await call(context, "UpdateDomainName", Json::object({{"domainName", current.physical_id}, {"patchOperations", std::move(operations)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_domain(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await call_gone(context, "DeleteDomainName", Json::object({{"domainName", current.physical_id}}));
}

std::string base_path_of(const Json& properties) { return properties.text("BasePath").empty() ? "(none)" : properties.text("BasePath"); }

Task<aws::Reply<ResourceState>> create_mapping(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"domainName", properties["DomainName"]}, {"restApiId", properties["RestApiId"]}});
  if (!properties.text("BasePath").empty()) input.set("basePath", properties["BasePath"]);
  if (properties.contains("Stage")) input.set("stage", properties["Stage"]);
  CO_TRY(co_await call(context, "CreateBasePathMapping", std::move(input)));
  co_return ResourceState{.physical_id = fmt::format("{}|{}", properties.text("DomainName"), base_path_of(properties)), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_mapping(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json operations = Json::array({replace("/restapiId", after.text("RestApiId")), replace("/stage", after.text("Stage"))});
  CO_TRY(co_await call(context, "UpdateBasePathMapping", Json::object({{"domainName", after["DomainName"]}, {"basePath", base_path_of(after)}, {"patchOperations", std::move(operations)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_mapping(const ResourceContext& context, const ResourceState&, const Json& properties) {
  co_return co_await call_gone(context, "DeleteBasePathMapping", Json::object({{"domainName", properties["DomainName"]}, {"basePath", base_path_of(properties)}}));
}

constexpr OnChange kMakesNew = OnChange::kReplace;

}  // namespace

const aws::ResourceType kApiKey{
    .name = "AWS::ApiGateway::ApiKey",
    .properties = {{"CustomerId"}, {"Description"}, {"Enabled"}, {"GenerateDistinctId", kMakesNew}, {"Name", kMakesNew}, {"StageKeys", kMakesNew}, {"Tags"}, {"Value", kMakesNew}},
    .create = create_key, .update = update_key, .remove = remove_key};
const aws::ResourceType kUsagePlan{
    .name = "AWS::ApiGateway::UsagePlan",
    .properties = {{"ApiStages"}, {"Description"}, {"Quota"}, {"Tags"}, {"Throttle"}, {"UsagePlanName"}},
    .create = create_plan, .update = update_plan, .remove = remove_plan};
const aws::ResourceType kUsagePlanKey{
    .name = "AWS::ApiGateway::UsagePlanKey",
    .properties = {{"KeyId", kMakesNew, true}, {"KeyType", kMakesNew, true}, {"UsagePlanId", kMakesNew, true}},
    .create = create_member, .remove = remove_member};
const aws::ResourceType kGatewayResponse{
    .name = "AWS::ApiGateway::GatewayResponse",
    .properties = {{"ResponseParameters"}, {"ResponseTemplates"}, {"ResponseType", kMakesNew, true}, {"RestApiId", kMakesNew, true}, {"StatusCode"}},
    .create = put_response, .update = update_response, .remove = remove_response};
const aws::ResourceType kModel{
    .name = "AWS::ApiGateway::Model",
    .properties = {{"ContentType", kMakesNew}, {"Description"}, {"Name", kMakesNew}, {"RestApiId", kMakesNew, true}, {"Schema"}},
    .create = create_model, .update = update_model, .remove = remove_model};
const aws::ResourceType kRequestValidator{
    .name = "AWS::ApiGateway::RequestValidator",
    .properties = {{"Name", kMakesNew}, {"RestApiId", kMakesNew, true}, {"ValidateRequestBody"}, {"ValidateRequestParameters"}},
    .create = create_validator, .update = update_validator, .remove = remove_validator};
const aws::ResourceType kDomainName{
    .name = "AWS::ApiGateway::DomainName",
    .properties = {{"CertificateArn"}, {"DomainName", kMakesNew, true}, {"EndpointConfiguration", kMakesNew}, {"MutualTlsAuthentication", kMakesNew}, {"OwnershipVerificationCertificateArn"},
                   {"RegionalCertificateArn"}, {"SecurityPolicy"}, {"Tags"}},
    .create = create_domain, .update = update_domain, .remove = remove_domain};
const aws::ResourceType kBasePathMapping{
    .name = "AWS::ApiGateway::BasePathMapping",
    .properties = {{"BasePath", kMakesNew}, {"DomainName", kMakesNew, true}, {"RestApiId"}, {"Stage"}},
    .create = create_mapping, .update = update_mapping, .remove = remove_mapping};

}  // namespace reef::service::apigateway::resources
