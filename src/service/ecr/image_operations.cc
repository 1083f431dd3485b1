// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html and the other operations on images.
#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/ecr/ecr.h"

namespace reef::service::ecr::operations {
namespace {

// The image that an identifier means: its digest, or why there is none.
Result<std::string, model::ImageFailure> find_digest(const image::Repository* images, const model::ImageIdentifier& id) {
  const auto failure = [&](const char* code, const char* reason) { return Err(model::ImageFailure{.image_id = id, .failure_code = code, .failure_reason = reason}); };
  if (!id.image_digest && !id.image_tag) return failure("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null");
  if (id.image_digest && !image::is_digest(*id.image_digest)) return failure("InvalidImageDigest", "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'");
  std::string digest = id.image_digest.value_or("");
  if (id.image_tag) {
    const auto tag = images ? images->tags.find(*id.image_tag) : decltype(images->tags.find(""))();
    if (!images || tag == images->tags.end()) return failure("ImageNotFound", "Requested image not found");
    if (id.image_digest && tag->second != *id.image_digest) return failure("ImageTagDoesNotMatchDigest", "The tag does not belong to the digest");
    digest = tag->second;
  }
  if (!images || !images->images.contains(digest)) return failure("ImageNotFound", "Requested image not found");
  return digest;
}

bool wanted(const std::optional<std::string>& status, bool is_tagged) { return !status || *status == "ANY" || (*status == "TAGGED") == is_tagged; }

// A page of `all` in their order; the token is a number.
template <class T>
Reply<std::optional<std::string>> cut_page(std::vector<T>& all, const std::optional<std::string>& token, std::size_t limit) {
  const auto from = token ? parse_int<std::size_t>(base64url_decode(*token).value_or("")) : std::optional<std::size_t>(0);
  if (!from || *from > all.size()) return Err(aws::Error(errors::kInvalidParameterException, "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'"));
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(*from));
  if (all.size() <= limit) return std::optional<std::string>();
  all.resize(limit);
  return std::optional<std::string>(base64url_encode(std::to_string(*from + limit)));
}

}  // namespace

Task<Reply<model::ListImagesOutput>> ListImages(Ecr& ecr, const model::ListImagesInput& in, const Call& call) {
  CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  std::vector<model::ImageIdentifier> all;
  const auto status = in.filter ? in.filter->tag_status : std::nullopt;
  if (const image::Repository* images = ecr.images.find_repository(in.repository_name)) {
    std::set<std::string> tagged;
    for (const auto& [tag, digest] : images->tags) {
      tagged.insert(digest);
      if (wanted(status, true)) all.push_back({.image_digest = digest, .image_tag = tag});
    }
    for (const auto& [digest, one] : images->images)
      if (!tagged.contains(digest) && wanted(status, false)) all.push_back({.image_digest = digest, .image_tag = {}});
  }
  model::ListImagesOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results.value_or(100))));
  out.image_ids = std::move(all);
  co_return out;
}

Task<Reply<model::DescribeImagesOutput>> DescribeImages(Ecr& ecr, const model::DescribeImagesInput& in, const Call& call) {
  CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  const image::Repository* images = ecr.images.find_repository(in.repository_name);
  std::vector<std::string> digests;
  if (in.image_ids && !in.image_ids->empty()) {
    for (const model::ImageIdentifier& id : *in.image_ids) {
      const auto digest = find_digest(images, id);
      if (!digest)
        co_return Err(aws::Error(errors::kImageNotFoundException,
                                 fmt::format("The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{}' in the registry with id '{}'",
                                             id.image_digest.value_or("null"), id.image_tag.value_or("null"), in.repository_name, call.account)));
      digests.push_back(*digest);
    }
  } else if (images) {
    for (const auto& [digest, one] : images->images) digests.push_back(digest);
  }
  std::vector<model::ImageDetail> all;
  for (const std::string& digest : digests) {
    const image::StoredImage& one = images->images.find(digest)->second;
    model::ImageDetail detail;
    detail.registry_id = call.account;
    detail.repository_name = in.repository_name;
    detail.image_digest = digest;
    for (const auto& [tag, of] : images->tags) {
      if (of != digest) continue;
      if (!detail.image_tags) detail.image_tags.emplace();
      detail.image_tags->push_back(tag);
    }
    if (!wanted(in.filter ? in.filter->tag_status : std::nullopt, detail.image_tags.has_value())) continue;
    detail.image_size_in_bytes = static_cast<std::int64_t>(one.bytes);
    detail.image_pushed_at = one.pushed;
    detail.image_manifest_media_type = one.media_type;
    all.push_back(std::move(detail));
  }
  model::DescribeImagesOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results.value_or(100))));
  out.image_details = std::move(all);
  co_return out;
}

Task<Reply<model::BatchGetImageOutput>> BatchGetImage(Ecr& ecr, const model::BatchGetImageInput& in, const Call& call) {
  CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  const image::Repository* images = ecr.images.find_repository(in.repository_name);
  model::BatchGetImageOutput out;
  out.images.emplace();
  out.failures.emplace();
  for (const model::ImageIdentifier& id : in.image_ids) {
    const auto digest = find_digest(images, id);
    if (!digest) {
      out.failures->push_back(digest.error());
      continue;
    }
    model::Image one;
    one.registry_id = call.account;
    one.repository_name = in.repository_name;
    one.image_id = model::ImageIdentifier{.image_digest = *digest, .image_tag = id.image_tag};
    one.image_manifest = ecr.images.blobs().read(*digest).value_or("");
    one.image_manifest_media_type = images->images.find(*digest)->second.media_type;
    out.images->push_back(std::move(one));
  }
  co_return out;
}

Task<Reply<model::BatchDeleteImageOutput>> BatchDeleteImage(Ecr& ecr, const model::BatchDeleteImageInput& in, const Call& call) {
  CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  model::BatchDeleteImageOutput out;
  out.image_ids.emplace();
  out.failures.emplace();
  for (const model::ImageIdentifier& id : in.image_ids) {
    const auto digest = find_digest(ecr.images.find_repository(in.repository_name), id);
    if (!digest) {
      out.failures->push_back(digest.error());
      continue;
    }
    // A digest takes all its tags along.
    if (id.image_digest) {
      const auto tags = ecr.images.find_repository(in.repository_name)->tags;
      bool any = false;
      for (const auto& [tag, of] : tags)
        if (of == *digest) {
          any = true;
          out.image_ids->push_back({.image_digest = *digest, .image_tag = tag});
        }
      if (!any) out.image_ids->push_back({.image_digest = *digest, .image_tag = {}});
      ecr.images.remove({.repository = in.repository_name, .tag = {}, .digest = *digest});
    } else {
      out.image_ids->push_back({.image_digest = *digest, .image_tag = id.image_tag});
      ecr.images.remove({.repository = in.repository_name, .tag = *id.image_tag, .digest = {}});
    }
  }
  for (const model::ImageIdentifier& gone : *out.image_ids)
    tell(ecr, call.account, call.region, in.repository_name, gone.image_digest.value_or(""), gone.image_tag.value_or(""), "DELETE");
  co_await store::Shard::control().committed();
  co_return out;
}

}  // namespace reef::service::ecr::operations
