// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html
#include <fmt/format.h>

#include "aws/resource.h"
#include "service/acm/acm.h"
#include "wire/json.h"

namespace reef::service::acm::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr Duration kLookFirst = 5ms, kLookEvery = 200ms, kLookFor = 2min;

ResourceState state_of(std::string arn) { return {.physical_id = arn, .attributes = Json::object({{"CertificateArn", arn}, {"Id", arn}})}; }

// As CloudFormation does with a HostedZoneId: writes ("UPSERT") the records that prove control into that zone.
Task<aws::Reply<void>> change_validation_records(const ResourceContext& context, std::string action, Json properties, Json certificate) {
  for (const Json& option : properties["DomainValidationOptions"].as_array()) {
    const std::string& zone = option.text("HostedZoneId");
    if (zone.empty()) continue;
    for (const Json& validation : certificate["DomainValidationOptions"].as_array()) {
      if (validation.text("DomainName") != option.text("DomainName")) continue;
      const Json& record = validation["ResourceRecord"];
      if (!record.is_object()) continue;
      Json set = Json::object({{"Name", record["Name"]}, {"Type", record["Type"]}, {"TTL", 300},
                               {"ResourceRecords", Json::array({Json::object({{"Value", record["Value"]}})})}});
      Json batch = Json::object({{"Changes", Json::array({Json::object({{"Action", action}, {"ResourceRecordSet", std::move(set)}})})}});
      CO_TRY(co_await aws::call_operation(context, "route53", "ChangeResourceRecordSets", Json::object({{"HostedZoneId", zone}, {"ChangeBatch", std::move(batch)}})));
    }
  }
  co_return aws::Reply<void>();
}

// The stack goes on when the certificate is issued, as on AWS.
Task<aws::Reply<void>> wait_until_issued(const ResourceContext& context, std::string arn) {
  Duration pause = kLookFirst;
  for (Duration waited{}; waited < kLookFor; waited += pause, pause = std::min(pause * 2, kLookEvery)) {
    const Json out = CO_TRY(co_await aws::call_operation(context, "acm", "DescribeCertificate", Json::object({{"CertificateArn", arn}})));
    if (out["Certificate"].text("Status") == "ISSUED") co_return aws::Reply<void>();
    co_await store::Shard::control().reactor().sleep(pause);
  }
  co_return Err(aws::Error("NotStabilized", fmt::format("Certificate {} was not validated: create the CNAME records that DescribeCertificate shows, or give HostedZoneId in DomainValidationOptions.", arn), 400));
}

Task<aws::Reply<ResourceState>> create(const ResourceContext& context, const Json& properties) {
  Json input = Json::object({{"DomainName", properties["DomainName"]}});
  for (const std::string_view name : {"SubjectAlternativeNames", "ValidationMethod", "KeyAlgorithm", "CertificateAuthorityArn"})
    if (const Json* value = properties.find(name)) input.set(name, *value);
  Json options = Json::object();
  if (const Json* value = properties.find("CertificateTransparencyLoggingPreference")) options.set("CertificateTransparencyLoggingPreference", *value);
  if (const Json* value = properties.find("CertificateExport")) options.set("Export", *value);
  if (options.size() > 0) input.set("Options", std::move(options));
  Json validations = Json::array();
  for (const Json& option : properties["DomainValidationOptions"].as_array())
    if (option.contains("ValidationDomain")) validations.push_back(Json::object({{"DomainName", option["DomainName"]}, {"ValidationDomain", option["ValidationDomain"]}}));
  if (validations.size() > 0) input.set("DomainValidationOptions", std::move(validations));
  Json tags = Json::array();
  for (const Json& tag : properties["Tags"].as_array()) tags.push_back(tag);
  if (tags.size() > 0) input.set("Tags", std::move(tags));
  const Json out = CO_TRY(co_await aws::call_operation(context, "acm", "RequestCertificate", std::move(input)));
  const std::string arn = out.text("CertificateArn");
  const Json described = CO_TRY(co_await aws::call_operation(context, "acm", "DescribeCertificate", Json::object({{"CertificateArn", arn}})));
  CO_TRY(co_await change_validation_records(context, "UPSERT", properties, described["Certificate"]));
  CO_TRY(co_await wait_until_issued(context, arn));
  co_return state_of(arn);
}

Task<aws::Reply<ResourceState>> update(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const Json arn = current.physical_id;
  Json options = Json::object();
  if (const Json* value = after.find("CertificateTransparencyLoggingPreference")) options.set("CertificateTransparencyLoggingPreference", *value);
  if (const Json* value = after.find("CertificateExport")) options.set("Export", *value);
  if (options.size() > 0)
    CO_TRY(co_await aws::call_operation(context, "acm", "UpdateCertificateOptions", Json::object({{"CertificateArn", arn}, {"Options", std::move(options)}})));
  if (before["Tags"] != after["Tags"]) {
    if (before["Tags"].size() > 0)
      CO_TRY(co_await aws::call_operation(context, "acm", "RemoveTagsFromCertificate", Json::object({{"CertificateArn", arn}, {"Tags", before["Tags"]}})));
    if (after["Tags"].size() > 0)
      CO_TRY(co_await aws::call_operation(context, "acm", "AddTagsToCertificate", Json::object({{"CertificateArn", arn}, {"Tags", after["Tags"]}})));
  }
  co_return state_of(current.physical_id);
}

// The records that the stack wrote go with it, so that its zone can go too.
Task<aws::Reply<void>> remove(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto described = co_await aws::call_operation(context, "acm", "DescribeCertificate", Json::object({{"CertificateArn", current.physical_id}}));
  if (described) co_await change_validation_records(context, "DELETE", properties, (*described)["Certificate"]);   // gone already is fine
  co_return co_await aws::call_unless_gone(context, "acm", "DeleteCertificate", Json::object({{"CertificateArn", current.physical_id}}), "ResourceNotFoundException");
}

}  // namespace

const aws::ResourceType kCertificate{
    .name = "AWS::CertificateManager::Certificate",
    .properties = {{"CertificateAuthorityArn", OnChange::kReplace}, {"CertificateExport"}, {"CertificateTransparencyLoggingPreference"},
                   {"DomainName", OnChange::kReplace, true}, {"DomainValidationOptions", OnChange::kReplace}, {"KeyAlgorithm", OnChange::kReplace},
                   {"SubjectAlternativeNames", OnChange::kReplace}, {"Tags"}, {"ValidationMethod", OnChange::kReplace}},
    .create = create, .update = update, .remove = remove};

}  // namespace reef::service::acm::resources
