// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainName.html and its kin; base path mappings.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

// https://docs.aws.amazon.com/general/latest/gr/apigateway.html: where edge-optimised names live; regional ones are told apart by nobody here.
constexpr std::string_view kEdgeZone = "Z2FDTNDATAQYW2", kRegionalZone = "Z1UJRXOUMOOFQ8";

Reply<StoredDomain*> domain_of(RestApis& apis, const Call& call, const std::string& name) {
  StoredDomain* domain = apis.domains.find(call, name);
  if (!domain) return Err(not_found("Invalid domain name identifier specified"));
  return domain;
}

std::string key_of(const std::optional<std::string>& base_path) { return base_path.value_or("").empty() ? std::string(kNoBasePath) : *base_path; }

Reply<model::BasePathMapping*> mapping_of(StoredDomain& domain, const std::string& base_path) {
  const auto found = domain.mappings.find(key_of(base_path));
  if (found == domain.mappings.end()) return Err(not_found("Invalid base path mapping identifier specified"));
  return &found->second;
}

Reply<void> check_mapping(RestApis& apis, const Call& call, const model::BasePathMapping& mapping) {
  const StoredApi* api = apis.find(call, mapping.rest_api_id.value_or(""));
  if (!api) return Err(bad_request("Invalid REST API identifier specified"));
  if (!mapping.stage.value_or("").empty() && !api->stages.contains(*mapping.stage)) return Err(bad_request("Invalid stage identifier specified"));
  return {};
}

bool is_host(std::string_view name) {
  return name.find('.') != std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

}  // namespace

Task<Reply<model::CreateDomainNameOutput>> CreateDomainName(RestApis& apis, const model::CreateDomainNameInput& in, const Call& call) {
  const std::string name = to_lower(in.domain_name);
  if (name.starts_with("*.")) co_return Err(unsupported("A wildcard custom domain name"));
  if (!is_host(name)) co_return Err(bad_request("Invalid domain name specified: " + in.domain_name));
  if (in.mutual_tls_authentication) co_return Err(unsupported("Mutual TLS of a custom domain name"));
  if (in.certificate_body || in.certificate_name) co_return Err(unsupported("A certificate that is uploaded with a custom domain name"));
  if (apis.domains.is_taken(name)) co_return Err(bad_request("The domain name you provided already exists."));
  const auto types = in.endpoint_configuration && in.endpoint_configuration->types ? *in.endpoint_configuration->types : std::vector<std::string>{"EDGE"};
  const std::string type = types.empty() ? "EDGE" : types.front();
  if (type == "PRIVATE") co_return Err(unsupported("A private custom domain name"));
  if (type == "REGIONAL" ? !in.regional_certificate_arn : !in.certificate_arn) co_return Err(bad_request("A certificate must be provided for the domain name."));
  model::DomainName made;
  made.domain_name = name;
  made.domain_name_arn = fmt::format("arn:aws:apigateway:{}::/domainnames/{}", call.region, name);
  made.certificate_arn = in.certificate_arn;
  made.regional_certificate_arn = in.regional_certificate_arn;
  if (type == "REGIONAL") {
    made.regional_domain_name = fmt::format("d-{}.execute-api.{}.amazonaws.com", apis.new_id(), call.region);
    made.regional_hosted_zone_id = std::string(kRegionalZone);
  } else {
    // A distribution's name leads nowhere here: the alias has to lead to the gateway.
    made.distribution_domain_name = fmt::format("d-{}.execute-api.{}.amazonaws.com", apis.new_id(), call.region);
    made.distribution_hosted_zone_id = std::string(kEdgeZone);
  }
  model::EndpointConfiguration endpoint;
  endpoint.types = {type};
  endpoint.ip_address_type = "ipv4";
  made.endpoint_configuration = endpoint;
  made.domain_name_status = "AVAILABLE";
  made.security_policy = in.security_policy.value_or("TLS_1_2");
  made.routing_mode = "BASE_PATH_MAPPING_ONLY";
  made.tags = in.tags;
  apis.domains.add({.domain = made, .account = call.account, .region = call.region, .mappings = {}});
  co_await committed();
  co_return made;
}

Task<Reply<model::GetDomainNameOutput>> GetDomainName(RestApis& apis, const model::GetDomainNameInput& in, const Call& call) { co_return CO_TRY(domain_of(apis, call, in.domain_name))->domain; }

Task<Reply<model::GetDomainNamesOutput>> GetDomainNames(RestApis& apis, const model::GetDomainNamesInput&, const Call& call) {
  model::GetDomainNamesOutput out;
  auto& items = out.items.emplace();
  for (const StoredDomain* domain : apis.domains.all(call)) items.push_back(domain->domain);
  co_return out;
}

Task<Reply<model::UpdateDomainNameOutput>> UpdateDomainName(RestApis& apis, const model::UpdateDomainNameInput& in, const Call& call) {
  StoredDomain* domain = CO_TRY(domain_of(apis, call, in.domain_name));
  for (const auto& operation : in.patch_operations.value_or(std::vector<model::PatchOperation>{})) {
    const std::string path = operation.path.value_or("");
    if (path != "/certificateArn" && path != "/regionalCertificateArn" && path != "/securityPolicy") co_return Err(unsupported("Changing " + path + " of a custom domain name"));
  }
  CO_TRY(patch(domain->domain, in.patch_operations));
  apis.domains.changed(*domain);
  const model::DomainName out = domain->domain;
  co_await committed();
  co_return out;
}

Task<Reply<model::DeleteDomainNameOutput>> DeleteDomainName(RestApis& apis, const model::DeleteDomainNameInput& in, const Call& call) {
  StoredDomain* domain = CO_TRY(domain_of(apis, call, in.domain_name));
  apis.domains.remove(std::string(*domain->domain.domain_name));
  co_await committed();
  co_return model::DeleteDomainNameOutput{};
}

// --- base path mappings --------------------------------------------------------------------------------------------------

Task<Reply<model::CreateBasePathMappingOutput>> CreateBasePathMapping(RestApis& apis, const model::CreateBasePathMappingInput& in, const Call& call) {
  StoredDomain* domain = CO_TRY(domain_of(apis, call, in.domain_name));
  model::BasePathMapping made;
  made.base_path = key_of(in.base_path);
  made.rest_api_id = in.rest_api_id;
  made.stage = in.stage;
  if (made.base_path->find('/') != std::string::npos) co_return Err(bad_request("API Gateway V1 doesn't support the slash character (/) in base path mappings."));
  if (domain->mappings.contains(*made.base_path)) co_return Err(aws::Error(errors::kConflictException, "Base path already exists for this domain name"));
  CO_TRY(check_mapping(apis, call, made));
  domain->mappings.emplace(*made.base_path, made);
  apis.domains.changed(*domain);
  co_await committed();
  co_return made;
}

Task<Reply<model::GetBasePathMappingOutput>> GetBasePathMapping(RestApis& apis, const model::GetBasePathMappingInput& in, const Call& call) {
  co_return *CO_TRY(mapping_of(*CO_TRY(domain_of(apis, call, in.domain_name)), in.base_path));
}

Task<Reply<model::GetBasePathMappingsOutput>> GetBasePathMappings(RestApis& apis, const model::GetBasePathMappingsInput& in, const Call& call) {
  model::GetBasePathMappingsOutput out;
  auto& items = out.items.emplace();
  for (const auto& [path, mapping] : CO_TRY(domain_of(apis, call, in.domain_name))->mappings) items.push_back(mapping);
  co_return out;
}

Task<Reply<model::UpdateBasePathMappingOutput>> UpdateBasePathMapping(RestApis& apis, const model::UpdateBasePathMappingInput& in, const Call& call) {
  StoredDomain* domain = CO_TRY(domain_of(apis, call, in.domain_name));
  model::BasePathMapping edited = *CO_TRY(mapping_of(*domain, in.base_path));
  for (const auto& operation : in.patch_operations.value_or(std::vector<model::PatchOperation>{})) {
    if (operation.op != "replace") co_return Err(bad_request("Invalid patch operation specified. Must be 'replace'"));
    if (operation.path == "/restapiId") edited.rest_api_id = operation.value;
    else if (operation.path == "/stage") edited.stage = operation.value;
    else if (operation.path == "/basePath") edited.base_path = key_of(operation.value);
    else co_return Err(bad_request("Invalid patch path " + operation.path.value_or("")));
  }
  CO_TRY(check_mapping(apis, call, edited));
  domain->mappings.erase(key_of(in.base_path));
  domain->mappings.insert_or_assign(*edited.base_path, edited);
  apis.domains.changed(*domain);
  co_await committed();
  co_return edited;
}

Task<Reply<model::DeleteBasePathMappingOutput>> DeleteBasePathMapping(RestApis& apis, const model::DeleteBasePathMappingInput& in, const Call& call) {
  StoredDomain* domain = CO_TRY(domain_of(apis, call, in.domain_name));
  CO_TRY(mapping_of(*domain, in.base_path));
  domain->mappings.erase(key_of(in.base_path));
  apis.domains.changed(*domain);
  co_await committed();
  co_return model::DeleteBasePathMappingOutput{};
}

}  // namespace reef::service::apigateway::operations
