#include "engine/function/machine_load.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

namespace reef::function {
namespace {

std::optional<ProcessorTicks> read_processor_ticks() {
  const int fd = ::open("/proc/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::array<char, 256> text;
  const ssize_t size = ::read(fd, text.data(), text.size());
  ::close(fd);
  if (size <= 0) return std::nullopt;
  return parse_processor_ticks({text.data(), static_cast<std::size_t>(size)});
}

}  // namespace

std::optional<ProcessorTicks> parse_processor_ticks(std::string_view stat) {
  if (!stat.starts_with("cpu ")) return std::nullopt;
  stat = stat.substr(4, stat.find('\n') - 4);
  // user nice system idle iowait irq softirq steal; the guests' ticks that follow are counted in user already.
  constexpr int kFields = 8, kIdle = 3, kIoWait = 4;
  ProcessorTicks ticks;
  for (int field = 0; field < kFields; ++field) {
    stat.remove_prefix(std::min(stat.find_first_not_of(' '), stat.size()));
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(stat.data(), stat.data() + stat.size(), value);
    if (error != std::errc()) return field > kIdle ? std::optional(ticks) : std::nullopt;
    stat.remove_prefix(static_cast<std::size_t>(end - stat.data()));
    ticks.total += value;
    if (field == kIdle || field == kIoWait) ticks.idle += value;
  }
  return ticks;
}

bool MachineLoad::is_busy(Duration steady) {
  constexpr Duration kEvery = 100ms, kStale = 1s;
  constexpr double kBusy = 0.8, kCalm = 0.6;  // apart, so that it does not change its mind all the time
  const Duration since = steady - looked_;
  if (since < kEvery) return busy_;
  const auto ticks = read_processor_ticks();
  if (!ticks) return busy_ = false;
  const std::uint64_t total = ticks->total - last_.total, idle = ticks->idle - last_.idle;
  // What happened long ago says nothing of now.
  const double share = since < kStale && total > 0 ? 1 - static_cast<double>(idle) / static_cast<double>(total) : 0;
  smoothed_ = since < kStale ? 0.7 * smoothed_ + 0.3 * share : 0;
  busy_ = smoothed_ > (busy_ ? kCalm : kBusy);
  last_ = *ticks;
  looked_ = steady;
  return busy_;
}

}  // namespace reef::function
