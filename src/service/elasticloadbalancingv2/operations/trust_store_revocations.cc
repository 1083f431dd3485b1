// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTrustStoreRevocations.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_GetTrustStoreRevocationContent.html
#include <algorithm>

#include "engine/edge/revocations.h"
#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

constexpr std::uint64_t kListBytesMax = 50 * 1024 * 1024;
constexpr int kEntriesMax = 500'000;
constexpr std::size_t kListsMax = 30;

void count(TrustStore& store) {
  std::int64_t all = 0;
  for (const auto& [id, revocation] : store.revocations) all += revocation.entries;
  store.value.total_revoked_entries = all;
}

Task<Reply<void>> save_and_apply(Elb& elb, const std::string& arn) {
  elb.save(*CO_TRY(elb.trust_store(arn)));
  co_await elb.committed();
  for (const std::string& listener : elb.listeners_trusting(arn)) CO_TRY(co_await elb.apply(listener));
  co_return Reply<void>();
}

aws::Error no_revocation(std::int64_t id) { return aws::Error(errors::kRevocationIdNotFoundException, fmt::format("Revocation ID '{}' not found", id)); }

}  // namespace

Task<Reply<model::AddTrustStoreRevocationsOutput>> AddTrustStoreRevocations(Elb& elb, const model::AddTrustStoreRevocationsInput& in, const Call& call) {
  CO_TRY(elb.trust_store(in.trust_store_arn));
  if (!in.revocation_contents || in.revocation_contents->empty()) co_return Err(aws::validation_error("At least one revocation content must be specified"));
  std::vector<Revocation> read;
  for (const auto& content : *in.revocation_contents) {
    auto text = co_await read_object(elb, call, content.s3_bucket.value_or(""), content.s3_key.value_or(""), content.s3_object_version, kListBytesMax);
    if (!text) co_return Err(aws::Error(errors::kRevocationContentNotFoundException, "The specified revocation file does not exist"));
    const auto entries = edge::count_revoked(*text);
    if (!entries) co_return Err(aws::Error(errors::kInvalidRevocationContentException, "The provided revocation file is an invalid format, or uses an incorrect algorithm"));
    read.push_back({.text = *std::move(text), .entries = *entries});
  }
  TrustStore& store = *CO_TRY(elb.trust_store(in.trust_store_arn));
  TrustStore after = store;
  model::AddTrustStoreRevocationsOutput out{.trust_store_revocations = std::vector<model::TrustStoreRevocation>{}};
  for (Revocation& one : read) {
    const std::int64_t id = after.revocations.empty() ? 1 : after.revocations.rbegin()->first + 1;
    out.trust_store_revocations->push_back({.trust_store_arn = in.trust_store_arn, .revocation_id = id, .revocation_type = "CRL", .number_of_revoked_entries = one.entries});
    after.revocations.emplace(id, std::move(one));
  }
  count(after);
  if (after.revocations.size() > kListsMax || *after.value.total_revoked_entries > kEntriesMax)
    co_return Err(aws::Error(errors::kTooManyTrustStoreRevocationEntriesException, "The specified trust store has too many revocation entries"));
  store = std::move(after);
  CO_TRY(co_await save_and_apply(elb, in.trust_store_arn));
  co_return out;
}

Task<Reply<model::RemoveTrustStoreRevocationsOutput>> RemoveTrustStoreRevocations(Elb& elb, const model::RemoveTrustStoreRevocationsInput& in, const Call&) {
  TrustStore& store = *CO_TRY(elb.trust_store(in.trust_store_arn));
  for (const std::int64_t id : in.revocation_ids)
    if (!store.revocations.contains(id)) co_return Err(no_revocation(id));
  for (const std::int64_t id : in.revocation_ids) store.revocations.erase(id);
  count(store);
  CO_TRY(co_await save_and_apply(elb, in.trust_store_arn));
  co_return model::RemoveTrustStoreRevocationsOutput{};
}

Task<Reply<model::DescribeTrustStoreRevocationsOutput>> DescribeTrustStoreRevocations(Elb& elb, const model::DescribeTrustStoreRevocationsInput& in, const Call&) {
  const TrustStore& store = *CO_TRY(elb.trust_store(in.trust_store_arn));
  std::vector<model::DescribeTrustStoreRevocation> all;
  if (in.revocation_ids)
    for (const std::int64_t id : *in.revocation_ids)
      if (!store.revocations.contains(id)) co_return Err(no_revocation(id));
  for (const auto& [id, revocation] : store.revocations) {
    if (in.revocation_ids && !in.revocation_ids->empty() && std::find(in.revocation_ids->begin(), in.revocation_ids->end(), id) == in.revocation_ids->end()) continue;
    all.push_back({.trust_store_arn = in.trust_store_arn, .revocation_id = id, .revocation_type = "CRL", .number_of_revoked_entries = revocation.entries});
  }
  model::DescribeTrustStoreRevocationsOutput out;
  CO_TRY(paginate(in, all, out.trust_store_revocations, out));
  co_return out;
}

Task<Reply<model::GetTrustStoreRevocationContentOutput>> GetTrustStoreRevocationContent(Elb& elb, const model::GetTrustStoreRevocationContentInput& in, const Call& call) {
  const TrustStore& store = *CO_TRY(elb.trust_store(in.trust_store_arn));
  const auto found = store.revocations.find(in.revocation_id);
  if (found == store.revocations.end()) co_return Err(no_revocation(in.revocation_id));
  co_return model::GetTrustStoreRevocationContentOutput{.location = call.endpoint + elb.keyring.offer(found->second.text)};
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_GetTrustStoreCaCertificatesBundle.html
Task<Reply<model::GetTrustStoreCaCertificatesBundleOutput>> GetTrustStoreCaCertificatesBundle(Elb& elb, const model::GetTrustStoreCaCertificatesBundleInput& in, const Call& call) {
  const TrustStore& store = *CO_TRY(elb.trust_store(in.trust_store_arn));
  co_return model::GetTrustStoreCaCertificatesBundleOutput{.location = call.endpoint + elb.keyring.offer(store.bundle)};
}

}  // namespace reef::service::elb::operations
