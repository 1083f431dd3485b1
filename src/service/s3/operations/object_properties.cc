// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
#include <algorithm>

#include "service/s3/acl.h"
#include "service/s3/customer_key.h"
#include "service/s3/notifications.h"
#include "service/s3/object_headers.h"
#include "service/s3/operations/operations.h"

namespace reef::s3::operations {
namespace {

// Recorded: a marker has no tags and no grants. `latest_exists`: also when the latest version was meant, the marker is
// what was found (PutObjectTagging, PutObjectAcl), and not nothing (GetObjectAcl, GetObjectAttributes).
Reply<blob::Object> find_version(S3& s3, const Call& call, const blob::Bucket& bucket, const std::string& key,
                                 const std::optional<std::string>& version, bool latest_exists) {
  auto object = s3.blobs.find(bucket, key, version);
  if (!object) return Err(version ? no_such_version(key, *version) : no_such_key(key));
  if (!object->is_delete_marker) return *std::move(object);
  if (call.http_response) {
    call.http_response->set("x-amz-delete-marker", "true");
    call.http_response->set("x-amz-version-id", object->version_id);
  }
  if (!version && !latest_exists) return Err(no_such_key(key));
  if (call.http_response) call.http_response->set("Allow", "DELETE");
  return Err(marker_refuses(call.http_request ? call.http_request->method : "GET"));
}

std::optional<std::string> shown_version(const blob::Bucket& bucket, const blob::Object& object) {
  if (bucket.versioning == blob::Versioning::kOff) return std::nullopt;
  return object.version_id;
}

template <class In>
Task<Reply<std::optional<std::string>>> change_property(S3& s3, const Call& call, const In& in, std::string name,
                                                        std::optional<std::string> text) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  CO_TRY(find_version(s3, call, *bucket, in.key, in.version_id, true));
  const auto changed = co_await s3.blobs.change(bucket, in.key, in.version_id, [&](blob::Object& object) {
    if (text && !text->empty())
      object.properties[name] = *text;
    else
      object.properties.erase(name);
  });
  if (!changed)
    co_return Err(to_error(changed.error(), {.bucket = in.bucket, .key = in.key, .version = in.version_id ? *in.version_id : ""}));
  if (name == property::kTags)
    co_await s3.notifications->notify(call, bucket, text ? "ObjectTagging:Put" : "ObjectTagging:Delete", in.key, *changed);
  co_return shown_version(*bucket, *changed);
}

// Recorded: "value-3" of a composite checksum is shown without the count here, and only here.
blob::Properties without_count(blob::Properties properties) {
  std::string& value = properties[property::kChecksumValue];
  value.resize(std::min(value.size(), value.find('-')));
  return properties;
}

}  // namespace

Task<Reply<model::PutObjectTaggingOutput>> put_object_tagging(S3& s3, const model::PutObjectTaggingInput& in, const Call& call) {
  std::string text = CO_TRY(tags_text(in.tagging.tag_set, 10));
  co_return model::PutObjectTaggingOutput{
      .version_id = CO_TRY(co_await change_property(s3, call, in, property::kTags, std::move(text)))};
}

Task<Reply<model::GetObjectTaggingOutput>> get_object_tagging(S3& s3, const model::GetObjectTaggingInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const blob::Object object = CO_TRY(find_version(s3, call, *bucket, in.key, in.version_id, true));
  model::GetObjectTaggingOutput out;
  out.version_id = shown_version(*bucket, object);
  out.tag_set = tags_of(object.properties);
  co_return out;
}

Task<Reply<model::DeleteObjectTaggingOutput>> delete_object_tagging(S3& s3, const model::DeleteObjectTaggingInput& in,
                                                                    const Call& call) {
  auto version = CO_TRY(co_await change_property(s3, call, in, property::kTags, std::nullopt));
  if (call.http_response) call.http_response->status = 204;
  co_return model::DeleteObjectTaggingOutput{.version_id = std::move(version)};
}

Task<Reply<model::PutObjectAclOutput>> put_object_acl(S3& s3, const model::PutObjectAclInput& in, const Call& call) {
  std::string text = CO_TRY(acl_text(in));
  if (in.acl) text = *in.acl;  // as PutObject's header leaves it
  CO_TRY(co_await change_property(s3, call, in, property::kAcl, std::move(text)));
  co_return model::PutObjectAclOutput{};
}

Task<Reply<model::GetObjectAclOutput>> get_object_acl(S3& s3, const model::GetObjectAclInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const blob::Object object = CO_TRY(find_version(s3, call, *bucket, in.key, in.version_id, false));
  auto stored = property_of(object.properties, property::kAcl);
  if (stored && !stored->starts_with('{')) stored = wire::Json(*stored).dump();
  model::AccessControlPolicy policy = acl_policy(stored ? &*stored : nullptr, bucket->account);
  co_return model::GetObjectAclOutput{.owner = std::move(policy.owner), .grants = std::move(policy.grants)};
}

Task<Reply<model::GetObjectAttributesOutput>> get_object_attributes(S3& s3, const model::GetObjectAttributesInput& in,
                                                                    const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const blob::Object object = CO_TRY(find_version(s3, call, *bucket, in.key, in.version_id, false));
  CO_TRY(key_for_reading(customer_key_headers(in), object.properties));
  const auto wants = [&](std::string_view name) {
    return std::ranges::find(in.object_attributes, name) != in.object_attributes.end();
  };
  model::GetObjectAttributesOutput out;
  out.last_modified = object.modified;
  out.version_id = shown_version(*bucket, object);
  if (wants("ETag")) out.etag = object.etag;
  if (wants("ObjectSize")) out.object_size = static_cast<std::int64_t>(object.size);
  if (wants("StorageClass")) out.storage_class = property_of(object.properties, property::kStorageClass).value_or("STANDARD");
  if (wants("Checksum") && property_of(object.properties, property::kChecksum)) fill_checksum(without_count(object.properties), out.checksum.emplace());
  if (wants("ObjectParts") && !object.parts.empty()) {
    model::GetObjectAttributesParts& parts = out.object_parts.emplace();
    parts.total_parts_count = static_cast<std::int32_t>(object.parts.size());
    // Recorded: parts show one by one only when the whole's checksum is made of theirs.
    if (property_of(object.properties, property::kChecksumType) != "COMPOSITE") co_return out;
    parts.part_number_marker = in.part_number_marker.value_or(0);
    parts.max_parts = std::clamp(in.max_parts.value_or(1000), 0, 1000);
    parts.is_truncated = false;
    parts.next_part_number_marker = 0;
    for (const blob::Part& part : object.parts) {
      if (part.number <= *parts.part_number_marker || !property_of(part.properties, property::kChecksum)) continue;
      if (parts.parts && parts.parts->size() == static_cast<std::size_t>(*parts.max_parts)) {
        parts.is_truncated = true;
        break;
      }
      if (!parts.parts) parts.parts.emplace();
      model::ObjectPart& shown = parts.parts->emplace_back();
      shown.part_number = part.number;
      shown.size = static_cast<std::int64_t>(part.size);
      fill_checksum(part.properties, shown);
      parts.next_part_number_marker = part.number;
    }
  }
  co_return out;
}

}  // namespace reef::s3::operations
