#include "service/s3/notifications.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/models/lambda.h"
#include "base/bytes.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "service/s3/errors.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3 {
namespace {

using wire::Json;

constexpr const char* kChannel = "s3-events";
constexpr std::uint32_t kAttemptsMax = 40;  // with back-off up to five minutes, some hours

bool passes_filter(const std::optional<model::NotificationConfigurationFilter>& filter, std::string_view key) {
  if (!filter || !filter->key || !filter->key->filter_rules) return true;
  return std::ranges::all_of(*filter->key->filter_rules, [&](const model::FilterRule& rule) {
    const std::string name = rule.name.value_or("");
    const std::string value = rule.value.value_or("");
    if (equals_ignoring_case(name, "prefix")) return key.starts_with(value);
    if (equals_ignoring_case(name, "suffix")) return key.ends_with(value);
    return true;
  });
}

struct Destination {
  std::string arn, id;
};

template <class Configuration>
void match(const std::optional<std::vector<Configuration>>& configurations, std::string Configuration::* arn,
           std::string_view event, std::string_view key, std::vector<Destination>& out) {
  if (!configurations) return;
  for (const Configuration& configuration : *configurations) {
    const bool wants = std::ranges::any_of(configuration.events, [&](const std::string& pattern) {
      return matches_wildcard(pattern, "s3:" + std::string(event));
    });
    if (wants && passes_filter(configuration.filter, key)) out.push_back({configuration.*arn, configuration.id.value_or("")});
  }
}

std::string source_address(const Call& call) {
  if (!call.http_request) return "127.0.0.1";
  const std::string& peer = call.http_request->peer;
  return peer.substr(0, peer.rfind(':'));
}

// Keys are form-encoded in events: spaces are plus signs.
std::string event_key(std::string_view key) { return replace_all(percent_encode(key, true), "%20", "+"); }

std::string event_body(const Call& call, const blob::Bucket& bucket, std::string_view event, std::string_view key,
                       const blob::Object& object, const std::string& id) {
  Json shown = Json::object({{"key", event_key(key)}});
  if (!event.starts_with("ObjectRemoved")) {
    shown.set("size", object.size);
    shown.set("eTag", object.etag);
  }
  if (bucket.versioning != blob::Versioning::kOff) shown.set("versionId", object.version_id);
  shown.set("sequencer", fmt::format("{:018X}", object.sequence));
  Json record = Json::object(
      {{"eventVersion", "2.1"},
       {"eventSource", "aws:s3"},
       {"awsRegion", bucket.region},
       {"eventTime", format_iso8601(call.now, true)},
       {"eventName", event},
       {"userIdentity", Json::object({{"principalId", "AWS:" + call.principal.user_id}})},
       {"requestParameters", Json::object({{"sourceIPAddress", source_address(call)}})},
       {"responseElements", Json::object({{"x-amz-request-id", call.request_id}, {"x-amz-id-2", "atoll"}})},
       {"s3", Json::object({{"s3SchemaVersion", "1.0"},
                            {"configurationId", id},
                            {"bucket", Json::object({{"name", bucket.name},
                                                     {"ownerIdentity", Json::object({{"principalId", canonical_id(bucket.account)}})},
                                                     {"arn", "arn:aws:s3:::" + bucket.name}})},
                            {"object", std::move(shown)}})}});
  return Json::object({{"Records", Json::array({std::move(record)})}}).dump();
}

// What the event bus gets. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
std::string bus_body(const Call& call, const blob::Bucket& bucket, std::string_view event, std::string_view key,
                     const blob::Object& object) {
  const bool removed = event.starts_with("ObjectRemoved");
  const bool tagging = event.starts_with("ObjectTagging");
  Json shown = Json::object({{"key", key}});
  if (!removed) {
    shown.set("size", object.size);
    shown.set("etag", object.etag);
  }
  if (bucket.versioning != blob::Versioning::kOff) shown.set("version-id", object.version_id);
  shown.set("sequencer", fmt::format("{:018X}", object.sequence));
  Json detail = Json::object({{"version", "0"},
                              {"bucket", Json::object({{"name", bucket.name}})},
                              {"object", std::move(shown)},
                              {"request-id", call.request_id},
                              {"requester", call.principal.account},
                              {"source-ip-address", source_address(call)}});
  const std::string_view reason = event.substr(event.find(':') + 1);
  if (removed) {
    detail.set("reason", "DeleteObject");
    detail.set("deletion-type", reason == "DeleteMarkerCreated" ? "Delete Marker Created" : "Permanently Deleted");
  } else if (!tagging) {
    detail.set("reason", reason == "Put" ? "PutObject" : reason == "Copy" ? "CopyObject" : reason == "Post" ? "POST Object" : "CompleteMultipartUpload");
  }
  const char* type = removed ? "Object Deleted" : tagging ? (reason == "Put" ? "Object Tags Added" : "Object Tags Deleted") : "Object Created";
  return events::to_json({.id = make_uuid(thread_random()), .detail_type = type, .source = "aws.s3", .account = bucket.account, .region = bucket.region,
                          .time = call.now, .resources = {"arn:aws:s3:::" + bucket.name}, .detail = detail.dump(), .replay_name = {}});
}

}  // namespace

void Notifications::start() {
  deliveries_.open(kChannel, {.in_flight_per_lane = 10, .in_flight_max = 200},
                   [this](const delivery::Entry& entry) { return attempt(entry); });
}

Task<void> Notifications::notify(const Call& call, blob::BucketPtr bucket, std::string event, std::string key,
                                 blob::Object object) {
  model::NotificationConfiguration configuration;
  if (!read_configuration(*bucket, setting::kNotification, configuration)) co_return;
  std::vector<Destination> destinations;
  match(configuration.queue_configurations, &model::QueueConfiguration::queue_arn, event, key, destinations);
  match(configuration.topic_configurations, &model::TopicConfiguration::topic_arn, event, key, destinations);
  match(configuration.lambda_function_configurations, &model::LambdaFunctionConfiguration::lambda_function_arn, event, key,
        destinations);
  if (configuration.event_bridge_configuration)
    destinations.push_back({fmt::format("arn:aws:events:{}:{}:event-bus/default", bucket->region, bucket->account), ""});
  for (const Destination& destination : destinations) {
    const bool is_bus = destination.arn.starts_with("arn:aws:events:");
    std::string payload;
    ByteWriter out(payload);
    out.bytes(destination.arn);
    out.bytes(is_bus ? bus_body(call, *bucket, event, key, object) : event_body(call, *bucket, event, key, object, destination.id));
    co_await deliveries_.add(kChannel, destination.arn, std::move(payload));
  }
}

Task<delivery::Verdict> Notifications::attempt(const delivery::Entry& entry) {
  ByteReader in(entry.payload);
  const std::string arn = in.text(), body = in.text();
  const Reply<void> sent = co_await send(arn, body);
  if (sent) co_return delivery::Verdict::done();
  log::warn("bucket event not delivered", {{"target", arn}, {"code", sent.error().code}, {"message", sent.error().message}});
  if (entry.attempts + 1 >= kAttemptsMax) co_return delivery::Verdict::done();
  const auto power = std::min<std::uint32_t>(entry.failures_in_row, 8);
  co_return delivery::Verdict::retry(std::min<Duration>(1s * (1 << power), 5min));
}

Task<Reply<void>> Notifications::send(const std::string& arn, const std::string& body) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6) co_return Err(invalid_argument("The ARN is not well formed", "arn", arn));
  const Call call = caller_.internal_call(std::string(parts[4]), std::string(parts[3]));
  if (parts[2] == "sqs") {
    Json input = Json::object({{"QueueUrl", fmt::format("{}/{}/{}", call.endpoint, parts[4], parts[5])}, {"MessageBody", body}});
    CO_TRY(co_await caller_.invoke_json(call, "sqs", "SendMessage", input));
  } else if (parts[2] == "sns") {
    const Json input = Json::object({{"TopicArn", arn}, {"Subject", "Amazon S3 Notification"}, {"Message", body}});
    CO_TRY(co_await caller_.invoke_json(call, "sns", "Publish", input));
  } else if (parts[2] == "lambda") {
    aws::lambda::InvokeInput input;
    input.function_name = arn;
    input.invocation_type = "Event";
    input.payload = body;
    CO_TRY(co_await caller_.call<aws::lambda::InvokeOutput>(call, aws::lambda::ops::kInvoke, input));
  } else if (parts[2] == "events") {
    if (auto event = events::parse_event(body)) co_await publisher_.store(*std::move(event));
  } else {
    co_return Err(aws::not_implemented("Bucket events to " + std::string(parts[2])));
  }
  co_return Reply<void>{};
}

Task<Reply<void>> Notifications::check(const Call& call, const blob::Bucket& bucket,
                                       const model::NotificationConfiguration& configuration) {
  const auto refuse = [](const std::string& arn, const aws::Error& error) {
    if (error.code == "NotImplemented") return error;
    return invalid_argument("Unable to validate the following destination configurations", arn, error.message);
  };
  const std::string test = Json::object({{"Service", "Amazon S3"},
                                         {"Event", "s3:TestEvent"},
                                         {"Time", format_iso8601(call.now, true)},
                                         {"Bucket", bucket.name},
                                         {"RequestId", call.request_id},
                                         {"HostId", "atoll"}})
                               .dump();
  std::vector<std::string> arns;
  if (configuration.queue_configurations)
    for (const auto& one : *configuration.queue_configurations) arns.push_back(one.queue_arn);
  if (configuration.topic_configurations)
    for (const auto& one : *configuration.topic_configurations) arns.push_back(one.topic_arn);
  for (const std::string& arn : arns) {
    const Reply<void> sent = co_await send(arn, test);
    if (!sent) co_return Err(refuse(arn, sent.error()));
  }
  if (configuration.lambda_function_configurations)
    for (const auto& one : *configuration.lambda_function_configurations) {
      const auto parts = split(one.lambda_function_arn, ':');
      if (parts.size() < 7) co_return Err(invalid_argument("The ARN is not well formed", "LambdaFunctionArn", one.lambda_function_arn));
      const Call inside = caller_.internal_call(std::string(parts[4]), std::string(parts[3]));
      const auto found = co_await caller_.invoke_json(inside, "lambda", "GetFunction",
                                                      Json::object({{"FunctionName", one.lambda_function_arn}}));
      if (!found) co_return Err(refuse(one.lambda_function_arn, found.error()));
    }
  co_return Reply<void>{};
}

}  // namespace reef::s3
