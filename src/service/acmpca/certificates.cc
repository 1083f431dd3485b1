// https://docs.aws.amazon.com/privateca/latest/APIReference/API_IssueCertificate.html, GetCertificate and RevokeCertificate.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/acmpca/acmpca.h"

namespace reef::service::acmpca {
namespace {

aws::Error invalid_args(std::string message) { return {errors::kInvalidArgsException, std::move(message)}; }

std::string without_colons(std::string_view serial) { return to_lower(replace_all(serial, ":", "")); }

// "20261231235959", with two digits of the year for UTCTime.
std::optional<Time> read_end_date(std::int64_t value) {
  std::string text = std::to_string(value);
  if (text.size() == 12) text.insert(0, text[0] < '5' ? "20" : "19");
  if (text.size() != 14) return std::nullopt;
  return parse_iso8601(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2), text.substr(8, 2), text.substr(10, 2), text.substr(12, 2)));
}

// What a template says a certificate may do.
// https://docs.aws.amazon.com/privateca/latest/userguide/UsingTemplates.html
Reply<void> apply_template(const std::string& arn, edge::SignRequest& request, bool& passes_through) {
  constexpr std::string_view kPrefix = "arn:aws:acm-pca:::template/";
  if (!arn.starts_with(kPrefix) || !arn.ends_with("/V1")) return Err(invalid_args(fmt::format("{} is not a template.", arn)));
  std::string_view name = std::string_view(arn).substr(kPrefix.size(), arn.size() - kPrefix.size() - 3);
  const auto drop = [&](std::string_view end) {
    if (!name.ends_with(end)) return false;
    name.remove_suffix(end.size());
    return true;
  };
  passes_through = drop("_APIPassthrough") || drop("_APICSRPassthrough");
  if (!passes_through) drop("_CSRPassthrough");
  if (name == "EndEntityCertificate") return {};
  if (name == "EndEntityClientAuthCertificate") return request.for_servers = false, Reply<void>();
  if (name == "EndEntityServerAuthCertificate") return request.for_clients = false, Reply<void>();
  if (name == "CodeSigningCertificate") {
    request.for_servers = request.for_clients = false;
    request.for_code = true;
    return {};
  }
  request.is_authority = true;
  if (name == "RootCACertificate") return {};
  if (name.starts_with("SubordinateCACertificate_PathLen") && name.size() == 33 && name.back() >= '0' && name.back() <= '3') {
    request.path_length = name.back() - '0';
    return {};
  }
  return Err(aws::not_implemented("the certificate template " + arn));
}

Reply<void> apply_passthrough(const model::ApiPassthrough& given, edge::SignRequest& request) {
  if (given.subject && given.subject->common_name) request.subject.emplace_back("CN", *given.subject->common_name);
  if (given.subject && given.subject->organization) request.subject.emplace_back("O", *given.subject->organization);
  if (given.subject && given.subject->organizational_unit) request.subject.emplace_back("OU", *given.subject->organizational_unit);
  if (given.subject && given.subject->country) request.subject.emplace_back("C", *given.subject->country);
  if (!given.extensions) return {};
  if (given.extensions->certificate_policies) return Err(aws::not_implemented("ApiPassthrough.Extensions.CertificatePolicies"));
  if (given.extensions->extended_key_usage) return Err(aws::not_implemented("ApiPassthrough.Extensions.ExtendedKeyUsage"));
  if (given.extensions->key_usage) return Err(aws::not_implemented("ApiPassthrough.Extensions.KeyUsage"));
  if (given.extensions->custom_extensions) return Err(aws::not_implemented("ApiPassthrough.Extensions.CustomExtensions"));
  if (given.extensions->subject_alternative_names)
    for (const model::GeneralName& name : *given.extensions->subject_alternative_names) {
      if (name.dns_name) request.names.push_back(*name.dns_name);
      else if (name.ip_address) request.names.push_back(*name.ip_address);
      else if (name.uniform_resource_identifier) request.uris.push_back(*name.uniform_resource_identifier);
      else return Err(aws::not_implemented("SubjectAlternativeNames other than DnsName, IpAddress and UniformResourceIdentifier"));
    }
  return {};
}

}  // namespace

Reply<Time> end_of(const model::Validity& validity, Time now) {
  const std::int64_t value = validity.value;
  if (validity.type == "DAYS") return now + std::chrono::days(value);
  if (validity.type == "MONTHS") return now + std::chrono::days(value * 30);
  if (validity.type == "YEARS") return now + std::chrono::days(value * 365);
  if (validity.type == "ABSOLUTE") return from_seconds(value);
  if (const auto date = read_end_date(value)) return *date;
  return Err(invalid_args("The validity's END_DATE must be YYYYMMDDHHMMSS or YYMMDDHHMMSS."));
}

namespace operations {

Task<Reply<model::IssueCertificateOutput>> IssueCertificate(AcmPca& pca, const model::IssueCertificateInput& in, const Call& call) {
  StoredAuthority* const authority = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  if (in.idempotency_token)
    for (const auto& [arn, one] : pca.certificates)
      if (one.authority == in.certificate_authority_arn && one.token == *in.idempotency_token) co_return model::IssueCertificateOutput{.certificate_arn = arn};
  if (const auto checked = edge::check_csr(in.csr); !checked) co_return Err(aws::Error(errors::kMalformedCSRException, checked.error().message));
  edge::SignRequest request{.csr_pem = in.csr, .subject = {}, .names = {}, .uris = {}, .not_before = call.now - 1h, .not_after = CO_TRY(end_of(in.validity, call.now)), .digest = in.signing_algorithm.substr(0, 6)};
  if (in.validity_not_before) request.not_before = CO_TRY(end_of(*in.validity_not_before, Time{}));
  bool passes_through = false;
  CO_TRY(apply_template(in.template_arn.value_or("arn:aws:acm-pca:::template/EndEntityCertificate/V1"), request, passes_through));
  if (in.api_passthrough && !passes_through) co_return Err(invalid_args("ApiPassthrough is only allowed with a template that passes it through."));
  if (in.api_passthrough) CO_TRY(apply_passthrough(*in.api_passthrough, request));
  if (request.not_after <= call.now) co_return Err(invalid_args("The validity must end in the future."));
  // A root signs its own certificate before it is active; nothing else then.
  const bool is_own_root = authority->value.type == "ROOT" && authority->value.status == "PENDING_CERTIFICATE" && request.is_authority && request.path_length < 0;
  if (!is_own_root && authority->value.status != "ACTIVE")
    co_return Err(aws::Error(errors::kInvalidStateException, fmt::format("The certificate authority is not in the correct state to issue certificates: {}", *authority->value.status)));
  if (!is_own_root && authority->value.not_after && request.not_after > *authority->value.not_after)
    co_return Err(aws::Error("ValidationException", "The certificate validity specified exceeds the certificate authority validity.", 400));
  if (authority->value.usage_mode == "SHORT_LIVED_CERTIFICATE" && !request.is_authority && request.not_after > call.now + std::chrono::days(7))
    co_return Err(invalid_args("A certificate authority for short-lived certificates issues certificates that are valid for at most seven days."));
  const auto made = edge::sign_csr(is_own_root ? std::string() : authority->certificate_pem, authority->key_pem, request);
  if (!made) co_return Err(invalid_args(made.error().message));
  const auto said = edge::describe_certificate(*made);
  StoredCertificate one{.arn = fmt::format("{}/certificate/{}", authority->arn(), said ? without_colons(said->serial) : std::string()), .authority = authority->arn(), .certificate_pem = *made,
                        .chain_pem = is_own_root ? std::string() : authority->certificate_pem + authority->chain_pem, .token = in.idempotency_token.value_or("")};
  const std::string arn = one.arn;
  pca.save(one);
  pca.certificates.emplace(arn, std::move(one));
  co_await pca.committed();
  co_return model::IssueCertificateOutput{.certificate_arn = arn};
}

Task<Reply<model::GetCertificateOutput>> GetCertificate(AcmPca& pca, const model::GetCertificateInput& in, const Call& call) {
  CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  const auto found = pca.certificates.find(in.certificate_arn);
  if (found == pca.certificates.end() || found->second.authority != in.certificate_authority_arn)
    co_return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Could not find Certificate with ARN {}.", in.certificate_arn)));
  model::GetCertificateOutput out{.certificate = found->second.certificate_pem, .certificate_chain = {}};
  if (!found->second.chain_pem.empty()) out.certificate_chain = found->second.chain_pem;
  co_return out;
}

Task<Reply<model::RevokeCertificateOutput>> RevokeCertificate(AcmPca& pca, const model::RevokeCertificateInput& in, const Call& call) {
  const StoredAuthority* const authority = CO_TRY(find_authority(pca, in.certificate_authority_arn, call.now));
  if (authority->value.status != "ACTIVE") co_return Err(aws::Error(errors::kInvalidStateException, "The certificate authority is not active."));
  const auto found = pca.certificates.find(fmt::format("{}/certificate/{}", authority->arn(), without_colons(in.certificate_serial)));
  if (found == pca.certificates.end()) co_return Err(aws::Error(errors::kResourceNotFoundException, "No certificate found with serial number " + in.certificate_serial));
  if (found->second.revoked) co_return Err(aws::Error(errors::kRequestAlreadyProcessedException, "The certificate has already been revoked."));
  found->second.revoked = true;
  pca.save(found->second);
  co_await pca.committed();
  co_return model::RevokeCertificateOutput{};
}

}  // namespace operations
}  // namespace reef::service::acmpca
