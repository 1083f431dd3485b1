#include "service/s3/post_upload.h"

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/s3/cors.h"
#include "service/s3/errors.h"
#include "service/s3/object_headers.h"
#include "service/s3/post_policy.h"
#include "service/s3/request_metrics.h"
#include "wire/multipart.h"
#include "wire/xml.h"

namespace reef::s3 {
namespace {

constexpr std::uint64_t kFormBytesMax = 256ull << 20;  // a form is read whole; larger files go by PutObject or in parts

struct Form {
  FormFields fields;
  std::string_view file;
};

// The bucket's name: the path's only segment, or what stands before ".s3." or ".localhost" in the host.
std::string bucket_of(const blob::Blobs& blobs, const http::Request& request) {
  std::string_view path = request.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) return path.find('/') == path.npos ? percent_decode(path) : std::string();
  for (const char* mark : {".s3.", ".s3-", ".localhost"}) {
    const auto at = request.host.find(mark);
    if (at != std::string_view::npos && at != 0 && blobs.find_bucket(request.host.substr(0, at))) return std::string(request.host.substr(0, at));
  }
  return {};
}

aws::Error lacks_field(std::string_view name) {
  aws::Error error = invalid_argument(fmt::format("Bucket POST must contain a field named '{}'.  If it is specified, please check the order of the fields.", name), name);
  error.fields.set("ArgumentValue", "");
  return error;
}

Reply<Form> read_form(std::string_view body, std::string_view content_type) {
  const auto boundary = wire::form_data_boundary(content_type);
  if (!boundary) {
    aws::Error error = precondition_failed("Bucket POST must be of the enclosure-type multipart/form-data");
    return Err(std::move(error));
  }
  const auto parts = wire::parse_form_data(body, *boundary);
  if (!parts) return Err(aws::Error("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.", 400));
  Form form;
  for (const wire::FormPart& part : *parts) {
    if (equals_ignoring_case(part.name, "file")) {
      form.file = part.content;
      const std::string* key = form.fields.find("key");
      if (!key) return Err(lacks_field("key"));
      if (part.file_name) {
        // Only the name, not the folders that some browsers send.
        const std::string name = part.file_name->substr(part.file_name->find_last_of("/\\") + 1);
        FormFields named;
        for (const auto& [field, value] : form.fields.all()) {
          const bool is_key = equals_ignoring_case(field, "key");
          const auto at = is_key ? value.find("${filename}") : std::string::npos;
          named.add(field, at == std::string::npos ? value : value.substr(0, at) + name + value.substr(at + 11));
        }
        form.fields = std::move(named);
      }
      return form;  // what comes after the file is not looked at
    }
    form.fields.add(part.name, std::string(part.content));
  }
  return Err(invalid_argument("POST requires exactly one file upload per request.", "file", "0"));
}

struct Signer {
  std::string access_key, region;
};

aws::Error wrong_signature(std::string_view key, std::string_view signature, const std::string& policy) {
  aws::Error error("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.", 403);
  error.fields.set("AWSAccessKeyId", key);
  error.fields.set("StringToSign", policy);
  error.fields.set("SignatureProvided", signature);
  std::string bytes;
  for (const char c : policy) bytes += fmt::format("{}{:02x}", bytes.empty() ? "" : " ", static_cast<unsigned char>(c));
  error.fields.set("StringToSignBytes", bytes);
  return error;
}

// Both ways to sign a policy: version 4, and version 2 with its three fields.
Reply<Signer> check_signature(const PostUploadParts& parts, const FormFields& fields, Time now) {
  const std::string policy = fields.value("policy");
  const bool is_v4 = fields.find("x-amz-signature") || fields.find("x-amz-algorithm") || fields.find("x-amz-credential") || fields.find("x-amz-date");
  const bool is_v2 = fields.find("signature") || fields.find("AWSAccessKeyId");
  if (policy.empty() || (!is_v4 && !is_v2)) return Err(aws::Error("AccessDenied", "Access Denied", 403));
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"})
    if (is_v4 && !fields.find(name)) return Err(lacks_field(name));
  for (const char* name : {"AWSAccessKeyId", "Signature"})
    if (!is_v4 && !fields.find(name)) return Err(lacks_field(name));
  const std::string scope = fields.value(is_v4 ? "x-amz-credential" : "AWSAccessKeyId");
  const std::vector<std::string_view> credential = split(scope, '/');
  if (is_v4 && credential.size() != 5) return Err(invalid_argument("Error parsing the X-Amz-Credential field", "X-Amz-Credential", fields.value("x-amz-credential")));
  const Signer signer{.access_key = std::string(credential[0]), .region = is_v4 ? std::string(credential[2]) : parts.default_region};
  const auto key = parts.keys.find(signer.access_key);
  if (!key || !key->active || (key->expires_at && *key->expires_at <= now)) {
    if (!key && !parts.knows_all_keys) return signer;
    return Err(aws::Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403));
  }
  const std::string expected = is_v4 ? hex_encode(hmac_sha256(aws::signing_key(key->secret, credential[1], credential[2], credential[3]), policy))
                                     : base64_encode(hmac_sha1(key->secret, policy));
  const std::string given = fields.value(is_v4 ? "x-amz-signature" : "signature");
  if (given != expected) return Err(wrong_signature(signer.access_key, given, policy));
  if (!key->session_token.empty() && fields.value("x-amz-security-token") != key->session_token)
    return Err(aws::Error("InvalidToken", "The provided token is malformed or otherwise invalid.", 400));
  return signer;
}

// The `tagging` field is XML, unlike the header.
Reply<std::string> tags_of_field(const std::string& xml) {
  std::vector<model::Tag> tags;
  wire::XmlReader in(xml);
  std::string_view name;
  if (in.open_root(name)) {
    const bool is_tagging = name == "Tagging";
    while (in.next_child(name)) {
      if (!is_tagging || name != "TagSet") { in.skip(); continue; }
      while (in.next_child(name)) {
        model::Tag tag;
        while (in.next_child(name)) {
          if (name == "Key") in.read_text(tag.key);
          else if (name == "Value") in.read_text(tag.value);
          else in.skip();
        }
        tags.push_back(std::move(tag));
      }
    }
  }
  if (!in.finish()) return Err(malformed_xml());
  return tags_text(tags, 10);
}

Reply<model::PutObjectInput> to_input(const std::string& bucket, const Form& form) {
  const FormFields& fields = form.fields;
  model::PutObjectInput in;
  in.bucket = bucket;
  in.key = fields.value("key");
  in.body = std::string(form.file);
  const auto take = [&](std::string_view name, std::optional<std::string>& into) {
    if (const std::string* value = fields.find(name); value && !value->empty()) into = *value;
  };
  take("acl", in.acl);
  take("Cache-Control", in.cache_control);
  take("Content-Disposition", in.content_disposition);
  take("Content-Encoding", in.content_encoding);
  take("Content-Type", in.content_type);
  take("Expires", in.expires);
  take("x-amz-website-redirect-location", in.website_redirect_location);
  take("x-amz-server-side-encryption", in.server_side_encryption);
  take("x-amz-server-side-encryption-aws-kms-key-id", in.ssekms_key_id);
  take("x-amz-server-side-encryption-customer-algorithm", in.sse_customer_algorithm);
  take("x-amz-server-side-encryption-customer-key", in.sse_customer_key);
  take("x-amz-server-side-encryption-customer-key-MD5", in.sse_customer_key_md5);
  take("x-amz-object-lock-mode", in.object_lock_mode);
  take("x-amz-object-lock-legal-hold", in.object_lock_legal_hold_status);
  if (const std::string until = fields.value("x-amz-object-lock-retain-until-date"); !until.empty()) {
    in.object_lock_retain_until_date = parse_iso8601(until);
    if (!in.object_lock_retain_until_date)
      return Err(invalid_argument("The retain until date must be provided in ISO 8601 format", "x-amz-object-lock-retain-until-date", until));
  }
  take("x-amz-storage-class", in.storage_class);
  take("x-amz-checksum-crc32", in.checksum_crc32);
  take("x-amz-checksum-crc32c", in.checksum_crc32_c);
  take("x-amz-checksum-sha1", in.checksum_sha1);
  take("x-amz-checksum-sha256", in.checksum_sha256);
  if (in.storage_class) TRY(check_storage_class(*in.storage_class));
  for (const auto& [name, value] : fields.all()) {
    const std::string lower = to_lower(name);
    if (!lower.starts_with("x-amz-meta-")) continue;
    if (!in.metadata) in.metadata.emplace();
    (*in.metadata)[lower.substr(11)] = value;
  }
  if (const std::string* tagging = fields.find("tagging"); tagging && !tagging->empty()) {
    const std::string text = TRY(tags_of_field(*tagging));
    if (!text.empty()) in.tagging = text;
  }
  return in;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html#RESTObjectPOST-responses
void answer(const http::Request& request, const std::string& bucket, const FormFields& fields, const std::string& etag, http::Response& response) {
  const std::string key = fields.value("key");
  const bool in_host = trim(request.path.substr(request.path.starts_with('/') ? 1 : 0)).empty();
  const bool is_s3_host = !in_host && request.host.starts_with("s3.");  // there the bucket may stand in front as well
  const std::string location = fmt::format("{}://{}{}/{}{}", request.is_tls ? "https" : "http", is_s3_host ? bucket + "." : "", request.host,
                                           in_host || is_s3_host ? "" : bucket + "/", percent_encode(key, true));
  response.set("ETag", etag);
  response.set("Location", location);
  std::string redirect = fields.value("success_action_redirect");
  if (redirect.empty()) redirect = fields.value("redirect");
  if (redirect.starts_with("http://") || redirect.starts_with("https://")) {
    response.status = 303;
    response.set("Location", fmt::format("{}{}bucket={}&key={}&etag={}", redirect, redirect.find('?') == redirect.npos ? '?' : '&', percent_encode(bucket),
                                         percent_encode(key), percent_encode(etag)));
    return;
  }
  const std::string status = fields.value("success_action_status");
  response.status = status == "200" ? 200 : status == "201" ? 201 : 204;
  if (response.status != 201) return;
  response.set("Content-Type", "application/xml");
  wire::XmlWriter xml(response.body);
  xml.declaration();
  xml.open("PostResponse");
  xml.element("Location", location);
  xml.element("Bucket", bucket);
  xml.element("Key", key);
  xml.element("ETag", etag);
  xml.close("PostResponse");
}

Task<Reply<void>> take(const PostUploadParts& parts, http::Request& request, const std::string& bucket, RequestMetrics::Watch* watch, http::Response& response) {
  auto body = co_await http::read_all(*request.body, kFormBytesMax);
  if (!body) co_return Err(aws::Error(body.error().code == EMSGSIZE ? "MaxPostPreDataLengthExceeded" : "IncompleteBody",
                                      body.error().code == EMSGSIZE ? "Forms of more than 256 MiB are not supported by this version of Atoll." : "The request body did not arrive completely.", 400));
  Form form = CO_TRY(read_form(*body, request.header("content-type")));
  if (watch) watch->set_key(form.fields.value("key"));
  const Time now = store::Shard::current().now();
  const Signer signer = CO_TRY(check_signature(parts, form.fields, now));
  FormFields checked = form.fields;
  checked.add("bucket", bucket);
  CO_TRY(check_policy(form.fields.value("policy"), checked, form.file.size(), now));
  const model::PutObjectInput in = CO_TRY(to_input(bucket, form));
  const bool is_account = signer.access_key.size() == 12 && signer.access_key.find_first_not_of("0123456789") == std::string::npos;
  aws::Call call = parts.caller.internal_call(is_account ? signer.access_key : parts.default_account, signer.region);
  if (const auto key = parts.keys.find(signer.access_key)) {
    call.principal = key->principal;
    call.account = key->principal.account;
  }
  const auto put = CO_TRY(co_await parts.caller.call<model::PutObjectOutput>(call, aws::s3::ops::kPutObject, in));
  const auto show = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) response.set(name, *value);
  };
  show("x-amz-version-id", put.version_id);
  show("x-amz-server-side-encryption", put.server_side_encryption);
  show("x-amz-server-side-encryption-customer-algorithm", put.sse_customer_algorithm);
  show("x-amz-server-side-encryption-customer-key-MD5", put.sse_customer_key_md5);
  show("x-amz-checksum-crc64nvme", put.checksum_crc64_nvme);
  show("x-amz-checksum-crc32", put.checksum_crc32);
  show("x-amz-checksum-crc32c", put.checksum_crc32_c);
  show("x-amz-checksum-sha1", put.checksum_sha1);
  show("x-amz-checksum-sha256", put.checksum_sha256);
  show("x-amz-checksum-type", put.checksum_type);
  answer(request, bucket, form.fields, put.etag.value_or(""), response);
  co_return Reply<void>{};
}

}  // namespace

bool is_post_upload(const blob::Blobs& blobs, const http::Request& request) {
  if (request.method != "POST" || !request.query.empty() || request.has_header("x-amz-target") || request.has_header("authorization")) return false;
  const std::string_view type = request.header("content-type");
  if (type.starts_with("application/x-www-form-urlencoded") && request.path.size() <= 1) return false;  // a call of the query protocol
  const std::string bucket = bucket_of(blobs, request);
  return !bucket.empty() && blobs.find_bucket(bucket);
}

Task<http::Response> take_post_upload(PostUploadParts parts, http::Request& request) {
  const std::string bucket = bucket_of(parts.blobs, request);
  http::Response response;
  const std::string id = make_token(thread_random(), 16, "0123456789ABCDEF");
  const auto watch = parts.metrics.begin("PostObject", bucket, "", request);
  if (auto done = co_await take(parts, request, bucket, watch.get(), response); !done) {
    response = {};
    aws::encode_error(model::kModel, aws::Protocol::kRestXml, done.error(), id, response);
  }
  response.set("x-amz-request-id", id);
  response.set("x-amz-id-2", base64_encode(id));
  response.set("Server", "AmazonS3");
  if (const auto found = parts.blobs.find_bucket(bucket)) add_cors_headers(*found, request, response);
  if (watch) watch->answer(response);
  co_return response;
}

}  // namespace reef::s3
