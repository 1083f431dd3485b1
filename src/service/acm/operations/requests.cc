// https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html, ImportCertificate, RenewCertificate,
// RevokeCertificate, ExportCertificate: what makes and changes certificates.
#include <algorithm>

#include <fmt/format.h>

#include "aws/unmodelled_errors.h"
#include "base/random.h"
#include "base/text.h"
#include "service/acm/acm.h"

namespace reef::service::acm::operations {
namespace {

constexpr std::size_t kTagsMax = 50, kNamesMax = 100;

std::string make_arn(const Call& call) { return call.arn("acm", "certificate/" + make_uuid(thread_random())); }

aws::Error invalid(std::string message) { return aws::validation_exception(std::move(message)); }

Reply<void> add_tags(StoredCertificate& certificate, const std::optional<std::vector<model::Tag>>& tags) {
  if (!tags) return {};
  for (const model::Tag& tag : *tags) {
    if (to_lower(tag.key).starts_with("aws:")) return Err(aws::Error(errors::kInvalidTagException, "aws: prefixed tag key names are not allowed for external use."));
    std::erase_if(certificate.tags, [&](const model::Tag& one) { return one.key == tag.key; });
    certificate.tags.push_back(tag);
  }
  if (certificate.tags.size() > kTagsMax) return Err(aws::Error(errors::kTooManyTagsException, fmt::format("the TagSet: '{{...}}' contains too many Tags")));
  return {};
}

// What a request asks for that cannot be had here.
Reply<void> check_request(const model::RequestCertificateInput& in) {
  if (in.certificate_authority_arn && in.validation_method) return Err(invalid("Validation method is not allowed for certificates of a private certificate authority."));
  if (in.managed_by || in.validation_method == "HTTP") return Err(aws::not_implemented("certificates that CloudFront manages (ManagedBy, ValidationMethod HTTP)"));
  if (in.domain_name.size() > 64 && !in.subject_alternative_names)
    return Err(invalid("The first domain name can contain no more than 64 octets, including periods."));
  return {};
}

}  // namespace

Task<Reply<model::RequestCertificateOutput>> RequestCertificate(Acm& acm, const model::RequestCertificateInput& in, const Call& call) {
  CO_TRY(check_request(in));
  if (in.idempotency_token)
    for (const StoredCertificate& one : acm.load_all(key_prefix(call.account, call.region)))
      if (one.idempotency_token == *in.idempotency_token && one.detail.domain_name == in.domain_name && *one.detail.created_at + 1h > call.now)
        co_return model::RequestCertificateOutput{.certificate_arn = one.detail.certificate_arn};
  StoredCertificate made;
  model::CertificateDetail& detail = made.detail;
  detail.certificate_arn = make_arn(call);
  detail.domain_name = to_lower(in.domain_name);
  std::vector<std::string> names{*detail.domain_name};
  if (in.subject_alternative_names)
    for (const std::string& name : *in.subject_alternative_names)
      if (const std::string lower = to_lower(name); std::find(names.begin(), names.end(), lower) == names.end()) names.push_back(lower);
  if (names.size() > kNamesMax) co_return Err(aws::Error(errors::kLimitExceededException, "Error: you have reached your limit of 100 domain names in a certificate."));
  const std::string method = in.validation_method.value_or("EMAIL");
  detail.domain_validation_options.emplace();
  for (const std::string& name : names) {
    model::DomainValidation one{.domain_name = name, .validation_emails = {}, .validation_domain = name, .validation_status = "PENDING_VALIDATION",
                                .resource_record = {}, .http_redirect = {}, .validation_method = method};
    if (in.domain_validation_options)
      for (const auto& option : *in.domain_validation_options)
        if (option.domain_name == name) {
          if (name != option.validation_domain && !name.ends_with("." + option.validation_domain))
            co_return Err(aws::Error(errors::kInvalidDomainValidationOptionsException,
                                     fmt::format("The ValidationDomain {} is not the same as, or a superdomain of, the DomainName {}.", option.validation_domain, name)));
          one.validation_domain = option.validation_domain;
        }
    if (method == "DNS") {
      one.resource_record = validation_record(call.account, name);
    } else {
      one.validation_emails.emplace();
      for (const std::string_view who : {"administrator", "hostmaster", "postmaster", "webmaster", "admin"})
        one.validation_emails->push_back(fmt::format("{}@{}", who, *one.validation_domain));
    }
    detail.domain_validation_options->push_back(std::move(one));
  }
  // Who owns the authority need not prove control of a name.
  if (in.certificate_authority_arn) {
    detail.certificate_authority_arn = in.certificate_authority_arn;
    detail.domain_validation_options.reset();
  }
  detail.subject_alternative_names = std::move(names);
  detail.created_at = call.now;
  detail.status = "PENDING_VALIDATION";
  detail.type = in.certificate_authority_arn ? "PRIVATE" : "AMAZON_ISSUED";
  detail.in_use_by.emplace();
  detail.key_algorithm = replace_all(in.key_algorithm.value_or("RSA_2048"), "_", "-");
  detail.renewal_eligibility = "INELIGIBLE";
  detail.options = in.options.value_or(model::CertificateOptions());
  if (!detail.options->certificate_transparency_logging_preference) detail.options->certificate_transparency_logging_preference = "ENABLED";
  if (!detail.options->export_) detail.options->export_ = "DISABLED";
  made.idempotency_token = in.idempotency_token.value_or("");
  CO_TRY(add_tags(made, in.tags));
  if (is_validated(acm, made)) CO_TRY(co_await issue(acm, made, call.now));
  acm.save(made);
  co_await acm.committed();
  co_return model::RequestCertificateOutput{.certificate_arn = detail.certificate_arn};
}

Task<Reply<model::ImportCertificateOutput>> ImportCertificate(Acm& acm, const model::ImportCertificateInput& in, const Call& call) {
  StoredCertificate made;
  if (in.certificate_arn) {
    if (in.tags && !in.tags->empty())
      co_return Err(invalid("You cannot specify tags when reimporting a certificate. Remove the tags from the request or remove the certificate ARN, and try again."));
    made = CO_TRY(find(acm, call, *in.certificate_arn));
    if (made.detail.type != "IMPORTED") co_return Err(invalid(fmt::format("The certificate {} was not imported, and cannot be reimported.", *in.certificate_arn)));
  }
  const auto own = edge::split_certificates(in.certificate);
  if (!own) co_return Err(invalid("The certificate field contains an invalid certificate. Make sure that it is PEM-encoded."));
  if (own->size() > 1) co_return Err(invalid("The certificate field contains more than one certificate. You can specify only one certificate in this field."));
  if (const auto key = edge::check_key(in.private_key); !key)
    co_return Err(invalid(key.error().message == "the private key is encrypted" ? "The private key is not supported. It must not be encrypted." : "The private key is not PEM-encoded or is not valid."));
  if (!edge::key_matches(in.certificate, in.private_key)) co_return Err(invalid("The private key does not match the certificate."));
  if (in.certificate_chain && !edge::chain_fits(in.certificate, *in.certificate_chain))
    co_return Err(invalid("Could not validate the certificate with the certificate chain."));
  const auto said = edge::describe_certificate(in.certificate);
  if (said->not_after <= call.now) co_return Err(invalid("The certificate has expired, is not valid."));
  if (said->not_before > call.now) co_return Err(invalid("The certificate is not in effect yet, is not valid."));
  if (!in.certificate_chain && !edge::chain_fits(in.certificate, in.certificate))
    co_return Err(invalid("Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain."));
  made.certificate_pem = own->front();
  made.chain_pem = in.certificate_chain ? join(*edge::split_certificates(*in.certificate_chain), "") : std::string();
  made.key_pem = in.private_key;
  if (!made.key_pem.ends_with('\n')) made.key_pem += '\n';
  model::CertificateDetail& detail = made.detail;
  if (!detail.certificate_arn) detail.certificate_arn = make_arn(call);
  detail.subject_alternative_names = said->dns_names;
  detail.domain_name = !said->common_name.empty() ? said->common_name : said->dns_names.empty() ? std::string() : said->dns_names.front();
  if (detail.domain_name->empty()) detail.domain_name.reset();
  if (!detail.created_at) detail.created_at = call.now;
  detail.imported_at = call.now;
  detail.status = "ISSUED";
  detail.type = "IMPORTED";
  detail.in_use_by.emplace();
  detail.renewal_eligibility = "INELIGIBLE";
  detail.options = model::CertificateOptions{.certificate_transparency_logging_preference = "DISABLED", .export_ = {}};
  describe_from_pem(made);
  CO_TRY(add_tags(made, in.tags));
  acm.save(made);
  co_await acm.committed();
  co_return model::ImportCertificateOutput{.certificate_arn = detail.certificate_arn};
}

Task<Reply<model::RenewCertificateOutput>> RenewCertificate(Acm& acm, const model::RenewCertificateInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  if (certificate.detail.type != "AMAZON_ISSUED" || certificate.detail.status != "ISSUED")
    co_return Err(invalid(fmt::format("Certificate {} is not eligible for renewal.", in.certificate_arn)));
  CO_TRY(renew(acm, certificate, call.now));
  acm.save(certificate);
  co_await acm.committed();
  co_return model::RenewCertificateOutput{};
}

Task<Reply<model::RevokeCertificateOutput>> RevokeCertificate(Acm& acm, const model::RevokeCertificateInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  if (!certificate.exported) co_return Err(invalid(fmt::format("Certificate {} cannot be revoked: it was not exported.", in.certificate_arn)));
  if (!acm.certificates.users_of(in.certificate_arn).empty())
    co_return Err(aws::Error(errors::kResourceInUseException, fmt::format("Certificate {} in account {} is in use.", in.certificate_arn, call.account)));
  certificate.detail.status = "REVOKED";
  certificate.detail.revoked_at = call.now;
  certificate.detail.revocation_reason = in.revocation_reason;
  certificate.detail.renewal_eligibility = "INELIGIBLE";
  acm.save(certificate);
  co_await acm.committed();
  co_return model::RevokeCertificateOutput{.certificate_arn = in.certificate_arn};
}

Task<Reply<model::ExportCertificateOutput>> ExportCertificate(Acm& acm, const model::ExportCertificateInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  const auto& options = certificate.detail.options;
  if (certificate.detail.type != "AMAZON_ISSUED" || !options || options->export_ != "ENABLED")
    co_return Err(invalid(fmt::format("Certificate ARN: {} is not exportable.", in.certificate_arn)));
  if (certificate.certificate_pem.empty())
    co_return Err(aws::Error(errors::kRequestInProgressException, fmt::format("Certificate {} is not issued yet.", in.certificate_arn)));
  auto key = edge::encrypt_key(certificate.key_pem, in.passphrase);
  if (!key) co_return Err(invalid("The passphrase cannot encrypt the private key."));
  certificate.exported = true;
  acm.save(certificate);
  co_await acm.committed();
  co_return model::ExportCertificateOutput{.certificate = certificate.certificate_pem, .certificate_chain = certificate.chain_pem, .private_key = *std::move(key)};
}

Task<Reply<model::AddTagsToCertificateOutput>> AddTagsToCertificate(Acm& acm, const model::AddTagsToCertificateInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  CO_TRY(add_tags(certificate, in.tags));
  acm.save(certificate);
  co_await acm.committed();
  co_return model::AddTagsToCertificateOutput{};
}

Task<Reply<model::RemoveTagsFromCertificateOutput>> RemoveTagsFromCertificate(Acm& acm, const model::RemoveTagsFromCertificateInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  // With a value, only the tag that has it.
  for (const model::Tag& tag : in.tags)
    std::erase_if(certificate.tags, [&](const model::Tag& one) { return one.key == tag.key && (!tag.value || one.value.value_or("") == *tag.value); });
  acm.save(certificate);
  co_await acm.committed();
  co_return model::RemoveTagsFromCertificateOutput{};
}

}  // namespace reef::service::acm::operations
