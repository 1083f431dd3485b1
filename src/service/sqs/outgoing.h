// A message on its way in: checked, given an id, and turned into what the engine keeps.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "aws/call.h"
#include "aws/error.h"
#include "engine/queue/queues.h"
#include "service/sqs/naming.h"
#include "service/sqs/stored_message.h"

namespace reef::service::sqs {

struct Outgoing {
  StoredMessage message;
  std::optional<std::int32_t> delay_seconds;
  std::size_t bytes = 0;          // body and attributes, as the size limit counts them
  std::string md5_of_body_hex;
  std::string md5_of_attributes_hex;         // empty without attributes
  std::string md5_of_system_attributes_hex;  // empty without
};

// From SendMessageInput or SendMessageBatchRequestEntry, which have the same members.
template <class Input>
aws::Reply<Outgoing> prepare(const Input& in, const QueueName& queue, const aws::Call& call);

// The checks that need the queue's settings; then the engine's message.
aws::Reply<queue::NewMessage> finish(Outgoing& outgoing, const queue::Settings& settings);

std::string sequence_number(std::uint64_t sequence);

}  // namespace reef::service::sqs
