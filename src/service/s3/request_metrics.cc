#include "service/s3/request_metrics.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "engine/store/shard.h"
#include "service/s3/object_headers.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3 {
namespace {

bool has_tag(const std::vector<model::Tag>& tags, const model::Tag& wanted) {
  return std::ranges::any_of(tags, [&](const model::Tag& tag) { return tag.key == wanted.key && tag.value == wanted.value; });
}

std::vector<model::MetricsConfiguration> configurations_of(const blob::Bucket& bucket) {
  std::vector<model::MetricsConfiguration> out;
  for (auto at = bucket.settings.lower_bound(setting::kMetrics); at != bucket.settings.end() && at->first.starts_with(setting::kMetrics); ++at)
    read_configuration(bucket, at->first, out.emplace_back());
  return out;
}

bool lists(std::string_view operation) {
  return operation == "ListObjects" || operation == "ListObjectsV2" || operation == "ListObjectVersions" || operation == "ListMultipartUploads";
}

// The kind of request by which it is counted, if any.
const char* kind_of(std::string_view method, std::string_view operation, bool has_key) {
  if (lists(operation)) return "ListRequests";
  if (operation == "DeleteObjects") return "DeleteRequests";
  if (method == "HEAD") return "HeadRequests";
  if (method == "POST") return "PostRequests";
  if (!has_key || operation == "ListParts") return nullptr;
  if (method == "GET") return "GetRequests";
  if (method == "PUT") return "PutRequests";
  return method == "DELETE" ? "DeleteRequests" : nullptr;
}

std::optional<std::string> version_in(std::string_view query) {
  for (const std::string_view parameter : split(query, '&'))
    if (parameter.starts_with("versionId=")) return percent_decode(parameter.substr(10));
  return std::nullopt;
}

}  // namespace

bool counts(const model::MetricsConfiguration& configuration, std::string_view key,
            const std::function<std::vector<model::Tag>()>& tags) {
  if (!configuration.filter) return true;
  const model::MetricsFilter& filter = *configuration.filter;
  if (key.empty()) return false;
  if (filter.prefix) return key.starts_with(*filter.prefix);
  if (filter.tag) return has_tag(tags(), *filter.tag);
  if (!filter.and_) return false;
  if (filter.and_->prefix && !key.starts_with(*filter.and_->prefix)) return false;
  if (!filter.and_->tags || filter.and_->tags->empty()) return true;
  const std::vector<model::Tag> has = tags();
  return std::ranges::all_of(*filter.and_->tags, [&](const model::Tag& tag) { return has_tag(has, tag); });
}

// What is known of a request; published when the last part that holds on to it is done.
struct RequestMetrics::Watch::Exchange {
  RequestMetrics& owner;
  blob::BucketPtr bucket;
  std::vector<model::MetricsConfiguration> configurations;
  std::string method, operation, key;
  std::optional<std::string> version;
  std::set<std::string> counted_by;  // ids, as far as they are known before the request is done
  std::int64_t began = io::monotonic_micros(), received = began, answered = 0, sent = 0;
  std::uint64_t uploaded = 0, downloaded = 0;
  bool has_upload = false, has_download = false;
  int status = 0;

  std::vector<model::Tag> tags() const {
    const auto object = owner.blobs_.find(*bucket, key, version);
    return object ? tags_of(object->properties) : std::vector<model::Tag>();
  }
  void match() {
    for (const model::MetricsConfiguration& one : configurations)
      if (counts(one, key, [this] { return tags(); })) counted_by.insert(one.id);
  }
  void publish() {
    for (const std::string& id : counted_by) publish(id);
  }
  void publish(const std::string& id) {
    using metrics::Unit;
    const metrics::Subject subject{bucket->account, bucket->region, "AWS/S3", {{"BucketName", bucket->name}, {"FilterId", id}}};
    owner.counters_.add(subject, {{"AllRequests", 1},
                                  {"4xxErrors", status >= 400 && status < 500 ? 1.0 : 0.0},
                                  {"5xxErrors", status >= 500 ? 1.0 : 0.0},
                                  {"FirstByteLatency", static_cast<double>(answered - received) / 1000, Unit::kMilliseconds},
                                  {"TotalRequestLatency", static_cast<double>(sent - began) / 1000, Unit::kMilliseconds}});
    if (const char* kind = kind_of(method, operation, !key.empty())) owner.counters_.add(subject, {{kind, 1}});
    if (has_upload) owner.counters_.add(subject, {{"BytesUploaded", static_cast<double>(uploaded), Unit::kBytes}});
    if (has_download) owner.counters_.add(subject, {{"BytesDownloaded", static_cast<double>(downloaded), Unit::kBytes}});
  }
};

// Notes what comes in, and when the last of it came.
class RequestMetrics::Watch::Upload final : public http::Body {
 public:
  Upload(http::Body& inner, std::shared_ptr<Exchange> exchange) : inner_(inner), exchange_(std::move(exchange)) {}
  Task<Result<std::string_view, Failure>> read() override {
    auto piece = co_await inner_.read();
    exchange_->received = io::monotonic_micros();
    if (piece) exchange_->uploaded += piece->size();
    co_return piece;
  }
  std::optional<std::uint64_t> size() const override { return inner_.size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_.trailers(); }

 private:
  http::Body& inner_;
  std::shared_ptr<Exchange> exchange_;
};

// Notes what goes out; the request is over when the server lets go of it.
class RequestMetrics::Watch::Download final : public http::Body {
 public:
  Download(std::unique_ptr<http::Body> inner, std::shared_ptr<Exchange> exchange) : inner_(std::move(inner)), exchange_(std::move(exchange)) {}
  ~Download() override {
    exchange_->sent = io::monotonic_micros();
    exchange_->publish();
  }
  Task<Result<std::string_view, Failure>> read() override {
    auto piece = co_await inner_->read();
    if (piece) exchange_->downloaded += piece->size();
    co_return piece;
  }
  std::optional<std::uint64_t> size() const override { return inner_->size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_->trailers(); }

 private:
  std::unique_ptr<http::Body> inner_;
  std::shared_ptr<Exchange> exchange_;
};

RequestMetrics::Watch::Watch(RequestMetrics& owner, blob::BucketPtr bucket, std::string_view operation, std::string_view key, http::Request& request)
    : exchange_(std::make_shared<Exchange>(owner, bucket, configurations_of(*bucket), request.method, std::string(operation), std::string(key))), request_(request), original_(request.body) {
  exchange_->version = version_in(request.query);
  // What an object is after it was written is known when it was; what it was before it went, only now.
  if (request.method != "PUT" && request.method != "POST") exchange_->match();
  if (!request.body || request.body->size() == 0u) return;
  exchange_->has_upload = true;
  upload_ = std::make_unique<Upload>(*request.body, exchange_);
  request.body = upload_.get();
}

RequestMetrics::Watch::~Watch() { request_.body = original_; }

void RequestMetrics::Watch::set_key(std::string_view key) { exchange_->key = key; }

void RequestMetrics::Watch::answer(http::Response& response) {
  exchange_->answered = exchange_->sent = io::monotonic_micros();
  exchange_->status = response.status;
  if (exchange_->method == "PUT" || exchange_->method == "POST") exchange_->match();
  if (exchange_->has_upload && exchange_->uploaded == 0) exchange_->has_upload = false;
  const bool has_body = exchange_->method != "HEAD" && (response.stream || !response.body.empty());
  exchange_->has_download = has_body;
  if (has_body && response.stream) {
    response.stream = std::make_unique<Download>(std::move(response.stream), exchange_);
    return;
  }
  if (has_body) exchange_->downloaded = response.body.size();
  exchange_->publish();
}

std::unique_ptr<RequestMetrics::Watch> RequestMetrics::begin(std::string_view operation, std::string_view bucket_name, std::string_view key,
                                                             http::Request& request) {
  blob::BucketPtr bucket = blobs_.find_bucket(bucket_name);
  if (!bucket) return nullptr;
  const auto first = bucket->settings.lower_bound(setting::kMetrics);
  if (first == bucket->settings.end() || !first->first.starts_with(setting::kMetrics)) return nullptr;
  return std::make_unique<Watch>(*this, std::move(bucket), operation, key, request);
}

}  // namespace reef::s3
