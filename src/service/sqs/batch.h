// What the batch operations share: the checks on their entries.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "aws/models/sqs.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"

namespace reef::service::sqs {

template <class Entry>
aws::Reply<void> check_batch(const std::vector<Entry>& entries, std::string_view entry_type) {
  namespace shapes = aws::sqs::errors;
  if (entries.empty())
    return Err(aws::Error(shapes::kEmptyBatchRequest, fmt::format("There should be at least one {} in the request.", entry_type)));
  if (entries.size() > kBatchEntriesMax)
    return Err(aws::Error(shapes::kTooManyEntriesInBatchRequest,
                          fmt::format("Maximum number of entries per request are 10. You have sent {}.", entries.size())));
  std::set<std::string_view> seen;
  for (const Entry& entry : entries) {
    const bool good = !entry.id.empty() && entry.id.size() <= 80 && std::all_of(entry.id.begin(), entry.id.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!good)
      return Err(aws::Error(shapes::kInvalidBatchEntryId,
                            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most "
                            "80 letters long."));
    if (!seen.insert(entry.id).second)
      return Err(aws::Error(shapes::kBatchEntryIdsNotDistinct, fmt::format("Id {} repeated.", entry.id)));
  }
  return {};
}

// The entry of a batch's reply for an error.
inline aws::sqs::BatchResultErrorEntry failed_entry(const std::string& id, const aws::Error& error) {
  return {.id = id, .sender_fault = error.sender_fault, .code = error.query_code.empty() ? error.code : error.query_code,
          .message = error.message};
}

}  // namespace reef::service::sqs
