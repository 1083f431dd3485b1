#include "service/s3/storage_metrics.h"

#include <map>

#include "engine/store/shard.h"
#include "service/s3/object_headers.h"

namespace reef::s3 {
namespace {

// How the metric names what PutObject calls a storage class.
std::string_view storage_type(std::string_view storage_class) {
  if (storage_class == "STANDARD_IA") return "StandardIAStorage";
  if (storage_class == "ONEZONE_IA") return "OneZoneIAStorage";
  if (storage_class == "INTELLIGENT_TIERING") return "IntelligentTieringFAStorage";
  if (storage_class == "GLACIER") return "GlacierStorage";
  if (storage_class == "GLACIER_IR") return "GlacierInstantRetrievalStorage";
  if (storage_class == "DEEP_ARCHIVE") return "DeepArchiveStorage";
  if (storage_class == "REDUCED_REDUNDANCY") return "ReducedRedundancyStorage";
  return "StandardStorage";
}

}  // namespace

void StorageMetrics::start() {
  store::Shard& shard = store::Shard::control();
  constexpr std::int64_t kDay = 86400;
  shard.reactor().at(from_seconds((to_seconds(shard.now()) / kDay + 1) * kDay), [this] {
    measure().detach();
    start();
  });
}

// A page at a time: a large bucket holds up nothing else.
Task<void> StorageMetrics::measure() {
  for (const blob::BucketPtr& bucket : blobs_.buckets("")) {
    std::map<std::string_view, double> bytes;
    double objects = 0;
    blob::ListRequest request{.bucket = bucket, .all_versions = true};
    for (;;) {
      const blob::ListPage page = blobs_.list(request);
      for (const blob::Listed& entry : page.entries) {
        if (entry.object.is_delete_marker) continue;
        const auto found = entry.object.properties.find(property::kStorageClass);
        bytes[storage_type(found == entry.object.properties.end() ? std::string_view() : std::string_view(found->second))] += static_cast<double>(entry.object.size);
        ++objects;
      }
      if (!page.is_truncated) break;
      request.after = page.next;
      request.after_version = page.next_version;
      co_await store::Shard::control().reactor().sleep(1ms);
    }
    if (objects == 0) continue;
    for (const auto& [type, size] : bytes)
      counters_.add({bucket->account, bucket->region, "AWS/S3", {{"BucketName", bucket->name}, {"StorageType", type}}}, {{"BucketSizeBytes", size, metrics::Unit::kBytes}});
    counters_.add({bucket->account, bucket->region, "AWS/S3", {{"BucketName", bucket->name}, {"StorageType", "AllStorageTypes"}}}, {{"NumberOfObjects", objects}});
  }
}

}  // namespace reef::s3
