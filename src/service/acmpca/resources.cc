// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ACMPCA.html
#include "aws/resource.h"

#include "aws/loose_values.h"
#include "base/encoding.h"
#include "service/acmpca/acmpca.h"

namespace reef::service::acmpca::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "acmpca", operation, aws::fit_to_operation(aws::acmpca::kModel, operation, std::move(input)));
}

Json copy(const Json& properties, std::initializer_list<std::string_view> names) {
  Json out = Json::object();
  for (const std::string_view name : names)
    if (const Json* value = properties.find(name)) out.set(name, *value);
  return out;
}

// --- CertificateAuthority --------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_authority(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"RevocationConfiguration", "KeyStorageSecurityStandard", "UsageMode"});
  input.set("CertificateAuthorityType", properties["Type"]);
  Json configuration = copy(properties, {"KeyAlgorithm", "SigningAlgorithm", "Subject", "CsrExtensions"});
  input.set("CertificateAuthorityConfiguration", std::move(configuration));
  Json tags = aws::merge_tags({&context.tags, &properties["Tags"]});
  if (tags.size() > 0) input.set("Tags", std::move(tags));
  const std::string arn = (CO_TRY(co_await call(context, "CreateCertificateAuthority", std::move(input)))).text("CertificateAuthorityArn");
  const Json csr = CO_TRY(co_await call(context, "GetCertificateAuthorityCsr", Json::object({{"CertificateAuthorityArn", arn}})));
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"Arn", arn}, {"CertificateSigningRequest", csr.text("Csr")}})};
}

Task<aws::Reply<ResourceState>> update_authority(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  if (const Json* revocation = after.find("RevocationConfiguration"))
    CO_TRY(co_await call(context, "UpdateCertificateAuthority", Json::object({{"CertificateAuthorityArn", current.physical_id}, {"RevocationConfiguration", *revocation}})));
  Json tags = aws::merge_tags({&context.tags, &after["Tags"]});
  if (tags.size() > 0) CO_TRY(co_await call(context, "TagCertificateAuthority", Json::object({{"CertificateAuthorityArn", current.physical_id}, {"Tags", std::move(tags)}})));
  co_return current;
}

Task<aws::Reply<void>> remove_authority(const ResourceContext& context, const ResourceState& current, const Json&) {
  const Json named = Json::object({{"CertificateAuthorityArn", current.physical_id}});
  const auto described = co_await call(context, "DescribeCertificateAuthority", named);
  if (!described || (*described)["CertificateAuthority"].text("Status") == "DELETED") co_return aws::Reply<void>();
  if ((*described)["CertificateAuthority"].text("Status") == "ACTIVE")
    CO_TRY(co_await call(context, "UpdateCertificateAuthority", Json::object({{"CertificateAuthorityArn", current.physical_id}, {"Status", "DISABLED"}})));
  co_return co_await aws::call_unless_gone(context, "acmpca", "DeleteCertificateAuthority", named, "ResourceNotFoundException");
}

// --- Certificate -----------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_certificate(const ResourceContext& context, const Json& properties) {
  Json input = copy(properties, {"ApiPassthrough", "CertificateAuthorityArn", "SigningAlgorithm", "TemplateArn", "Validity", "ValidityNotBefore"});
  input.set("Csr", base64_encode(properties.text("CertificateSigningRequest")));   // blobs are base64 in JSON
  const std::string arn = (CO_TRY(co_await call(context, "IssueCertificate", std::move(input)))).text("CertificateArn");
  const Json made = CO_TRY(co_await call(context, "GetCertificate", Json::object({{"CertificateAuthorityArn", properties["CertificateAuthorityArn"]}, {"CertificateArn", arn}})));
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"Arn", arn}, {"Certificate", made.text("Certificate")}})};
}

// What was issued stays issued; a stack that goes revokes it, as on AWS, where its authority still can.
Task<aws::Reply<void>> remove_certificate(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const std::string serial = current.physical_id.substr(current.physical_id.rfind('/') + 1);
  static_cast<void>(co_await call(context, "RevokeCertificate", Json::object({{"CertificateAuthorityArn", properties["CertificateAuthorityArn"]}, {"CertificateSerial", serial}, {"RevocationReason", "UNSPECIFIED"}})));
  co_return aws::Reply<void>();
}

// --- CertificateAuthorityActivation ----------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> activate(const ResourceContext& context, const Json& properties) {
  const std::string& arn = properties.text("CertificateAuthorityArn");
  const std::string& certificate = properties.text("Certificate");
  const std::string& chain = properties.text("CertificateChain");
  Json input = Json::object({{"CertificateAuthorityArn", arn}, {"Certificate", base64_encode(certificate)}});
  if (!chain.empty()) input.set("CertificateChain", base64_encode(chain));
  CO_TRY(co_await call(context, "ImportCertificateAuthorityCertificate", std::move(input)));
  if (properties.text("Status") == "DISABLED") CO_TRY(co_await call(context, "UpdateCertificateAuthority", Json::object({{"CertificateAuthorityArn", arn}, {"Status", "DISABLED"}})));
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"CompleteCertificateChain", chain.empty() ? certificate : certificate + "\n" + chain}})};
}

Task<aws::Reply<ResourceState>> change_activation(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return activate(context, after); }

Task<aws::Reply<void>> deactivate(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto out = co_await call(context, "UpdateCertificateAuthority", Json::object({{"CertificateAuthorityArn", current.physical_id}, {"Status", "DISABLED"}}));
  if (!out && out.error().code != "ResourceNotFoundException" && out.error().code != "InvalidStateException") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

constexpr OnChange kReplace = OnChange::kReplace;

}  // namespace

const aws::ResourceType kCertificateAuthority{
    .name = "AWS::ACMPCA::CertificateAuthority",
    .properties = {{"CsrExtensions", kReplace}, {"KeyAlgorithm", kReplace, true}, {"KeyStorageSecurityStandard", kReplace}, {"RevocationConfiguration"}, {"SigningAlgorithm", kReplace, true},
                   {"Subject", kReplace, true}, {"Tags"}, {"Type", kReplace, true}, {"UsageMode", kReplace}},
    .create = create_authority,
    .update = update_authority,
    .remove = remove_authority,
};

const aws::ResourceType kCertificate{
    .name = "AWS::ACMPCA::Certificate",
    .properties = {{"ApiPassthrough", kReplace}, {"CertificateAuthorityArn", kReplace, true}, {"CertificateSigningRequest", kReplace, true}, {"SigningAlgorithm", kReplace, true},
                   {"TemplateArn", kReplace}, {"Validity", kReplace, true}, {"ValidityNotBefore", kReplace}},
    .create = create_certificate,
    .remove = remove_certificate,
};

const aws::ResourceType kCertificateAuthorityActivation{
    .name = "AWS::ACMPCA::CertificateAuthorityActivation",
    .properties = {{"Certificate", OnChange::kUpdate, true}, {"CertificateAuthorityArn", kReplace, true}, {"CertificateChain"}, {"Status"}},
    .create = activate,
    .update = change_activation,
    .remove = deactivate,
};

}  // namespace reef::service::acmpca::resources
