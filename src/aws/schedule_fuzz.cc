// Any text is either a schedule with a next time after now, or none at all.
#include <cstddef>
#include <cstdint>

#include "aws/schedule.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reef;
  const auto schedule = aws::parse_schedule(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!schedule) return 0;
  const Time now = from_seconds(1'790'000'000);
  const auto next = aws::next_time(*schedule, now, now);
  CHECK(!next || *next > now);
  return 0;
}
