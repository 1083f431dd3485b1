// S3: what it serves, and nothing else.
#include "aws/service.h"
#include "service/s3/notifications.h"
#include "service/s3/request_metrics.h"
#include "service/s3/storage_metrics.h"
#include "service/s3/operations/operations.h"
#include "service/s3/resources.h"

namespace reef::s3 {
namespace {

// By then the first requests were answered: the search may be the first that needs the store.
constexpr Duration kOrphansDelay = 1s;

const aws::ServiceDefinition& definition() {
  using aws::serve;
  namespace ops = model::ops;
  static const aws::ServiceDefinition kDefinition{
      .model = &model::kModel,
      .placement = aws::Placement::kAnyLoop,
      .operations = {serve<operations::abort_multipart_upload>(ops::kAbortMultipartUpload),
                     serve<operations::complete_multipart_upload>(ops::kCompleteMultipartUpload),
                     serve<operations::copy_object>(ops::kCopyObject),
                     serve<operations::create_bucket>(ops::kCreateBucket),
                     serve<operations::create_multipart_upload>(ops::kCreateMultipartUpload),
                     serve<operations::delete_bucket>(ops::kDeleteBucket),
                     serve<operations::delete_bucket_cors>(ops::kDeleteBucketCors),
                     serve<operations::delete_bucket_encryption>(ops::kDeleteBucketEncryption),
                     serve<operations::delete_bucket_lifecycle>(ops::kDeleteBucketLifecycle),
                     serve<operations::delete_bucket_metrics_configuration>(ops::kDeleteBucketMetricsConfiguration),
                     serve<operations::delete_bucket_ownership_controls>(ops::kDeleteBucketOwnershipControls),
                     serve<operations::delete_bucket_policy>(ops::kDeleteBucketPolicy),
                     serve<operations::delete_bucket_replication>(ops::kDeleteBucketReplication),
                     serve<operations::delete_bucket_tagging>(ops::kDeleteBucketTagging),
                     serve<operations::delete_bucket_website>(ops::kDeleteBucketWebsite),
                     serve<operations::delete_object>(ops::kDeleteObject),
                     serve<operations::delete_object_tagging>(ops::kDeleteObjectTagging),
                     serve<operations::delete_objects>(ops::kDeleteObjects),
                     serve<operations::delete_public_access_block>(ops::kDeletePublicAccessBlock),
                     serve<operations::get_bucket_accelerate_configuration>(ops::kGetBucketAccelerateConfiguration),
                     serve<operations::get_bucket_acl>(ops::kGetBucketAcl),
                     serve<operations::get_bucket_cors>(ops::kGetBucketCors),
                     serve<operations::get_bucket_encryption>(ops::kGetBucketEncryption),
                     serve<operations::get_bucket_lifecycle_configuration>(ops::kGetBucketLifecycleConfiguration),
                     serve<operations::get_bucket_location>(ops::kGetBucketLocation),
                     serve<operations::get_bucket_logging>(ops::kGetBucketLogging),
                     serve<operations::get_bucket_metrics_configuration>(ops::kGetBucketMetricsConfiguration),
                     serve<operations::get_bucket_notification_configuration>(ops::kGetBucketNotificationConfiguration),
                     serve<operations::get_bucket_ownership_controls>(ops::kGetBucketOwnershipControls),
                     serve<operations::get_bucket_policy>(ops::kGetBucketPolicy),
                     serve<operations::get_bucket_policy_status>(ops::kGetBucketPolicyStatus),
                     serve<operations::get_bucket_replication>(ops::kGetBucketReplication),
                     serve<operations::get_bucket_request_payment>(ops::kGetBucketRequestPayment),
                     serve<operations::get_bucket_tagging>(ops::kGetBucketTagging),
                     serve<operations::get_bucket_versioning>(ops::kGetBucketVersioning),
                     serve<operations::get_bucket_website>(ops::kGetBucketWebsite),
                     serve<operations::get_object>(ops::kGetObject),
                     serve<operations::get_object_acl>(ops::kGetObjectAcl),
                     serve<operations::get_object_attributes>(ops::kGetObjectAttributes),
                     serve<operations::get_object_legal_hold>(ops::kGetObjectLegalHold),
                     serve<operations::get_object_lock_configuration>(ops::kGetObjectLockConfiguration),
                     serve<operations::get_object_retention>(ops::kGetObjectRetention),
                     serve<operations::get_object_tagging>(ops::kGetObjectTagging),
                     serve<operations::get_public_access_block>(ops::kGetPublicAccessBlock),
                     serve<operations::head_bucket>(ops::kHeadBucket),
                     serve<operations::head_object>(ops::kHeadObject),
                     serve<operations::list_bucket_metrics_configurations>(ops::kListBucketMetricsConfigurations),
                     serve<operations::list_buckets>(ops::kListBuckets),
                     serve<operations::list_multipart_uploads>(ops::kListMultipartUploads),
                     serve<operations::list_object_versions>(ops::kListObjectVersions),
                     serve<operations::list_objects>(ops::kListObjects),
                     serve<operations::list_objects_v2>(ops::kListObjectsV2),
                     serve<operations::list_parts>(ops::kListParts),
                     serve<operations::put_bucket_accelerate_configuration>(ops::kPutBucketAccelerateConfiguration),
                     serve<operations::put_bucket_acl>(ops::kPutBucketAcl),
                     serve<operations::put_bucket_cors>(ops::kPutBucketCors),
                     serve<operations::put_bucket_encryption>(ops::kPutBucketEncryption),
                     serve<operations::put_bucket_lifecycle_configuration>(ops::kPutBucketLifecycleConfiguration),
                     serve<operations::put_bucket_logging>(ops::kPutBucketLogging),
                     serve<operations::put_bucket_metrics_configuration>(ops::kPutBucketMetricsConfiguration),
                     serve<operations::put_bucket_notification_configuration>(ops::kPutBucketNotificationConfiguration),
                     serve<operations::put_bucket_ownership_controls>(ops::kPutBucketOwnershipControls),
                     serve<operations::put_bucket_policy>(ops::kPutBucketPolicy),
                     serve<operations::put_bucket_request_payment>(ops::kPutBucketRequestPayment),
                     serve<operations::put_bucket_tagging>(ops::kPutBucketTagging),
                     serve<operations::put_bucket_versioning>(ops::kPutBucketVersioning),
                     serve<operations::put_bucket_website>(ops::kPutBucketWebsite),
                     serve<operations::put_object>(ops::kPutObject),
                     serve<operations::put_object_acl>(ops::kPutObjectAcl),
                     serve<operations::put_object_legal_hold>(ops::kPutObjectLegalHold),
                     serve<operations::put_object_lock_configuration>(ops::kPutObjectLockConfiguration),
                     serve<operations::put_object_retention>(ops::kPutObjectRetention),
                     serve<operations::put_object_tagging>(ops::kPutObjectTagging),
                     serve<operations::put_public_access_block>(ops::kPutPublicAccessBlock),
                     serve<operations::upload_part>(ops::kUploadPart),
                     serve<operations::upload_part_copy>(ops::kUploadPartCopy)},
      .resources = {&resources::kBucket, &resources::kBucketPolicy},
  };
  return kDefinition;
}

}  // namespace

S3::S3(Parts& parts)
    : blobs(parts.get<blob::Blobs>()),
      notifications(std::make_unique<Notifications>(parts.get<delivery::Deliveries>(), parts.get<aws::Caller>(), parts.get<events::Publisher>())),
      storage_metrics(std::make_unique<StorageMetrics>(blobs, parts.get<metrics::Counters>())),
      request_metrics(std::make_unique<RequestMetrics>(blobs, parts.get<metrics::Counters>())) {
  parts.add(*request_metrics);
  parts.get<aws::ExchangeObservers>().by_service["s3"] = [metrics = request_metrics.get()](std::string_view operation, const aws::UriLabels& labels,
                                                                                           http::Request& request) -> std::unique_ptr<aws::ExchangeObserver> {
    const std::string* bucket = labels.find("Bucket");
    const std::string* key = labels.find("Key");
    return bucket ? metrics->begin(operation, *bucket, key ? std::string_view(*key) : std::string_view(), request) : nullptr;
  };
}
S3::~S3() = default;

void S3::start() {
  blobs.start();
  blobs.remove_orphans_after(kOrphansDelay);
  notifications->start();
  storage_metrics->start();
}

}  // namespace reef::s3

namespace reef::service {

std::unique_ptr<aws::Service> make_s3(Parts& parts) {
  return std::make_unique<aws::ServiceOf<s3::S3>>(s3::definition(), parts);
}

}  // namespace reef::service
