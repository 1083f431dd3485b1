// What AWS Private CA serves, its records, and nothing else.
#include "aws/resource.h"
#include "service/acmpca/acmpca.h"

namespace reef::service {
namespace acmpca {
namespace {

using wire::Json;

const aws::ServiceDefinition kAcmPca{
    .model = &aws::acmpca::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define ACMPCA_ROW(Name) aws::serve<operations::Name>(aws::acmpca::ops::k##Name),
            ACMPCA_OPERATIONS(ACMPCA_ROW)
#undef ACMPCA_ROW
        },
    .resources = {&resources::kCertificateAuthority, &resources::kCertificate, &resources::kCertificateAuthorityActivation},
};

store::Records& records() { return store::Shard::control().records(); }

}  // namespace

void AcmPca::save(const StoredAuthority& one) {
  Json tags = Json::array();
  for (const model::Tag& tag : one.tags) tags.push_back(aws::to_json(tag));
  records().put("acmpca/authority/" + one.arn(), Json::object({{"value", aws::to_json(one.value)}, {"key", one.key_pem}, {"csr", one.csr_pem}, {"certificate", one.certificate_pem},
                                                               {"chain", one.chain_pem}, {"token", one.token}, {"tags", std::move(tags)}}).dump());
  if (one.value.status == "ACTIVE") active.put(one.arn(), {one.certificate_pem, one.chain_pem, one.key_pem});
  else active.remove(one.arn());
}

void AcmPca::save(const StoredCertificate& one) {
  records().put("acmpca/certificate/" + one.arn, Json::object({{"arn", one.arn}, {"authority", one.authority}, {"certificate", one.certificate_pem}, {"chain", one.chain_pem},
                                                               {"token", one.token}, {"revoked", one.revoked}}).dump());
}

void AcmPca::start() {
  records().scan("acmpca/", [&](std::string_view key, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    if (key.starts_with("acmpca/authority/")) {
      auto value = aws::from_json<model::CertificateAuthority>((*json)["value"]);
      if (!value) return true;
      StoredAuthority one{.value = *std::move(value), .key_pem = json->text("key"), .csr_pem = json->text("csr"), .certificate_pem = json->text("certificate"),
                          .chain_pem = json->text("chain"), .token = json->text("token"), .tags = {}};
      for (const Json& tag : (*json)["tags"].as_array())
        if (auto read = aws::from_json<model::Tag>(tag)) one.tags.push_back(*std::move(read));
      if (one.value.status == "ACTIVE") active.put(one.arn(), {one.certificate_pem, one.chain_pem, one.key_pem});
      authorities.emplace(one.arn(), std::move(one));
    } else {
      StoredCertificate one{.arn = json->text("arn"), .authority = json->text("authority"), .certificate_pem = json->text("certificate"), .chain_pem = json->text("chain"),
                            .token = json->text("token"), .revoked = (*json)["revoked"].as_bool()};
      certificates.emplace(one.arn, std::move(one));
    }
    return true;
  });
}

void AcmPca::reset() {
  authorities.clear();
  certificates.clear();
  active.clear();
}

}  // namespace acmpca

std::unique_ptr<aws::Service> make_acmpca(Parts& parts) { return std::make_unique<aws::ServiceOf<acmpca::AcmPca>>(acmpca::kAcmPca, parts); }

}  // namespace reef::service
