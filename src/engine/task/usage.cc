// What containers use: processors, memory and network, as the kernel counts them.
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/task/tasks.h"
#include "io/socket.h"

namespace reef::task {
namespace {

std::string read_proc(const std::string& path) {
  const io::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string out(16384, '\0');
  const ssize_t size = file ? ::read(file.get(), out.data(), out.size()) : -1;
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return out;
}

}  // namespace

std::vector<InterfaceUsage> parse_net_dev(std::string_view text) {
  std::vector<InterfaceUsage> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::vector<std::uint64_t> numbers;
    for (const std::string_view word : split(line.substr(colon + 1), ' '))
      if (const auto number = parse_int<std::uint64_t>(word)) numbers.push_back(*number);
    const auto name = line.substr(0, colon);
    const auto begin = name.find_first_not_of(' ');
    if (numbers.size() < 16 || begin == std::string_view::npos) continue;
    out.push_back({.name = std::string(name.substr(begin)), .received_bytes = numbers[0], .received_packets = numbers[1], .received_errors = numbers[2], .received_dropped = numbers[3],
                   .sent_bytes = numbers[8], .sent_packets = numbers[9], .sent_errors = numbers[10], .sent_dropped = numbers[11]});
  }
  return out;
}

std::optional<ContainerUsage> Tasks::usage(std::string_view id, std::size_t index) const {
  const LiveTask* task = find(id);
  if (!task || index >= task->containers.size() || !task->containers[index].sandbox) return std::nullopt;
  const sandbox::Sandbox& box = *task->containers[index].sandbox;
  ContainerUsage out{.now = box.usage(), .memory_peak_bytes = box.memory_bytes(), .memory_limit_bytes = task->plan.containers[index].memory_bytes, .interfaces = {}};
  // The network of a process is that of its namespace; with the host's own there is nothing to tell apart.
  if (box.pid() > 0 && task->plan.network != Network::kHost) out.interfaces = parse_net_dev(read_proc(fmt::format("/proc/{}/net/dev", box.pid())));
  return out;
}

}  // namespace reef::task
