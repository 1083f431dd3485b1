#include "service/acm/acm.h"

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "wire/json.h"

namespace reef::service::acm {
namespace {

using wire::Json;

constexpr std::string_view kPrefix = "acm/certificate/";
constexpr auto kValidateWithin = std::chrono::hours(72);
constexpr auto kRenewBefore = std::chrono::days(60);  // https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html

std::string to_text(const StoredCertificate& certificate) {
  Json out = Json::object({{"certificate", certificate.certificate_pem}, {"chain", certificate.chain_pem}, {"key", certificate.key_pem},
                           {"token", certificate.idempotency_token}, {"exported", certificate.exported}});
  out.set("detail", *Json::parse(aws::to_json_text(certificate.detail)));
  Json& tags = out.set("tags", Json::array());
  for (const auto& tag : certificate.tags) tags.push_back(Json::object({{"Key", tag.key}, {"Value", tag.value.value_or("")}}));
  return out.dump();
}

std::optional<StoredCertificate> from_text(const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  auto detail = aws::from_json_text<model::CertificateDetail>((*json)["detail"].dump());
  if (!detail) return std::nullopt;
  StoredCertificate out{.detail = *std::move(detail), .certificate_pem = json->text("certificate"), .chain_pem = json->text("chain"),
                        .key_pem = json->text("key"), .idempotency_token = json->text("token"), .tags = {}, .exported = (*json)["exported"].as_bool()};
  for (const Json& tag : (*json)["tags"].as_array()) out.tags.push_back({.key = tag.text("Key"), .value = tag.text("Value")});
  return out;
}

// When the clock is to do something about it: renew, or give up waiting.
std::optional<Time> next_duty(const StoredCertificate& certificate) {
  const auto& detail = certificate.detail;
  if (detail.type != "AMAZON_ISSUED") return std::nullopt;
  if (detail.status == "PENDING_VALIDATION") return *detail.created_at + kValidateWithin;
  if (detail.status == "ISSUED" && detail.not_after) return *detail.not_after - kRenewBefore;
  return std::nullopt;
}

}  // namespace

std::string key_prefix(std::string_view account, std::string_view region) { return fmt::format("{}{}/{}/", kPrefix, account, region); }

std::string key_of(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[2] != "acm" || !parts[5].starts_with("certificate/")) return {};
  return key_prefix(parts[4], parts[3]) + std::string(parts[5].substr(12));
}

Acm::Acm(Parts& parts) : authority(parts.get<edge::Authority>()), certificates(parts.get<edge::Certificates>()), zones(parts.get<naming::Zones>()),
      private_authorities(parts.get<edge::PrivateAuthorities>()) {}

void Acm::start() {
  for (const StoredCertificate& one : load_all(kPrefix)) publish(one);
  schedule_renewal();
  // Zones come after this, and publishing them looks at what is pending.
  zones.on_publish([this] { look_at_pending(); });
}

void Acm::stop() {
  stopped_ = true;
  shard().reactor().cancel(timer_);
}

void Acm::reset() {
  certificates.clear();
  pending_.clear();
  schedule_renewal();
}

std::optional<StoredCertificate> Acm::load(std::string_view arn) const {
  const std::string* text = shard().records().find(key_of(arn));
  return text ? from_text(*text) : std::nullopt;
}

void Acm::publish(const StoredCertificate& certificate) {
  if (certificate.detail.status == "PENDING_VALIDATION") pending_.insert(*certificate.detail.certificate_arn);
  else pending_.erase(*certificate.detail.certificate_arn);
  if (certificate.certificate_pem.empty() || certificate.detail.status == "REVOKED") certificates.remove(*certificate.detail.certificate_arn);
  else certificates.put(*certificate.detail.certificate_arn, {.chain_pem = certificate.certificate_pem + certificate.chain_pem, .key_pem = certificate.key_pem});
}

void Acm::save(const StoredCertificate& certificate) {
  shard().records().put(key_of(*certificate.detail.certificate_arn), to_text(certificate));
  publish(certificate);
  schedule_renewal();
}

void Acm::erase(std::string_view arn) {
  shard().records().erase(key_of(arn));
  pending_.erase(std::string(arn));
  certificates.remove(arn);
}

std::vector<StoredCertificate> Acm::load_all(std::string_view prefix) const {
  std::vector<StoredCertificate> out;
  shard().records().scan(prefix, [&](std::string_view, const std::string& text) {
    if (auto one = from_text(text)) out.push_back(*std::move(one));
    return true;
  });
  return out;
}

void Acm::schedule_renewal() {
  if (stopped_) return;
  shard().reactor().cancel(timer_);
  timer_ = 0;
  std::optional<Time> next;
  for (const StoredCertificate& one : load_all(kPrefix))
    if (const auto due = next_duty(one); due && (!next || *due < *next)) next = due;
  if (next) timer_ = shard().reactor().at(*next, [this] { renew_due(); });
}

void Acm::renew_due() {
  timer_ = 0;
  const Time now = shard().now();
  for (StoredCertificate& one : load_all(kPrefix)) {
    if (const auto due = next_duty(one); !due || *due > now) continue;
    if (one.detail.status == "PENDING_VALIDATION") {
      one.detail.status = "VALIDATION_TIMED_OUT";
      save(one);
      continue;
    }
    if (const auto renewed = renew(*this, one, now); !renewed) log::warn("certificate not renewed", {{"arn", *one.detail.certificate_arn}, {"reason", renewed.error().message}});
    else save(one);
  }
  schedule_renewal();
}

void Acm::look_at_pending() {
  if (stopped_) return;
  const std::set<std::string> waiting = pending_;
  for (const std::string& arn : waiting) issue_validated(arn).detach();
}

Task<void> Acm::issue_validated(std::string arn) {
  auto certificate = load(arn);
  if (!certificate || !is_validated(*this, *certificate) || pending_.erase(arn) == 0) co_return;
  const auto issued = co_await issue(*this, *certificate, shard().now());
  // Deleted meanwhile, or still to be tried.
  if (!load(arn)) co_return;
  if (issued) save(*certificate);
  else pending_.insert(arn);
}

Reply<StoredCertificate> find(const Acm& acm, const Call& call, const std::string& arn) {
  const std::string key = key_of(arn);
  if (key.empty()) return Err(aws::Error(errors::kInvalidArnException, fmt::format("The provided ARN {} is not valid.", arn)));
  auto found = key.starts_with(key_prefix(call.account, call.region)) ? acm.load(arn) : std::nullopt;
  if (!found) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Could not find certificate {}.", arn)));
  return *std::move(found);
}

}  // namespace reef::service::acm
