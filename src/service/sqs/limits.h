// SQS's numbers.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
#pragma once

#include <cstddef>
#include <cstdint>

namespace reef::service::sqs {

constexpr std::size_t kBatchEntriesMax = 10;
constexpr std::size_t kMessageBytesMax = 1024 * 1024;
constexpr std::size_t kMessageBytesMin = 1024;
constexpr std::size_t kMessageAttributesMax = 10;
constexpr std::int64_t kDelaySecondsMax = 900;
constexpr std::int64_t kVisibilitySecondsMax = 43'200;
constexpr std::int64_t kWaitSecondsMax = 20;
constexpr std::int64_t kRetentionSecondsMin = 60, kRetentionSecondsMax = 1'209'600;
constexpr std::int64_t kReceivesMax = 1000;
constexpr std::size_t kRedriveSourcesMax = 10;
constexpr std::size_t kTagsMax = 50;
constexpr std::size_t kListResultsMax = 1000;
constexpr std::size_t kQueueNameMax = 80;

}  // namespace reef::service::sqs
