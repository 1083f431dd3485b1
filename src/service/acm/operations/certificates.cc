// https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html and the others that read, list and remove.
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "engine/store/records.h"
#include "service/acm/acm.h"
#include "wire/json.h"

namespace reef::service::acm::operations {
namespace {

std::string_view shown_status(const StoredCertificate& certificate, Time now) {
  const auto& detail = certificate.detail;
  return detail.status == "ISSUED" && detail.not_after && *detail.not_after <= now ? std::string_view("EXPIRED") : std::string_view(*detail.status);
}

template <class T, class Wanted>
bool has_all(const std::vector<T>& have, const Wanted& wanted, std::string_view any = "ANY") {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
    return std::any_of(have.begin(), have.end(), [&](const T& usage) { return usage.name == one || usage.name == any; });
  });
}

// https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html: without key types, only RSA keys of 1024 and
// 2048 bits are listed.
bool passes(const StoredCertificate& certificate, const model::ListCertificatesInput& in, Time now) {
  const auto& detail = certificate.detail;
  if (in.certificate_statuses &&
      std::find(in.certificate_statuses->begin(), in.certificate_statuses->end(), shown_status(certificate, now)) == in.certificate_statuses->end())
    return false;
  std::string key = detail.key_algorithm.value_or("");
  std::replace(key.begin(), key.end(), '-', '_');
  const auto types = in.includes && in.includes->key_types ? *in.includes->key_types : std::vector<std::string>{"RSA_1024", "RSA_2048"};
  if (std::find(types.begin(), types.end(), key) == types.end()) return false;
  if (!in.includes) return true;
  if (in.includes->key_usage && !has_all(detail.key_usages.value_or(std::vector<model::KeyUsage>()), *in.includes->key_usage)) return false;
  if (in.includes->extended_key_usage && !has_all(detail.extended_key_usages.value_or(std::vector<model::ExtendedKeyUsage>()), *in.includes->extended_key_usage))
    return false;
  if (in.includes->export_option && (!detail.options || detail.options->export_ != *in.includes->export_option)) return false;
  return !in.includes->managed_by || detail.managed_by == *in.includes->managed_by;
}

model::CertificateSummary summary_of(const StoredCertificate& certificate, const Acm& acm, Time now) {
  const auto& detail = certificate.detail;
  model::CertificateSummary out{.certificate_arn = detail.certificate_arn, .domain_name = detail.domain_name,
                                .subject_alternative_name_summaries = detail.subject_alternative_names, .has_additional_subject_alternative_names = false,
                                .status = std::string(shown_status(certificate, now)), .type = detail.type, .key_algorithm = detail.key_algorithm};
  if (out.subject_alternative_name_summaries && out.subject_alternative_name_summaries->size() > 100) {
    out.subject_alternative_name_summaries->resize(100);
    out.has_additional_subject_alternative_names = true;
  }
  out.key_usages.emplace();
  for (const auto& usage : detail.key_usages.value_or(std::vector<model::KeyUsage>())) out.key_usages->push_back(usage.name.value_or(""));
  out.extended_key_usages.emplace();
  for (const auto& usage : detail.extended_key_usages.value_or(std::vector<model::ExtendedKeyUsage>())) out.extended_key_usages->push_back(usage.name.value_or(""));
  if (detail.options) out.export_option = detail.options->export_;
  out.in_use = !acm.certificates.users_of(*detail.certificate_arn).empty();
  if (detail.type != "IMPORTED") out.exported = certificate.exported;
  out.renewal_eligibility = detail.renewal_eligibility;
  out.not_before = detail.not_before;
  out.not_after = detail.not_after;
  out.created_at = detail.created_at;
  out.issued_at = detail.issued_at;
  out.imported_at = detail.imported_at;
  out.revoked_at = detail.revoked_at;
  out.managed_by = detail.managed_by;
  return out;
}

std::string account_key(const Call& call) { return fmt::format("acm/account/{}/{}", call.account, call.region); }

}  // namespace

Task<Reply<model::DescribeCertificateOutput>> DescribeCertificate(Acm& acm, const model::DescribeCertificateInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  certificate.detail.status = std::string(shown_status(certificate, call.now));
  certificate.detail.in_use_by = acm.certificates.users_of(in.certificate_arn);
  if (!certificate.detail.in_use_by->empty() && certificate.detail.type == "AMAZON_ISSUED") certificate.detail.renewal_eligibility = "ELIGIBLE";
  co_return model::DescribeCertificateOutput{.certificate = std::move(certificate.detail)};
}

Task<Reply<model::ListCertificatesOutput>> ListCertificates(Acm& acm, const model::ListCertificatesInput& in, const Call& call) {
  std::vector<StoredCertificate> all = acm.load_all(key_prefix(call.account, call.region));
  std::erase_if(all, [&](const StoredCertificate& one) { return !passes(one, in, call.now); });
  if (in.sort_by && !in.sort_order) co_return Err(aws::Error(errors::kInvalidArgsException, "SortOrder must be specified with SortBy."));
  if (in.sort_order && !in.sort_by) co_return Err(aws::Error(errors::kInvalidArgsException, "SortBy must be specified with SortOrder."));
  const bool descending = in.sort_order == "DESCENDING";
  if (in.sort_by)
    std::stable_sort(all.begin(), all.end(), [&](const StoredCertificate& a, const StoredCertificate& b) {
      return descending ? *b.detail.created_at < *a.detail.created_at : *a.detail.created_at < *b.detail.created_at;
    });
  auto at = all.begin();
  if (in.next_token) {
    const auto after = base64url_decode(*in.next_token);
    at = std::find_if(all.begin(), all.end(), [&](const StoredCertificate& one) { return after && *one.detail.certificate_arn == *after; });
    if (at == all.end()) co_return Err(aws::Error(errors::kInvalidArgsException, "Invalid NextToken."));
    ++at;
  }
  const std::ptrdiff_t count = std::min<std::ptrdiff_t>(in.max_items.value_or(1000), all.end() - at);
  model::ListCertificatesOutput out;
  out.certificate_summary_list.emplace();
  for (std::ptrdiff_t i = 0; i < count; ++i) out.certificate_summary_list->push_back(summary_of(at[i], acm, call.now));
  if (at + count < all.end()) out.next_token = base64url_encode(*at[count - 1].detail.certificate_arn);
  co_return out;
}

Task<Reply<model::GetCertificateOutput>> GetCertificate(Acm& acm, const model::GetCertificateInput& in, const Call& call) {
  const StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  if (certificate.certificate_pem.empty())
    co_return Err(aws::Error(errors::kRequestInProgressException, fmt::format("The certificate request is in progress for certificate {}.", in.certificate_arn)));
  model::GetCertificateOutput out{.certificate = certificate.certificate_pem, .certificate_chain = {}};
  if (!certificate.chain_pem.empty()) out.certificate_chain = certificate.chain_pem;
  co_return out;
}

Task<Reply<model::DeleteCertificateOutput>> DeleteCertificate(Acm& acm, const model::DeleteCertificateInput& in, const Call& call) {
  CO_TRY(find(acm, call, in.certificate_arn));
  if (!acm.certificates.users_of(in.certificate_arn).empty())
    co_return Err(aws::Error(errors::kResourceInUseException, fmt::format("Certificate {} in account {} is in use.", in.certificate_arn, call.account)));
  acm.erase(in.certificate_arn);
  co_await acm.committed();
  co_return model::DeleteCertificateOutput{};
}

Task<Reply<model::ListTagsForCertificateOutput>> ListTagsForCertificate(Acm& acm, const model::ListTagsForCertificateInput& in, const Call& call) {
  const StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  co_return model::ListTagsForCertificateOutput{.tags = certificate.tags};
}

Task<Reply<model::UpdateCertificateOptionsOutput>> UpdateCertificateOptions(Acm& acm, const model::UpdateCertificateOptionsInput& in, const Call& call) {
  StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  if (certificate.detail.type != "AMAZON_ISSUED")
    co_return Err(aws::Error(errors::kInvalidStateException, fmt::format("Certificate {} is not an Amazon issued certificate.", in.certificate_arn)));
  if (in.options.certificate_transparency_logging_preference)
    certificate.detail.options->certificate_transparency_logging_preference = in.options.certificate_transparency_logging_preference;
  if (in.options.export_) certificate.detail.options->export_ = in.options.export_;
  acm.save(certificate);
  co_await acm.committed();
  co_return model::UpdateCertificateOptionsOutput{};
}

Task<Reply<model::ResendValidationEmailOutput>> ResendValidationEmail(Acm& acm, const model::ResendValidationEmailInput& in, const Call& call) {
  const StoredCertificate certificate = CO_TRY(find(acm, call, in.certificate_arn));
  // Requests that are validated by e-mail are issued at once: none waits for a message.
  co_return Err(aws::Error(errors::kInvalidStateException, fmt::format("Certificate {} is in {} status.", in.certificate_arn, *certificate.detail.status)));
}

Task<Reply<model::GetAccountConfigurationOutput>> GetAccountConfiguration(Acm&, const model::GetAccountConfigurationInput&, const Call& call) {
  const std::string* days = store::Shard::control().records().find(account_key(call));
  co_return model::GetAccountConfigurationOutput{.expiry_events = model::ExpiryEventsConfiguration{.days_before_expiry = days ? std::stoi(*days) : 45}};
}

Task<Reply<model::PutAccountConfigurationOutput>> PutAccountConfiguration(Acm& acm, const model::PutAccountConfigurationInput& in, const Call& call) {
  if (in.expiry_events && in.expiry_events->days_before_expiry)
    store::Shard::control().records().put(account_key(call), std::to_string(*in.expiry_events->days_before_expiry));
  co_await acm.committed();
  co_return model::PutAccountConfigurationOutput{};
}

}  // namespace reef::service::acm::operations
