// Whether the machine's processors are all at work, from /proc/stat, looked at ten times a second at most.
// https://man7.org/linux/man-pages/man5/proc_stat.5.html
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace reef::function {

// Ticks of all processors together since boot.
struct ProcessorTicks { std::uint64_t idle = 0, total = 0; };
// From the first line of /proc/stat; nothing when it is not one.
std::optional<ProcessorTicks> parse_processor_ticks(std::string_view stat);

class MachineLoad {
 public:
  // `steady` is a clock that nobody moves. Says no until it has watched for a tenth of a second.
  bool is_busy(Duration steady);

 private:
  ProcessorTicks last_;
  Duration looked_{};
  double smoothed_ = 0;  // share of processor time that is used
  bool busy_ = false;
};

}  // namespace reef::function
