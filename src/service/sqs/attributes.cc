#include "service/sqs/attributes.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "aws/models/sqs.h"
#include "base/text.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "service/sqs/redrive.h"
#include "wire/json.h"

namespace reef::service::sqs {
namespace {

aws::Error invalid_attribute_value(std::string_view name, std::string_view reason = {}) {
  return {aws::sqs::errors::kInvalidAttributeValue,
          fmt::format("Invalid value for the parameter {}.{}{}", name, reason.empty() ? "" : " Reason: ", reason)};
}

aws::Error unknown_attribute(std::string_view name) {
  return {aws::sqs::errors::kInvalidAttributeName, fmt::format("Unknown Attribute {}.", name)};
}

struct NumberAttribute {
  std::string_view name;
  std::int64_t min, max;
  void (*apply)(queue::Settings& settings, std::int64_t value);
};
constexpr NumberAttribute kNumbers[] = {
    {"DelaySeconds", 0, kDelaySecondsMax, [](auto& s, auto v) { s.delay = std::chrono::seconds(v); }},
    {"MaximumMessageSize", kMessageBytesMin, kMessageBytesMax, [](auto& s, auto v) { s.message_bytes_max = static_cast<std::uint32_t>(v); }},
    {"MessageRetentionPeriod", kRetentionSecondsMin, kRetentionSecondsMax, [](auto& s, auto v) { s.retention = std::chrono::seconds(v); }},
    {"ReceiveMessageWaitTimeSeconds", 0, kWaitSecondsMax, [](auto& s, auto v) { s.wait = std::chrono::seconds(v); }},
    {"VisibilityTimeout", 0, kVisibilitySecondsMax, [](auto& s, auto v) { s.lease = std::chrono::seconds(v); }},
};

constexpr std::string_view kReadOnly[] = {"All", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed",
                                          "ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp",
                                          "LastModifiedTimestamp", "QueueArn"};
constexpr std::string_view kOthers[] = {"ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit",
                                        "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy",
                                        "RedrivePolicy", "SqsManagedSseEnabled"};

// AWS reads "True" as well.
std::optional<bool> parse_bool(std::string_view value) {
  const std::string lower = to_lower(value);
  if (lower != "true" && lower != "false") return std::nullopt;
  return lower == "true";
}

aws::Reply<void> apply_fifo(std::string_view attribute, const std::string& value, bool is_fifo, queue::Settings& settings) {
  if (attribute == "FifoQueue") {
    const auto wanted = parse_bool(value);
    if (!wanted) return Err(invalid_attribute_value(attribute));
    if (!is_fifo) return Err(unknown_attribute(attribute));
    if (!*wanted) return Err(invalid_attribute_value(attribute, "Modifying queue type is not supported."));
    return {};
  }
  if (!is_fifo && attribute == "ContentBasedDeduplication") return Err(unknown_attribute(attribute));
  if (!is_fifo)
    return Err(aws::Error(aws::sqs::errors::kInvalidAttributeName,
                          fmt::format("You can specify the {} only when FifoQueue is set to true.", attribute)));
  if (attribute == "ContentBasedDeduplication") {
    const auto wanted = parse_bool(value);
    if (!wanted) return Err(invalid_attribute_value(attribute));
    settings.dedup_by_content = *wanted;
  } else if (attribute == "DeduplicationScope") {
    if (value != "queue" && value != "messageGroup") return Err(invalid_attribute_value(attribute));
    settings.dedup_per_group = value == "messageGroup";
  } else if (value != "perQueue" && value != "perMessageGroupId") {
    return Err(invalid_attribute_value(attribute));
  }
  return {};
}

aws::Reply<void> check_encryption(const TextMapOf& attributes) {
  const auto key = attributes.find("KmsMasterKeyId"), managed = attributes.find("SqsManagedSseEnabled");
  if (key != attributes.end() && !key->second.empty() && managed != attributes.end() && parse_bool(managed->second).value_or(false))
    return Err(aws::Error(aws::sqs::errors::kInvalidAttributeName,
                          "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."));
  return {};
}

}  // namespace

QueueExtra read_extra(const queue::Settings& settings) {
  QueueExtra out;
  const auto json = wire::Json::parse(settings.extra);
  if (!json) return out;
  for (const auto& [name, value] : (*json)["attributes"].as_object()) out.attributes.emplace(name, value.as_string());
  for (const auto& [name, value] : (*json)["tags"].as_object()) out.tags.emplace(name, value.as_string());
  out.created = (*json)["created"].as_int().value_or(0);
  out.modified = (*json)["modified"].as_int().value_or(0);
  return out;
}

void write_extra(queue::Settings& settings, const QueueExtra& extra) {
  wire::Json json = wire::Json::object({{"created", extra.created}, {"modified", extra.modified}});
  wire::Json& attributes = json.set("attributes", wire::Json::object());
  for (const auto& [name, value] : extra.attributes) attributes.members().emplace_back(name, value);
  wire::Json& tags = json.set("tags", wire::Json::object());
  for (const auto& [name, value] : extra.tags) tags.members().emplace_back(name, value);
  settings.extra = json.dump();
}

aws::Reply<void> apply_attributes(const TextMapOf& attributes, const QueueName& name, queue::Settings& settings,
                                  QueueExtra& extra) {
  TRY(check_encryption(attributes));
  for (const auto& [attribute, value] : attributes) {
    const std::string& key = attribute;
    const auto number = std::find_if(std::begin(kNumbers), std::end(kNumbers), [&](const auto& n) { return n.name == key; });
    if (number != std::end(kNumbers)) {
      const auto parsed = parse_int(value);
      if (!parsed || *parsed < number->min || *parsed > number->max) return Err(invalid_attribute_value(key));
      number->apply(settings, *parsed);
      extra.attributes.insert_or_assign(key, value);
      continue;
    }
    if (std::find(std::begin(kOthers), std::end(kOthers), key) == std::end(kOthers))
      return Err(unknown_attribute(key));
    if (key == "RedrivePolicy") {
      TRY(apply_redrive(value, name, settings));
    } else if (key == "ContentBasedDeduplication" || key == "DeduplicationScope" || key == "FifoQueue" || key == "FifoThroughputLimit") {
      TRY(apply_fifo(key, value, settings.is_fifo, settings));
    } else if (key == "RedriveAllowPolicy") {
      TRY(check_redrive_allow(value));
    } else if (key == "Policy") {
      if (!value.empty() && !wire::Json::parse(value)) return Err(invalid_attribute_value(key));
    } else if (key == "SqsManagedSseEnabled") {
      if (!parse_bool(value)) return Err(invalid_attribute_value(key));
    } else if (key == "KmsDataKeyReusePeriodSeconds") {
      const auto seconds = parse_int(value);
      if (!seconds || *seconds < 60 || *seconds > 86'400) return Err(invalid_attribute_value(key));
    }
    if (value.empty()) extra.attributes.erase(key);
    else extra.attributes.insert_or_assign(key, value);
    // One kind of encryption ends the other; none comes back by itself.
    if (key == "KmsMasterKeyId" && !value.empty()) extra.attributes.insert_or_assign("SqsManagedSseEnabled", "false");
    if (key == "SqsManagedSseEnabled" && parse_bool(value).value_or(false)) extra.attributes.erase("KmsMasterKeyId");
  }
  // High throughput needs deduplication by group.
  const auto limit = extra.attributes.find("FifoThroughputLimit");
  if (limit != extra.attributes.end() && limit->second == "perMessageGroupId" && !settings.dedup_per_group)
    return Err(invalid_parameter("The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup."));
  return {};
}

TextMapOf describe_attributes(const QueueName& name, const queue::Settings& settings, const QueueExtra& extra) {
  TextMapOf out = extra.attributes;
  const auto seconds = [](Duration duration) { return std::to_string(duration.count() / 1'000'000); };
  out["DelaySeconds"] = seconds(settings.delay);
  out["VisibilityTimeout"] = seconds(settings.lease);
  out["MessageRetentionPeriod"] = seconds(settings.retention);
  out["ReceiveMessageWaitTimeSeconds"] = seconds(settings.wait);
  out["MaximumMessageSize"] = std::to_string(settings.message_bytes_max);
  out["CreatedTimestamp"] = std::to_string(extra.created);
  out["LastModifiedTimestamp"] = std::to_string(extra.modified);
  out["QueueArn"] = name.arn();
  const auto managed = out.find("SqsManagedSseEnabled");
  out["SqsManagedSseEnabled"] = managed == out.end() || parse_bool(managed->second).value_or(true) ? "true" : "false";
  if (!out.contains("KmsMasterKeyId")) out.erase("KmsDataKeyReusePeriodSeconds");
  else out.try_emplace("KmsDataKeyReusePeriodSeconds", "300");
  if (settings.is_fifo) {
    out["FifoQueue"] = "true";
    out["ContentBasedDeduplication"] = settings.dedup_by_content ? "true" : "false";
    out["DeduplicationScope"] = settings.dedup_per_group ? "messageGroup" : "queue";
    if (!out.contains("FifoThroughputLimit")) out["FifoThroughputLimit"] = "perQueue";
  }
  return out;
}

bool is_queue_attribute(std::string_view name) {
  return std::find(std::begin(kReadOnly), std::end(kReadOnly), name) != std::end(kReadOnly) ||
         std::find(std::begin(kOthers), std::end(kOthers), name) != std::end(kOthers) ||
         std::any_of(std::begin(kNumbers), std::end(kNumbers), [&](const auto& n) { return n.name == name; });
}

}  // namespace reef::service::sqs
