// Has the local authority sign, first and again.
#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"
#include "service/acm/acm.h"
#include "wire/dns.h"

namespace reef::service::acm {
namespace {

void set_validations(StoredCertificate& certificate, std::string_view status) {
  if (certificate.detail.domain_validation_options)
    for (auto& one : *certificate.detail.domain_validation_options) one.validation_status = status;
}

}  // namespace

edge::KeyKind key_kind(std::string_view algorithm) {
  if (algorithm == "RSA_1024") return edge::KeyKind::kRsa1024;
  if (algorithm == "RSA_3072") return edge::KeyKind::kRsa3072;
  if (algorithm == "RSA_4096") return edge::KeyKind::kRsa4096;
  if (algorithm == "EC_prime256v1") return edge::KeyKind::kP256;
  if (algorithm == "EC_secp384r1") return edge::KeyKind::kP384;
  if (algorithm == "EC_secp521r1") return edge::KeyKind::kP521;
  return edge::KeyKind::kRsa2048;
}

namespace {

constexpr auto kPrivateValidity = std::chrono::days(395);   // 13 months, as AWS gives to those of a private authority

// By a private authority, for a key that is there.
Reply<void> sign_privately(Acm& acm, StoredCertificate& certificate, Time now) {
  const std::string& arn = *certificate.detail.certificate_authority_arn;
  const auto authority = acm.private_authorities.find(arn);
  if (!authority) return Err(aws::Error(errors::kInvalidArnException, fmt::format("The certificate authority {} is not active.", arn)));
  const auto csr = edge::make_csr(certificate.key_pem, {{"CN", *certificate.detail.domain_name}});
  if (!csr) return Err(aws::Error("InternalFailure", csr.error().message, 500));
  auto made = edge::sign_csr(authority->certificate_pem, authority->key_pem,
                             {.csr_pem = *csr, .subject = {}, .names = *certificate.detail.subject_alternative_names, .uris = {}, .not_before = now - 1h, .not_after = now + kPrivateValidity});
  if (!made) return Err(aws::Error("InternalFailure", made.error().message, 500));
  certificate.certificate_pem = *std::move(made);
  certificate.chain_pem = authority->certificate_pem + authority->chain_pem;
  certificate.detail.issued_at = now;
  return {};
}

}  // namespace

// https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html: a wildcard and its parent share one record.
model::ResourceRecord validation_record(std::string_view account, std::string_view domain) {
  if (domain.starts_with("*.")) domain.remove_prefix(2);
  const std::string base = to_lower(domain);
  const std::string name = md5_hex(fmt::format("name {} {}", account, base)), value = md5_hex(fmt::format("value {} {}", account, base));
  std::string zone;
  for (const char c : sha256(base).substr(0, 10)) zone += static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
  return {.name = fmt::format("_{}.{}.", name, base), .type = "CNAME", .value = fmt::format("_{}.{}.acm-validations.aws.", value, zone)};
}

bool is_validated(const Acm& acm, const StoredCertificate& certificate) {
  namespace dns = wire::dns;
  const auto view = acm.zones.view()->load();
  for (const auto& one : certificate.detail.domain_validation_options.value_or(std::vector<model::DomainValidation>())) {
    if (!one.resource_record) continue;
    const auto name = dns::name_from_text(one.resource_record->name), value = dns::name_from_text(one.resource_record->value);
    if (!name || !value || view->zones_of(*name).count == 0) continue;
    const auto looked = naming::look_up(*view, *name, dns::kCname, thread_random());
    if (std::none_of(looked.answers.begin(), looked.answers.end(), [&](const dns::Record& record) { return record.type == dns::kCname && record.data == *value; })) return false;
  }
  return true;
}

void describe_from_pem(StoredCertificate& certificate) {
  const auto said = edge::describe_certificate(certificate.certificate_pem);
  if (!said) return;
  model::CertificateDetail& out = certificate.detail;
  out.serial = said->serial;
  out.subject = said->subject;
  out.issuer = said->issuer;
  out.not_before = said->not_before;
  out.not_after = said->not_after;
  out.key_algorithm = said->key_algorithm;
  out.signature_algorithm = said->signature_algorithm;
  out.key_usages.emplace();
  for (const std::string& usage : said->key_usages) out.key_usages->push_back({.name = usage});
  out.extended_key_usages.emplace();
  for (const auto& usage : said->extended_key_usages) out.extended_key_usages->push_back({.name = usage.name, .oid = usage.oid});
}

Task<Reply<void>> issue(Acm& acm, StoredCertificate& certificate, Time now) {
  // The model's word for the algorithm until the certificate says its own.
  const std::string algorithm = replace_all(certificate.detail.key_algorithm.value_or("RSA-2048"), "-", "_");
  if (certificate.detail.certificate_authority_arn) {
    auto key = co_await acm.authority.make_key(key_kind(algorithm));
    if (!key) co_return Err(aws::Error("InternalFailure", key.error().message, 500));
    certificate.key_pem = *std::move(key);
    CO_TRY(sign_privately(acm, certificate, now));
    certificate.detail.status = "ISSUED";
    certificate.detail.renewal_eligibility = "ELIGIBLE";
    describe_from_pem(certificate);
    co_return Reply<void>();
  }
  auto pair = co_await acm.authority.issue(*certificate.detail.subject_alternative_names, key_kind(algorithm), now);
  if (!pair) co_return Err(aws::Error("InternalFailure", pair.error().message, 500));
  certificate.certificate_pem = std::move(pair->certificate);
  certificate.key_pem = std::move(pair->key);
  certificate.chain_pem = acm.authority.certificate_pem();
  certificate.detail.status = "ISSUED";
  certificate.detail.issued_at = now;
  certificate.detail.renewal_eligibility = "ELIGIBLE";
  set_validations(certificate, "SUCCESS");
  describe_from_pem(certificate);
  co_return Reply<void>();
}

Reply<void> renew(Acm& acm, StoredCertificate& certificate, Time now) {
  if (certificate.detail.certificate_authority_arn) {
    TRY(sign_privately(acm, certificate, now));
    describe_from_pem(certificate);
    return {};
  }
  auto pair = acm.authority.renew(*certificate.detail.subject_alternative_names, certificate.key_pem, now);
  if (!pair) return Err(aws::Error("InternalFailure", pair.error().message, 500));
  certificate.certificate_pem = std::move(pair->certificate);
  certificate.chain_pem = acm.authority.certificate_pem();
  certificate.detail.issued_at = now;
  certificate.detail.renewal_summary = model::RenewalSummary{
      .renewal_status = "SUCCESS", .domain_validation_options = certificate.detail.domain_validation_options.value_or(std::vector<model::DomainValidation>()),
      .renewal_status_reason = {}, .updated_at = now};
  describe_from_pem(certificate);
  return {};
}

}  // namespace reef::service::acm
