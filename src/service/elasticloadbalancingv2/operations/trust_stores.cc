// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTrustStore.html
#include <algorithm>

#include "aws/models/s3.h"
#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

constexpr std::uint64_t kBundleBytesMax = 1024 * 1024;
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";

int count_certificates(std::string_view bundle) {
  int count = 0;
  for (auto at = bundle.find(kBegin); at != std::string_view::npos; at = bundle.find(kBegin, at + 1)) ++count;
  return count;
}

Task<Reply<std::string>> read_bundle(Elb& elb, const Call& call, const std::string& bucket, const std::string& key, const std::optional<std::string>& version) {
  auto body = co_await read_object(elb, call, bucket, key, version, kBundleBytesMax);
  if (!body) co_return Err(aws::Error(errors::kCaCertificatesBundleNotFoundException, "The specified CA certificates bundle does not exist"));
  if (count_certificates(*body) == 0)
    co_return Err(aws::Error(errors::kInvalidCaCertificatesBundleException, "The CA certificates bundle is in an invalid format or is corrupt"));
  co_return *std::move(body);
}

}  // namespace

Task<Result<std::string, Failure>> read_object(Elb& elb, const Call& call, std::string bucket, std::string key, std::optional<std::string> version, std::uint64_t bytes_max) {
  aws::s3::GetObjectInput in;
  in.bucket = bucket;
  in.key = key;
  in.version_id = version;
  http::Response streamed;
  Call from = call;
  from.http_request = nullptr;
  from.http_response = &streamed;
  const auto reply = co_await elb.caller.call<aws::s3::GetObjectOutput>(from, aws::s3::ops::kGetObject, in);
  if (!reply) co_return Err(Failure{reply.error().message});
  // A small object is in the output itself.
  if (streamed.stream) co_return co_await http::read_all(*streamed.stream, bytes_max);
  co_return streamed.body.empty() ? reply->body.value_or("") : std::move(streamed.body);
}

Task<Reply<model::CreateTrustStoreOutput>> CreateTrustStore(Elb& elb, const model::CreateTrustStoreInput& in, const Call& call) {
  for (const auto& [arn, store] : elb.trust_stores)
    if (store.value.name == in.name && account_of(arn) == call.account && region_of(arn) == call.region)
      co_return Err(aws::Error(errors::kDuplicateTrustStoreNameException, fmt::format("A trust store with the same name '{}' exists", in.name)));
  TrustStore store;
  store.tags = CO_TRY(read_tags(in.tags));
  store.bundle = CO_TRY(co_await read_bundle(elb, call, in.ca_certificates_bundle_s3_bucket, in.ca_certificates_bundle_s3_key, in.ca_certificates_bundle_s3_object_version));
  const std::string arn = call.arn("elasticloadbalancing", fmt::format("truststore/{}/{}", in.name, make_id()));
  store.value = {.name = in.name, .trust_store_arn = arn, .status = "ACTIVE", .number_of_ca_certificates = count_certificates(store.bundle), .total_revoked_entries = 0};
  elb.trust_stores[arn] = store;
  elb.save(store);
  co_await elb.committed();
  co_return model::CreateTrustStoreOutput{.trust_stores = {{store.value}}};
}

Task<Reply<model::DescribeTrustStoresOutput>> DescribeTrustStores(Elb& elb, const model::DescribeTrustStoresInput& in, const Call& call) {
  std::vector<model::TrustStore> all;
  if (in.trust_store_arns && !in.trust_store_arns->empty()) {
    for (const std::string& arn : *in.trust_store_arns) all.push_back((*CO_TRY(elb.trust_store(arn))).value);
  } else {
    for (const auto& [arn, store] : elb.trust_stores) {
      if (account_of(arn) != call.account || region_of(arn) != call.region) continue;
      if (!in.names || std::find(in.names->begin(), in.names->end(), *store.value.name) != in.names->end()) all.push_back(store.value);
    }
    if (in.names && all.size() != in.names->size()) co_return Err(aws::Error(errors::kTrustStoreNotFoundException, "One or more trust stores not found"));
  }
  model::DescribeTrustStoresOutput out;
  CO_TRY(paginate(in, all, out.trust_stores, out));
  co_return out;
}

Task<Reply<model::ModifyTrustStoreOutput>> ModifyTrustStore(Elb& elb, const model::ModifyTrustStoreInput& in, const Call& call) {
  CO_TRY(elb.trust_store(in.trust_store_arn));
  std::string bundle = CO_TRY(co_await read_bundle(elb, call, in.ca_certificates_bundle_s3_bucket, in.ca_certificates_bundle_s3_key, in.ca_certificates_bundle_s3_object_version));
  TrustStore& store = *CO_TRY(elb.trust_store(in.trust_store_arn));
  store.bundle = std::move(bundle);
  store.value.number_of_ca_certificates = count_certificates(store.bundle);
  elb.save(store);
  const model::TrustStore value = store.value;
  co_await elb.committed();
  for (const std::string& listener : elb.listeners_trusting(in.trust_store_arn)) CO_TRY(co_await elb.apply(listener));
  co_return model::ModifyTrustStoreOutput{.trust_stores = {{value}}};
}

Task<Reply<model::DeleteTrustStoreOutput>> DeleteTrustStore(Elb& elb, const model::DeleteTrustStoreInput& in, const Call&) {
  CO_TRY(elb.trust_store(in.trust_store_arn));
  if (!elb.listeners_trusting(in.trust_store_arn).empty())
    co_return Err(aws::Error(errors::kTrustStoreInUseException, fmt::format("Trust store '{}' is currently in use by a listener", in.trust_store_arn)));
  elb.trust_stores.erase(in.trust_store_arn);
  elb.erase(in.trust_store_arn);
  co_await elb.committed();
  co_return model::DeleteTrustStoreOutput{};
}

Task<Reply<model::DescribeTrustStoreAssociationsOutput>> DescribeTrustStoreAssociations(Elb& elb, const model::DescribeTrustStoreAssociationsInput& in, const Call&) {
  CO_TRY(elb.trust_store(in.trust_store_arn));
  std::vector<model::TrustStoreAssociation> all;
  for (const std::string& listener : elb.listeners_trusting(in.trust_store_arn)) all.push_back({.resource_arn = listener});
  model::DescribeTrustStoreAssociationsOutput out;
  CO_TRY(paginate(in, all, out.trust_store_associations, out));
  co_return out;
}

}  // namespace reef::service::elb::operations
