// S3's handlers, one for each operation that is served.
#pragma once

#include "service/s3/s3.h"

namespace reef::s3::operations {

#define REEF_S3_OPERATION(function, Name) \
  Task<Reply<model::Name##Output>> function(S3& s3, const model::Name##Input& in, const Call& call)
REEF_S3_OPERATION(abort_multipart_upload, AbortMultipartUpload);
REEF_S3_OPERATION(complete_multipart_upload, CompleteMultipartUpload);
REEF_S3_OPERATION(copy_object, CopyObject);
REEF_S3_OPERATION(create_bucket, CreateBucket);
REEF_S3_OPERATION(create_multipart_upload, CreateMultipartUpload);
REEF_S3_OPERATION(delete_bucket, DeleteBucket);
REEF_S3_OPERATION(delete_bucket_cors, DeleteBucketCors);
REEF_S3_OPERATION(delete_bucket_encryption, DeleteBucketEncryption);
REEF_S3_OPERATION(delete_bucket_lifecycle, DeleteBucketLifecycle);
REEF_S3_OPERATION(delete_bucket_metrics_configuration, DeleteBucketMetricsConfiguration);
REEF_S3_OPERATION(delete_bucket_ownership_controls, DeleteBucketOwnershipControls);
REEF_S3_OPERATION(delete_bucket_policy, DeleteBucketPolicy);
REEF_S3_OPERATION(delete_bucket_replication, DeleteBucketReplication);
REEF_S3_OPERATION(delete_bucket_tagging, DeleteBucketTagging);
REEF_S3_OPERATION(delete_bucket_website, DeleteBucketWebsite);
REEF_S3_OPERATION(delete_object, DeleteObject);
REEF_S3_OPERATION(delete_object_tagging, DeleteObjectTagging);
REEF_S3_OPERATION(delete_objects, DeleteObjects);
REEF_S3_OPERATION(delete_public_access_block, DeletePublicAccessBlock);
REEF_S3_OPERATION(get_bucket_accelerate_configuration, GetBucketAccelerateConfiguration);
REEF_S3_OPERATION(get_bucket_acl, GetBucketAcl);
REEF_S3_OPERATION(get_bucket_cors, GetBucketCors);
REEF_S3_OPERATION(get_bucket_encryption, GetBucketEncryption);
REEF_S3_OPERATION(get_bucket_lifecycle_configuration, GetBucketLifecycleConfiguration);
REEF_S3_OPERATION(get_bucket_location, GetBucketLocation);
REEF_S3_OPERATION(get_bucket_logging, GetBucketLogging);
REEF_S3_OPERATION(get_bucket_metrics_configuration, GetBucketMetricsConfiguration);
Task<Reply<model::NotificationConfiguration>> get_bucket_notification_configuration(
    S3& s3, const model::GetBucketNotificationConfigurationInput& in, const Call& call);
REEF_S3_OPERATION(get_bucket_ownership_controls, GetBucketOwnershipControls);
REEF_S3_OPERATION(get_bucket_policy, GetBucketPolicy);
REEF_S3_OPERATION(get_bucket_policy_status, GetBucketPolicyStatus);
REEF_S3_OPERATION(get_bucket_replication, GetBucketReplication);
REEF_S3_OPERATION(get_bucket_request_payment, GetBucketRequestPayment);
REEF_S3_OPERATION(get_bucket_tagging, GetBucketTagging);
REEF_S3_OPERATION(get_bucket_versioning, GetBucketVersioning);
REEF_S3_OPERATION(get_bucket_website, GetBucketWebsite);
REEF_S3_OPERATION(get_object, GetObject);
REEF_S3_OPERATION(get_object_acl, GetObjectAcl);
REEF_S3_OPERATION(get_object_attributes, GetObjectAttributes);
REEF_S3_OPERATION(get_object_legal_hold, GetObjectLegalHold);
REEF_S3_OPERATION(get_object_lock_configuration, GetObjectLockConfiguration);
REEF_S3_OPERATION(get_object_retention, GetObjectRetention);
REEF_S3_OPERATION(get_object_tagging, GetObjectTagging);
REEF_S3_OPERATION(get_public_access_block, GetPublicAccessBlock);
REEF_S3_OPERATION(head_bucket, HeadBucket);
REEF_S3_OPERATION(head_object, HeadObject);
REEF_S3_OPERATION(list_bucket_metrics_configurations, ListBucketMetricsConfigurations);
REEF_S3_OPERATION(list_buckets, ListBuckets);
REEF_S3_OPERATION(list_multipart_uploads, ListMultipartUploads);
REEF_S3_OPERATION(list_object_versions, ListObjectVersions);
REEF_S3_OPERATION(list_objects, ListObjects);
REEF_S3_OPERATION(list_objects_v2, ListObjectsV2);
REEF_S3_OPERATION(list_parts, ListParts);
REEF_S3_OPERATION(put_bucket_accelerate_configuration, PutBucketAccelerateConfiguration);
REEF_S3_OPERATION(put_bucket_acl, PutBucketAcl);
REEF_S3_OPERATION(put_bucket_cors, PutBucketCors);
REEF_S3_OPERATION(put_bucket_encryption, PutBucketEncryption);
REEF_S3_OPERATION(put_bucket_lifecycle_configuration, PutBucketLifecycleConfiguration);
REEF_S3_OPERATION(put_bucket_logging, PutBucketLogging);
REEF_S3_OPERATION(put_bucket_metrics_configuration, PutBucketMetricsConfiguration);
REEF_S3_OPERATION(put_bucket_notification_configuration, PutBucketNotificationConfiguration);
REEF_S3_OPERATION(put_bucket_ownership_controls, PutBucketOwnershipControls);
REEF_S3_OPERATION(put_bucket_policy, PutBucketPolicy);
REEF_S3_OPERATION(put_bucket_request_payment, PutBucketRequestPayment);
REEF_S3_OPERATION(put_bucket_tagging, PutBucketTagging);
REEF_S3_OPERATION(put_bucket_versioning, PutBucketVersioning);
REEF_S3_OPERATION(put_bucket_website, PutBucketWebsite);
REEF_S3_OPERATION(put_object, PutObject);
REEF_S3_OPERATION(put_object_acl, PutObjectAcl);
REEF_S3_OPERATION(put_object_legal_hold, PutObjectLegalHold);
REEF_S3_OPERATION(put_object_lock_configuration, PutObjectLockConfiguration);
REEF_S3_OPERATION(put_object_retention, PutObjectRetention);
REEF_S3_OPERATION(put_object_tagging, PutObjectTagging);
REEF_S3_OPERATION(put_public_access_block, PutPublicAccessBlock);
REEF_S3_OPERATION(upload_part, UploadPart);
REEF_S3_OPERATION(upload_part_copy, UploadPartCopy);
#undef REEF_S3_OPERATION

}  // namespace reef::s3::operations
