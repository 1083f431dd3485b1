#include "service/sqs/outgoing.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"

namespace reef::service::sqs {
namespace {

// #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF. The text is valid UTF-8.
bool has_only_valid_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != 0x9 && c != 0xA && c != 0xD) return false;
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    if (c == 0xEF && i + 2 < text.size() && static_cast<unsigned char>(text[i + 1]) == 0xBF && static_cast<unsigned char>(text[i + 2]) >= 0xBE)
      return false;
  }
  return true;
}

aws::Error invalid_contents() {
  return {aws::sqs::errors::kInvalidMessageContents,
          "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to "
          "#x10FFFF."};
}

// Besides the documented characters AWS takes the letters of Latin-1 and Latin Extended-A, U+00C0 to U+017F.
bool has_only_name_characters(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.') continue;
    if (c < 0xC3 || c > 0xC5) return false;
    ++i;  // the text is valid UTF-8: a second byte follows
  }
  return true;
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
aws::Reply<void> check_attribute_name(std::string_view name) {
  if (name.empty() || name.size() > 256 || !has_only_name_characters(name) || name.starts_with('.') || name.ends_with('.') ||
      name.find("..") != std::string_view::npos)
    return Err(invalid_parameter("Message (user) attribute name can contain only alphanumeric characters, hyphens, underscores, or "
                                 "periods. It must not start or end with a period, have successive periods, or exceed 256 characters."));
  const std::string lower = to_lower(name);
  if (lower.starts_with("aws.") || lower.starts_with("amazon."))
    return Err(invalid_parameter("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved "
                                 "for internal use."));
  return {};
}

template <class Attribute>
aws::Reply<StoredAttribute> to_stored(const std::string& name, const Attribute& value) {
  StoredAttribute out{.name = name, .type = value.data_type, .value = {}};
  const std::string_view kind = std::string_view(out.type).substr(0, out.type.find('.'));
  if (out.type.empty()) return Err(invalid_parameter(fmt::format("The message attribute '{}' must contain non-empty message attribute type.", name)));
  if (out.type.size() > 256 || (kind != "String" && kind != "Number" && kind != "Binary"))
    return Err(invalid_parameter(fmt::format("The message attribute '{}' has an invalid message attribute type, the set of supported type "
                                             "prefixes is Binary, Number, and String.", name)));
  const auto& text = value.string_value;
  const auto& bytes = value.binary_value;
  if ((value.string_list_values && !value.string_list_values->empty()) || (value.binary_list_values && !value.binary_list_values->empty()))
    return Err(aws::Error(aws::sqs::errors::kUnsupportedOperation, "Message attribute list values in SendMessage operation are not supported."));
  if (kind == "Binary" ? (!bytes || bytes->empty()) : (!text || text->empty()))
    return Err(invalid_parameter(fmt::format("Message (user) attribute '{}' must contain a non-empty value of type '{}'.", name, out.type)));
  out.value = kind == "Binary" ? *bytes : *text;
  if (kind == "Number" && !parse_double(trim(out.value)))
    return Err(invalid_parameter(fmt::format("Can't cast the value of message attribute '{}' to a number.", name)));
  if (kind != "Binary" && !has_only_valid_characters(out.value)) return Err(invalid_parameter(invalid_contents().message));
  return out;
}

}  // namespace

std::string sequence_number(std::uint64_t sequence) { return fmt::format("18849496{:012}", sequence); }

template <class Input>
aws::Reply<Outgoing> prepare(const Input& in, const QueueName& queue, const aws::Call& call) {
  Outgoing out;
  if (in.message_body.empty()) return Err(missing_parameter("MessageBody"));
  if (!has_only_valid_characters(in.message_body)) return Err(invalid_contents());
  if (in.delay_seconds && (*in.delay_seconds < 0 || *in.delay_seconds > kDelaySecondsMax))
    return Err(invalid_value(std::to_string(*in.delay_seconds), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."));
  out.delay_seconds = in.delay_seconds;
  StoredMessage& message = out.message;
  message.id = make_uuid(thread_random());
  message.sender_id = call.principal.user_id.empty() ? call.account : call.principal.user_id;
  message.body = in.message_body;
  message.md5_of_body = md5(message.body);
  out.md5_of_body_hex = hex_encode(message.md5_of_body);
  out.bytes = message.body.size();
  if (in.message_attributes && !in.message_attributes->empty()) {
    if (in.message_attributes->size() > kMessageAttributesMax)
      return Err(invalid_parameter(fmt::format("Number of message attributes [{}] exceeds the allowed maximum [10].", in.message_attributes->size())));
    for (const auto& [name, value] : *in.message_attributes) {
      TRY(check_attribute_name(name));
      message.attributes.push_back(TRY(to_stored(name, value)));
      const StoredAttribute& stored = message.attributes.back();
      out.bytes += stored.name.size() + stored.type.size() + stored.value.size();
    }
    out.md5_of_attributes_hex = md5_of_attributes(message.attributes);
  }
  if (in.message_system_attributes)
    for (const auto& [name, value] : *in.message_system_attributes) {
      if (name != "AWSTraceHeader")
        return Err(invalid_parameter(fmt::format("Message system attribute name '{}' is invalid.", name)));
      const StoredAttribute trace = TRY(to_stored(name, value));
      message.trace_header = trace.value;
      out.md5_of_system_attributes_hex = md5_of_attributes({trace});
    }
  // The caller's own trace goes on through the queue.
  if (message.trace_header.empty() && call.is_traced && call.http_request)
    message.trace_header = call.http_request->header("x-amzn-trace-id");
  message.hop_trace = call.trace_id;
  message.group = in.message_group_id.value_or("");
  message.dedup_id = in.message_deduplication_id.value_or("");
  if (in.message_group_id && !is_fifo_id(message.group))
    return Err(invalid_value(message.group, "MessageGroupId", "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."));
  if (in.message_deduplication_id && !is_fifo_id(message.dedup_id))
    return Err(invalid_value(message.dedup_id, "MessageDeduplicationId", "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length."));
  return out;
}

template aws::Reply<Outgoing> prepare(const aws::sqs::SendMessageInput&, const QueueName&, const aws::Call&);
template aws::Reply<Outgoing> prepare(const aws::sqs::SendMessageBatchRequestEntry&, const QueueName&, const aws::Call&);

aws::Reply<queue::NewMessage> finish(Outgoing& outgoing, const queue::Settings& settings) {
  StoredMessage& message = outgoing.message;
  if (outgoing.bytes > settings.message_bytes_max)
    return Err(invalid_parameter(fmt::format("One or more parameters are invalid. Reason: Message must be shorter than {} bytes.", settings.message_bytes_max)));
  if (settings.is_fifo) {
    if (outgoing.delay_seconds && *outgoing.delay_seconds != 0)
      return Err(invalid_value(std::to_string(*outgoing.delay_seconds), "DelaySeconds",
                               "The request include parameter that is not valid for this queue type."));
    if (message.group.empty()) return Err(missing_parameter("MessageGroupId"));
    if (message.dedup_id.empty()) {
      if (!settings.dedup_by_content)
        return Err(missing_deduplication());
      message.dedup_id = sha256_hex(message.body);
    }
  } else if (!message.dedup_id.empty()) {
    return Err(invalid_value(message.dedup_id, "MessageDeduplicationId", "The request includes a parameter that is not valid for this queue type."));
  }
  queue::NewMessage out{.payload = encode(message), .group = message.group, .dedup_id = message.dedup_id, .id = message.id};
  if (outgoing.delay_seconds && !settings.is_fifo) out.delay = std::chrono::seconds(*outgoing.delay_seconds);
  return out;
}

}  // namespace reef::service::sqs
