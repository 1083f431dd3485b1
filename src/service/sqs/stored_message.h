// A message as the queue engine keeps it: opaque bytes there, this here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/sqs.h"

namespace reef::service::sqs {

struct StoredAttribute {
  std::string name, type, value;  // the value's bytes; binary when the type starts with Binary
  bool is_binary() const { return type.starts_with("Binary"); }
};

struct StoredMessage {
  std::string id;
  std::string sender_id;
  std::string trace_header;        // AWSTraceHeader, when the sender gave one
  std::string hop_trace;           // the trace that the sending call belongs to; for receivers inside
  std::string dead_letter_source;  // ARN
  std::uint32_t received_before = 0;  // in that source
  std::string group, dedup_id;
  std::vector<StoredAttribute> attributes;  // sorted by name
  std::string md5_of_body;                  // raw 16 bytes
  std::string body;
};

std::string encode(const StoredMessage& message);
StoredMessage decode(std::string_view bytes);

// MD5 over the attributes in order of name, in hexadecimal.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
std::string md5_of_attributes(const std::vector<StoredAttribute>& attributes);

}  // namespace reef::service::sqs
