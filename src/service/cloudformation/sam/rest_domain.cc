// Domain of AWS::Serverless::Api: a custom domain name, what it maps to, and its record.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-domainconfiguration.html
#include <algorithm>

#include <fmt/format.h>

#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

// As LogicalIdGenerator names things: texts as they are, everything else as JSON.
std::string suffix_of(const Json& value) { return hashed_text_id("", value.is_string() ? value.as_string() : sorted_dump(value)); }

std::string alphanumeric(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (is_alphanumeric(std::string_view(&c, 1))) out += c;
  return out;
}

void add_mappings(Context& context, const std::string& id, const Json& declaration, const std::string& domain_id) {
  const Json& domain = declaration["Properties"]["Domain"];
  const auto mapping = [&](const std::string& logical_id, const Json& base_path) {
    Json out = Json::object({{"DomainName", ref_to(domain_id)}, {"RestApiId", ref_to(id)}, {"Stage", ref_to(id + ".Stage")}});
    if (!base_path.is_null()) out.set("BasePath", base_path);
    context.add(logical_id, resource("AWS::ApiGateway::BasePathMapping", std::move(out), declaration));
  };
  const Json& given = domain["BasePath"];
  if (is_empty(given)) return mapping(id + "BasePathMapping", {});
  const bool normalized = !domain.contains("NormalizeBasePath") || is_true(domain["NormalizeBasePath"]);
  for (const Json& each : (given.is_array() ? given : Json::array({given})).as_array()) {
    const std::string path = alphanumeric(each.as_string());
    mapping(fmt::format("{}{}BasePathMapping", id, path), normalized ? Json(path) : each);
  }
}

Json alias_target(const Json& domain, const std::string& domain_id, const std::string& endpoint) {
  const Json& route53 = domain["Route53"];
  Json out = Json::object();
  if (!route53["EvaluateTargetHealth"].is_null()) out.set("EvaluateTargetHealth", route53["EvaluateTargetHealth"]);
  if (endpoint == "REGIONAL") {
    out.set("HostedZoneId", get_att(domain_id, "RegionalHostedZoneId"));
    out.set("DNSName", get_att(domain_id, "RegionalDomainName"));
  } else {
    out.set("HostedZoneId", "Z2FDTNDATAQYW2");
    out.set("DNSName", route53.contains("DistributionDomainName") ? route53["DistributionDomainName"] : get_att(domain_id, "DistributionDomainName"));
  }
  return out;
}

Reply<void> add_records(Context& context, const std::string& id, const Json& declaration, const std::string& domain_id, const std::string& endpoint) {
  const Json& domain = declaration["Properties"]["Domain"];
  const Json& route53 = domain["Route53"];
  if (route53.is_null()) return {};
  if (!route53.is_object()) return Err(invalid_resource(id, "Property 'Domain.Route53' should be a map."));
  const Json& zone = route53["HostedZoneId"].is_null() ? route53["HostedZoneName"] : route53["HostedZoneId"];
  if (zone.is_null()) return Err(invalid_resource(id, "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains."));
  // One group of records per zone, unless the domain wants one of its own.
  const std::string group_id = is_true(route53["SeparateRecordSetGroup"]) ? "RecordSetGroup" + suffix_of(Json::array({zone, domain["DomainName"]})) : "RecordSetGroup" + suffix_of(zone);
  if (!context.resources().contains(group_id)) {
    Json properties = Json::object();
    copy_members(route53, properties, {"HostedZoneId", "HostedZoneName"});
    properties.set("RecordSets", Json::array());
    context.add(group_id, resource("AWS::Route53::RecordSetGroup", std::move(properties), declaration));
  }
  Json& records = *context.resources().find(group_id)->find("Properties")->find("RecordSets");
  for (const char* type : {"A", "AAAA"}) {
    if (std::string_view(type) == "AAAA" && !is_true(route53["IpV6"])) continue;
    Json record = Json::object({{"Name", domain["DomainName"]}, {"Type", type}, {"AliasTarget", alias_target(domain, domain_id, endpoint)}});
    copy_members(route53, record, {"Region", "SetIdentifier"});
    records.push_back(std::move(record));
  }
  return {};
}

}  // namespace

Reply<void> add_rest_domain(Context& context, const std::string& id, const Json& declaration) {
  const Json& domain = declaration["Properties"]["Domain"];
  if (domain.is_null()) return {};
  if (!domain.is_object()) return Err(invalid_resource(id, "Property 'Domain' should be a map."));
  for (const char* name : {"DomainName", "CertificateArn"})
    if (domain[name].is_null()) return Err(invalid_resource(id, fmt::format("Property 'Domain.{}' is required.", name)));
  const std::string endpoint = domain["EndpointConfiguration"].is_null() ? "REGIONAL" : domain.text("EndpointConfiguration");
  if (endpoint == "PRIVATE") return Err(invalid_resource(id, "A Domain whose EndpointConfiguration is PRIVATE is not supported by this version of Atoll."));
  if (endpoint != "EDGE" && endpoint != "REGIONAL")
    return Err(invalid_resource(id, "EndpointConfiguration for Custom Domains must be one of ['EDGE', 'REGIONAL', 'PRIVATE']."));
  const std::string domain_id = "ApiGatewayDomainName" + suffix_of(domain["DomainName"]);
  context.renamed[id + ".DomainName"] = domain_id;
  Json configuration = Json::object({{"Types", Json::array({endpoint})}});
  if (!is_empty(domain["IpAddressType"])) configuration.set("IpAddressType", domain["IpAddressType"]);
  Json out = Json::object({{"DomainName", domain["DomainName"]}, {endpoint == "REGIONAL" ? "RegionalCertificateArn" : "CertificateArn", domain["CertificateArn"]},
                           {"EndpointConfiguration", std::move(configuration)}});
  if (const Json& mutual = domain["MutualTlsAuthentication"]; !is_empty(mutual)) {
    if (!mutual.is_object()) return Err(invalid_resource(id, "Property 'Domain.MutualTlsAuthentication' should be a map."));
    for (const auto& [name, value] : mutual.as_object())
      if (name != "TruststoreUri" && name != "TruststoreVersion") return Err(invalid_resource(id, "Available Domain.MutualTlsAuthentication fields are ['TruststoreUri', 'TruststoreVersion']."));
    Json& made = out.set("MutualTlsAuthentication", Json::object());
    for (const auto& [name, value] : mutual.as_object())
      if (!is_empty(value)) made.set(name, value);
  }
  for (const std::string_view name : {"SecurityPolicy", "EndpointAccessMode", "Policy", "OwnershipVerificationCertificateArn"})
    if (!is_empty(domain[name])) out.set(name, domain[name]);
  context.add(domain_id, resource("AWS::ApiGateway::DomainName", std::move(out), declaration));
  add_mappings(context, id, declaration, domain_id);
  return add_records(context, id, declaration, domain_id, endpoint);
}

}  // namespace reef::cloudformation::sam
