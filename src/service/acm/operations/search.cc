// https://docs.aws.amazon.com/acm/latest/APIReference/API_SearchCertificates.html
#include <algorithm>
#include <tuple>

#include "base/encoding.h"
#include "base/text.h"
#include "service/acm/acm.h"

namespace reef::service::acm::operations {
namespace {

std::string status_of(const StoredCertificate& one, Time now) {
  return one.detail.status == "ISSUED" && one.detail.not_after && *one.detail.not_after <= now ? "EXPIRED" : *one.detail.status;
}

std::string model_key_algorithm(const StoredCertificate& one) {
  std::string out = one.detail.key_algorithm.value_or("");
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

// "CN=a,O=b" as its parts; escaped commas stay.
model::DistinguishedName name_of(std::string_view text) {
  model::DistinguishedName out;
  std::size_t from = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && (text[at] != ',' || (at > 0 && text[at - 1] == '\\'))) continue;
    const std::string_view part = trim(text.substr(from, at - from));
    from = at + 1;
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = part.substr(0, equals);
    const std::string value(part.substr(equals + 1));
    if (key == "CN") out.common_name = value;
    else if (key == "O") out.organization = value;
    else if (key == "OU") out.organizational_unit = value;
    else if (key == "C") out.country = value;
    else if (key == "ST") out.state = value;
    else if (key == "L") out.locality = value;
  }
  return out;
}

bool compares(const std::string& value, const std::string& wanted, const std::string& how) {
  return how == "CONTAINS" ? to_lower(value).find(to_lower(wanted)) != std::string::npos : equals_ignoring_case(value, wanted);
}

template <class T>
bool in_range(const std::optional<T>& time, const model::TimestampRange& range) {
  return time && (!range.start || *time >= *range.start) && (!range.end || *time <= *range.end);
}

bool passes(const StoredCertificate& one, const model::X509AttributeFilter& filter) {
  const auto& detail = one.detail;
  if (filter.subject && filter.subject->common_name) {
    const auto common = name_of(detail.subject.value_or("")).common_name.value_or(detail.domain_name.value_or(""));
    if (!compares(common, filter.subject->common_name->value, filter.subject->common_name->comparison_operator)) return false;
  }
  if (filter.subject_alternative_name && filter.subject_alternative_name->dns_name) {
    const auto& wanted = *filter.subject_alternative_name->dns_name;
    const auto names = detail.subject_alternative_names.value_or(std::vector<std::string>());
    if (std::none_of(names.begin(), names.end(), [&](const std::string& name) { return compares(name, wanted.value, wanted.comparison_operator); })) return false;
  }
  const auto has = [](const auto& list, const std::string& name) {
    return list && std::any_of(list->begin(), list->end(), [&](const auto& usage) { return usage.name == name; });
  };
  if (filter.extended_key_usage && !has(detail.extended_key_usages, *filter.extended_key_usage)) return false;
  if (filter.key_usage && !has(detail.key_usages, *filter.key_usage)) return false;
  if (filter.key_algorithm && model_key_algorithm(one) != *filter.key_algorithm) return false;
  if (filter.serial_number && !equals_ignoring_case(detail.serial.value_or(""), *filter.serial_number)) return false;
  if (filter.not_after && !in_range(detail.not_after, *filter.not_after)) return false;
  return !filter.not_before || in_range(detail.not_before, *filter.not_before);
}

model::AcmCertificateMetadata metadata_of(const Acm& acm, const StoredCertificate& one, Time now) {
  const auto& detail = one.detail;
  model::AcmCertificateMetadata out;
  out.created_at = detail.created_at;
  if (detail.type != "IMPORTED") out.exported = one.exported;
  out.imported_at = detail.imported_at;
  out.in_use = !acm.certificates.users_of(*detail.certificate_arn).empty();
  out.issued_at = detail.issued_at;
  out.renewal_eligibility = detail.renewal_eligibility;
  out.revoked_at = detail.revoked_at;
  out.status = status_of(one, now);
  if (detail.renewal_summary) out.renewal_status = detail.renewal_summary->renewal_status;
  out.type = detail.type;
  if (detail.options) out.export_option = detail.options->export_;
  out.managed_by = detail.managed_by;
  if (detail.domain_validation_options && !detail.domain_validation_options->empty()) out.validation_method = detail.domain_validation_options->front().validation_method;
  return out;
}

bool passes(const model::AcmCertificateMetadata& one, const model::AcmCertificateMetadataFilter& filter) {
  const auto fits = [](const auto& wanted, const auto& value) { return !wanted || value == wanted; };
  return fits(filter.status, one.status) && fits(filter.renewal_status, one.renewal_status) && fits(filter.type, one.type) && fits(filter.in_use, one.in_use) &&
         fits(filter.exported, one.exported) && fits(filter.export_option, one.export_option) && fits(filter.managed_by, one.managed_by) &&
         fits(filter.validation_method, one.validation_method);
}

bool passes(const Acm& acm, const StoredCertificate& one, const model::CertificateFilterStatement& statement, Time now) {
  const auto each = [&](const model::CertificateFilterStatement& inner) { return passes(acm, one, inner, now); };
  if (statement.and_ && !std::all_of(statement.and_->begin(), statement.and_->end(), each)) return false;
  if (statement.or_ && std::none_of(statement.or_->begin(), statement.or_->end(), each)) return false;
  if (statement.not_ && each(*statement.not_)) return false;
  if (!statement.filter) return true;
  if (statement.filter->certificate_arn && *statement.filter->certificate_arn != *one.detail.certificate_arn) return false;
  if (statement.filter->x509_attribute_filter && !passes(one, *statement.filter->x509_attribute_filter)) return false;
  return !statement.filter->acm_certificate_metadata_filter || passes(metadata_of(acm, one, now), *statement.filter->acm_certificate_metadata_filter);
}

// What a list is sorted by: times as fixed-width digits, so that texts compare as they do.
std::string sort_key(const Acm& acm, const StoredCertificate& one, std::string_view by, Time now) {
  const auto time = [](const std::optional<Time>& at) { return at ? format_iso8601(*at, true) : std::string(); };
  const auto& detail = one.detail;
  const auto metadata = metadata_of(acm, one, now);
  if (by == "NOT_AFTER") return time(detail.not_after);
  if (by == "NOT_BEFORE") return time(detail.not_before);
  if (by == "ISSUED_AT") return time(detail.issued_at);
  if (by == "IMPORTED_AT") return time(detail.imported_at);
  if (by == "REVOKED_AT") return time(detail.revoked_at);
  if (by == "STATUS") return metadata.status.value_or("");
  if (by == "RENEWAL_STATUS") return metadata.renewal_status.value_or("");
  if (by == "EXPORTED") return metadata.exported == true ? "1" : "0";
  if (by == "IN_USE") return metadata.in_use == true ? "1" : "0";
  if (by == "KEY_ALGORITHM") return model_key_algorithm(one);
  if (by == "TYPE") return metadata.type.value_or("");
  if (by == "CERTIFICATE_ARN") return *detail.certificate_arn;
  if (by == "COMMON_NAME") return detail.domain_name.value_or("");
  if (by == "RENEWAL_ELIGIBILITY") return metadata.renewal_eligibility.value_or("");
  if (by == "MANAGED_BY") return metadata.managed_by.value_or("");
  if (by == "EXPORT_OPTION") return metadata.export_option.value_or("");
  if (by == "VALIDATION_METHOD") return metadata.validation_method.value_or("");
  return time(detail.created_at);
}

model::X509Attributes attributes_of(const StoredCertificate& one) {
  const auto& detail = one.detail;
  model::X509Attributes out;
  if (detail.issuer) out.issuer = name_of(*detail.issuer);
  if (detail.subject) out.subject = name_of(*detail.subject);
  out.subject_alternative_names.emplace();
  for (const std::string& name : detail.subject_alternative_names.value_or(std::vector<std::string>())) {
    model::GeneralName general;
    const bool address = name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos;
    (address ? general.ip_address : general.dns_name) = name;
    out.subject_alternative_names->push_back(std::move(general));
  }
  const auto names = [](const auto& list) {
    std::vector<std::string> all;
    if (list)
      for (const auto& usage : *list) all.push_back(usage.name.value_or(""));
    return all;
  };
  out.key_usages = names(detail.key_usages);
  out.extended_key_usages = names(detail.extended_key_usages);
  out.key_algorithm = model_key_algorithm(one);
  out.serial_number = detail.serial;
  out.not_after = detail.not_after;
  out.not_before = detail.not_before;
  return out;
}

}  // namespace

Task<Reply<model::SearchCertificatesOutput>> SearchCertificates(Acm& acm, const model::SearchCertificatesInput& in, const Call& call) {
  auto all = acm.load_all(key_prefix(call.account, call.region));
  if (in.filter_statement) std::erase_if(all, [&](const StoredCertificate& one) { return !passes(acm, one, *in.filter_statement, call.now); });
  const std::string by = in.sort_by.value_or("CREATED_AT");
  const bool ascending = in.sort_order == "ASCENDING";
  const auto key = [&](const StoredCertificate& one) { return std::tuple(sort_key(acm, one, by, call.now), *one.detail.certificate_arn); };
  std::sort(all.begin(), all.end(), [&](const StoredCertificate& a, const StoredCertificate& b) { return ascending ? key(a) < key(b) : key(b) < key(a); });
  auto at = all.begin();
  if (in.next_token) {
    const auto after = base64url_decode(*in.next_token);
    at = std::find_if(all.begin(), all.end(), [&](const StoredCertificate& one) { return after && *one.detail.certificate_arn == *after; });
    if (at == all.end()) co_return Err(aws::Error(errors::kValidationException, "The NextToken is not valid."));
    ++at;
  }
  const std::ptrdiff_t count = std::min<std::ptrdiff_t>(in.max_results.value_or(100), all.end() - at);
  model::SearchCertificatesOutput out;
  out.results.emplace();
  for (std::ptrdiff_t i = 0; i < count; ++i)
    out.results->push_back({.certificate_arn = at[i].detail.certificate_arn, .x509_attributes = attributes_of(at[i]),
                            .certificate_metadata = model::CertificateMetadata{.acm_certificate_metadata = metadata_of(acm, at[i], call.now)}});
  if (count > 0 && at + count < all.end()) out.next_token = base64url_encode(*at[count - 1].detail.certificate_arn);
  co_return out;
}

}  // namespace reef::service::acm::operations
