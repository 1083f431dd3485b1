// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
#pragma once

#include <cstdint>

#include "base/time.h"

namespace reef::service::lambda::limits {

inline constexpr std::uint64_t kZipBytesMax = 50ull << 20;         // uploaded in the request
inline constexpr std::uint64_t kRequestBytesMax = 70'167'211;      // such an upload in base64, and what comes with it
inline constexpr std::uint64_t kUnzippedBytesMax = 250ull << 20;   // with all layers
inline constexpr std::uint64_t kSyncPayloadBytesMax = 6'291'456;
inline constexpr std::uint64_t kAsyncPayloadBytesMax = 1'048'576;
inline constexpr std::int32_t kTimeoutSecondsMax = 900;
inline constexpr std::int32_t kMemoryMibMin = 128, kMemoryMibMax = 10'240;
inline constexpr std::size_t kEnvironmentBytesMax = 4096;
inline constexpr std::size_t kLayersMax = 5;
inline constexpr std::uint32_t kAccountConcurrency = 1000;
inline constexpr std::uint32_t kUnreservedMin = 100;               // must stay unreserved
inline constexpr std::size_t kPolicyBytesMax = 20'480;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr Duration kEventAgeMax = 6h;
inline constexpr std::uint32_t kRetriesMax = 2;

}  // namespace reef::service::lambda::limits
