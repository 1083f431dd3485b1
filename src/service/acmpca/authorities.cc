// https://docs.aws.amazon.com/privateca/latest/APIReference/API_CreateCertificateAuthority.html and the other operations on
// authorities.
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "service/acmpca/acmpca.h"

namespace reef::service::acmpca {
namespace {

constexpr std::size_t kTagsMax = 50, kPageMax = 1000;

aws::Error invalid_state(const StoredAuthority& authority) {
  return {errors::kInvalidStateException, fmt::format("The certificate authority is not in the correct state to have this operation performed on it: {}", *authority.value.status)};
}

edge::SubjectParts subject_of(const model::ASN1Subject& subject) {
  edge::SubjectParts out;
  const auto add = [&](const char* part, const std::optional<std::string>& value) {
    if (value && !value->empty()) out.emplace_back(part, *value);
  };
  add("C", subject.country);
  add("O", subject.organization);
  add("OU", subject.organizational_unit);
  add("dnQualifier", subject.distinguished_name_qualifier);
  add("ST", subject.state);
  add("CN", subject.common_name);
  add("serialNumber", subject.serial_number);
  add("L", subject.locality);
  add("title", subject.title);
  add("SN", subject.surname);
  add("GN", subject.given_name);
  add("initials", subject.initials);
  add("pseudonym", subject.pseudonym);
  add("generationQualifier", subject.generation_qualifier);
  if (subject.custom_attributes)
    for (const model::CustomAttribute& one : *subject.custom_attributes) out.emplace_back(one.object_identifier, one.value);
  return out;
}

std::optional<edge::KeyKind> kind_of(std::string_view algorithm) {
  if (algorithm == "RSA_2048") return edge::KeyKind::kRsa2048;
  if (algorithm == "RSA_3072") return edge::KeyKind::kRsa3072;
  if (algorithm == "RSA_4096") return edge::KeyKind::kRsa4096;
  if (algorithm == "EC_prime256v1") return edge::KeyKind::kP256;
  if (algorithm == "EC_secp384r1") return edge::KeyKind::kP384;
  if (algorithm == "EC_secp521r1") return edge::KeyKind::kP521;
  return std::nullopt;
}

Reply<void> check_revocation(const std::optional<model::RevocationConfiguration>& revocation) {
  if (!revocation) return {};
  if (revocation->crl_configuration && revocation->crl_configuration->enabled) return Err(aws::not_implemented("RevocationConfiguration.CrlConfiguration that is enabled"));
  if (revocation->ocsp_configuration && revocation->ocsp_configuration->enabled) return Err(aws::not_implemented("RevocationConfiguration.OcspConfiguration that is enabled"));
  return {};
}

void put_tags(std::vector<model::Tag>& to, const std::vector<model::Tag>& from) {
  for (const model::Tag& tag : from) {
    std::erase_if(to, [&](const model::Tag& one) { return one.key == tag.key; });
    to.push_back(tag);
  }
}

}  // namespace

Reply<StoredAuthority*> find_authority(AcmPca& pca, const std::string& arn, Time now) {
  if (arn.find(":certificate-authority/") == std::string::npos) return Err(aws::Error(errors::kInvalidArnException, fmt::format("{} is not a valid certificate authority ARN.", arn)));
  const auto found = pca.authorities.find(arn);
  if (found == pca.authorities.end()) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Could not find Certificate Authority with ARN {}.", arn)));
  StoredAuthority& authority = found->second;
  if (authority.value.status == "DELETED" && authority.value.restorable_until && *authority.value.restorable_until < now)
    return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Could not find Certificate Authority with ARN {}.", arn)));
  if (authority.value.status == "ACTIVE" && authority.value.not_after && *authority.value.not_after < now) {
    authority.value.status = "EXPIRED";
    pca.save(authority);
  }
  return &authority;
}

namespace operations {

Task<Reply<model::CreateCertificateAuthorityOutput>> CreateCertificateAuthority(AcmPca& pca, const model::CreateCertificateAuthorityInput& in, const Call& call) {
  const auto& configuration = in.certificate_authority_configuration;
  const auto kind = kind_of(configuration.key_algorithm);
  if (!kind) co_return Err(aws::not_implemented("the key algorithm " + configuration.key_algorithm));
  const bool is_rsa = configuration.key_algorithm.starts_with("RSA");
  if (configuration.signing_algorithm.ends_with("RSA") != is_rsa || !(configuration.signing_algorithm.ends_with("RSA") || configuration.signing_algorithm.ends_with("ECDSA")))
    co_return Err(aws::Error(errors::kInvalidArgsException, fmt::format("The signing algorithm {} does not fit the key algorithm {}.", configuration.signing_algorithm, configuration.key_algorithm)));
  const edge::SubjectParts subject = subject_of(configuration.subject);
  if (subject.empty()) co_return Err(aws::Error(errors::kInvalidArgsException, "The subject of a certificate authority must not be empty."));
  CO_TRY(check_revocation(in.revocation_configuration));
  if (in.tags && in.tags->size() > kTagsMax) co_return Err(aws::Error(errors::kInvalidTagException, "A certificate authority can have at most 50 tags."));
  if (in.idempotency_token)
    for (const auto& [arn, one] : pca.authorities)
      if (one.token == *in.idempotency_token && one.value.created_at && *one.value.created_at + 5min > call.now) co_return model::CreateCertificateAuthorityOutput{.certificate_authority_arn = arn};
  StoredAuthority made;
  made.token = in.idempotency_token.value_or("");
  auto key = co_await pca.local.make_key(*kind);
  if (!key) co_return Err(aws::Error("InternalFailure", key.error().message, 500));
  made.key_pem = *std::move(key);
  auto csr = edge::make_csr(made.key_pem, subject);
  if (!csr) co_return Err(aws::Error(errors::kInvalidArgsException, csr.error().message));
  made.csr_pem = *std::move(csr);
  model::CertificateAuthority& value = made.value;
  value.arn = call.arn("acm-pca", "certificate-authority/" + make_uuid(thread_random()));
  value.owner_account = call.account;
  value.created_at = value.last_state_change_at = call.now;
  value.type = in.certificate_authority_type;
  value.status = "PENDING_CERTIFICATE";
  value.certificate_authority_configuration = configuration;
  value.revocation_configuration = in.revocation_configuration.value_or(model::RevocationConfiguration{.crl_configuration = model::CrlConfiguration{.enabled = false}});
  value.key_storage_security_standard = in.key_storage_security_standard.value_or("FIPS_140_2_LEVEL_3_OR_HIGHER");
  value.usage_mode = in.usage_mode.value_or("GENERAL_PURPOSE");
  if (in.tags) put_tags(made.tags, *in.tags);
  const std::string arn = made.arn();
  pca.save(made);
  pca.authorities.emplace(arn, std::move(made));
  co_await pca.committed();
  co_return model::CreateCertificateAuthorityOutput{.certificate_authority_arn = arn};
}

Task<Reply<model::DescribeCertificateAuthorityOutput>> DescribeCertificateAuthority(AcmPca& pca, const model::DescribeCertificateAuthorityInput& in, const Call& call) {
  co_return model::DescribeCertificateAuthorityOutput{.certificate_authority = (CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now)))->value};
}

Task<Reply<model::ListCertificateAuthoritiesOutput>> ListCertificateAuthorities(AcmPca& pca, const model::ListCertificateAuthoritiesInput& in, const Call& call) {
  model::ListCertificateAuthoritiesOutput out;
  out.certificate_authorities.emplace();
  const std::string prefix = call.arn("acm-pca", "certificate-authority/");
  const std::size_t limit = in.max_results ? static_cast<std::size_t>(*in.max_results) : kPageMax;
  if (in.next_token && !pca.authorities.contains(*in.next_token)) co_return Err(aws::Error(errors::kInvalidNextTokenException, "The token is not valid."));
  std::vector<std::string> arns;
  for (auto it = in.next_token ? pca.authorities.upper_bound(*in.next_token) : pca.authorities.lower_bound(prefix); it != pca.authorities.end() && it->first.starts_with(prefix); ++it) arns.push_back(it->first);
  for (const std::string& arn : arns) {
    const auto found = find_authority(pca, arn, call.now);
    if (!found) continue;
    if (out.certificate_authorities->size() == limit) {
      out.next_token = out.certificate_authorities->back().arn;
      break;
    }
    out.certificate_authorities->push_back((*found)->value);
  }
  co_return out;
}

Task<Reply<model::DeleteCertificateAuthorityOutput>> DeleteCertificateAuthority(AcmPca& pca, const model::DeleteCertificateAuthorityInput& in, const Call& call) {
  StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  const std::string& status = *one->value.status;
  if (status == "ACTIVE" || status == "DELETED") co_return Err(invalid_state(*one));
  one->value.restorable_until = call.now + std::chrono::days(in.permanent_deletion_time_in_days.value_or(30));
  one->value.status = "DELETED";
  one->value.last_state_change_at = call.now;
  pca.save(*one);
  co_await pca.committed();
  co_return model::DeleteCertificateAuthorityOutput{};
}

Task<Reply<model::RestoreCertificateAuthorityOutput>> RestoreCertificateAuthority(AcmPca& pca, const model::RestoreCertificateAuthorityInput& in, const Call& call) {
  StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  if (one->value.status != "DELETED") co_return Err(invalid_state(*one));
  one->value.status = one->certificate_pem.empty() ? "PENDING_CERTIFICATE" : "DISABLED";
  one->value.restorable_until.reset();
  one->value.last_state_change_at = call.now;
  pca.save(*one);
  co_await pca.committed();
  co_return model::RestoreCertificateAuthorityOutput{};
}

Task<Reply<model::GetCertificateAuthorityCsrOutput>> GetCertificateAuthorityCsr(AcmPca& pca, const model::GetCertificateAuthorityCsrInput& in, const Call& call) {
  const StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  if (one->value.status == "DELETED") co_return Err(invalid_state(*one));
  co_return model::GetCertificateAuthorityCsrOutput{.csr = one->csr_pem};
}

Task<Reply<model::GetCertificateAuthorityCertificateOutput>> GetCertificateAuthorityCertificate(AcmPca& pca, const model::GetCertificateAuthorityCertificateInput& in, const Call& call) {
  const StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  if (one->certificate_pem.empty()) co_return Err(invalid_state(*one));
  model::GetCertificateAuthorityCertificateOutput out{.certificate = one->certificate_pem, .certificate_chain = {}};
  if (!one->chain_pem.empty()) out.certificate_chain = one->chain_pem;
  co_return out;
}

Task<Reply<model::ImportCertificateAuthorityCertificateOutput>> ImportCertificateAuthorityCertificate(AcmPca& pca, const model::ImportCertificateAuthorityCertificateInput& in, const Call& call) {
  StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  if (one->value.status == "DELETED" || one->value.status == "FAILED") co_return Err(invalid_state(*one));
  const std::string chain = in.certificate_chain.value_or("");
  const auto said = edge::describe_certificate(in.certificate);
  if (!said || (!chain.empty() && !edge::split_certificates(chain))) co_return Err(aws::Error(errors::kMalformedCertificateException, "The certificate or its chain could not be parsed."));
  if (!said->is_authority) co_return Err(aws::Error(errors::kMalformedCertificateException, "The certificate is not that of a certificate authority."));
  if (!edge::key_matches(in.certificate, one->key_pem)) co_return Err(aws::Error(errors::kCertificateMismatchException, "The certificate does not have the public key of the certificate authority."));
  const bool is_root = one->value.type == "ROOT";
  if (is_root && !chain.empty()) co_return Err(aws::Error(errors::kInvalidRequestException, "A certificate chain must not be given for a root certificate authority."));
  if (!is_root && (chain.empty() || !edge::chain_fits(in.certificate, chain))) co_return Err(aws::Error(errors::kCertificateMismatchException, "The certificate chain does not sign the certificate."));
  one->certificate_pem = in.certificate;
  one->chain_pem = chain;
  one->value.serial = said->serial;
  one->value.not_before = said->not_before;
  one->value.not_after = said->not_after;
  one->value.status = "ACTIVE";
  one->value.last_state_change_at = call.now;
  pca.save(*one);
  co_await pca.committed();
  co_return model::ImportCertificateAuthorityCertificateOutput{};
}

Task<Reply<model::UpdateCertificateAuthorityOutput>> UpdateCertificateAuthority(AcmPca& pca, const model::UpdateCertificateAuthorityInput& in, const Call& call) {
  StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  const std::string& status = *one->value.status;
  if (status != "ACTIVE" && status != "DISABLED") co_return Err(invalid_state(*one));
  CO_TRY(check_revocation(in.revocation_configuration));
  if (in.status && *in.status != "ACTIVE" && *in.status != "DISABLED") co_return Err(aws::Error(errors::kInvalidArgsException, "The status can be changed to ACTIVE or DISABLED only."));
  if (in.revocation_configuration) one->value.revocation_configuration = in.revocation_configuration;
  if (in.status && *in.status != status) {
    one->value.status = in.status;
    one->value.last_state_change_at = call.now;
  }
  pca.save(*one);
  co_await pca.committed();
  co_return model::UpdateCertificateAuthorityOutput{};
}

Task<Reply<model::TagCertificateAuthorityOutput>> TagCertificateAuthority(AcmPca& pca, const model::TagCertificateAuthorityInput& in, const Call& call) {
  StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  auto tags = one->tags;
  put_tags(tags, in.tags);
  if (tags.size() > kTagsMax) co_return Err(aws::Error(errors::kTooManyTagsException, "A certificate authority can have at most 50 tags."));
  one->tags = std::move(tags);
  pca.save(*one);
  co_await pca.committed();
  co_return model::TagCertificateAuthorityOutput{};
}

Task<Reply<model::UntagCertificateAuthorityOutput>> UntagCertificateAuthority(AcmPca& pca, const model::UntagCertificateAuthorityInput& in, const Call& call) {
  StoredAuthority* const one = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  // A tag whose value is given is removed only when it has that value.
  std::erase_if(one->tags, [&](const model::Tag& tag) {
    return std::any_of(in.tags.begin(), in.tags.end(), [&](const model::Tag& gone) { return gone.key == tag.key && (!gone.value || gone.value == tag.value); });
  });
  pca.save(*one);
  co_await pca.committed();
  co_return model::UntagCertificateAuthorityOutput{};
}

Task<Reply<model::ListTagsOutput>> ListTags(AcmPca& pca, const model::ListTagsInput& in, const Call& call) {
  co_return model::ListTagsOutput{.next_token = {}, .tags = (CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now)))->tags};
}

}  // namespace operations
}  // namespace reef::service::acmpca
