#include "engine/sandbox/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace reef::sandbox {
namespace {

std::string slurp(const std::string& path) {
  char buffer[8192];
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t size = ::read(fd, buffer, sizeof(buffer));
  ::close(fd);
  return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

void add_children(pid_t parent, std::vector<pid_t>& out) {
  const std::string tasks = fmt::format("/proc/{}/task", parent);
  DIR* folder = ::opendir(tasks.c_str());
  if (!folder) return;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    const std::string text = slurp(fmt::format("{}/{}/children", tasks, entry->d_name));
    for (const char* p = text.c_str(); *p;) {
      char* end = nullptr;
      const long pid = std::strtol(p, &end, 10);
      if (end == p) break;
      out.push_back(static_cast<pid_t>(pid));
      p = *end ? end + 1 : end;
    }
  }
  ::closedir(folder);
}

}  // namespace

std::vector<pid_t> descendants(bool own_pid_namespace) {
  std::vector<pid_t> found;
  if (own_pid_namespace) {
    DIR* folder = ::opendir("/proc");
    if (!folder) return found;
    while (const dirent* entry = ::readdir(folder)) {
      const long pid = std::strtol(entry->d_name, nullptr, 10);
      if (pid > 1) found.push_back(static_cast<pid_t>(pid));
    }
    ::closedir(folder);
    return found;
  }
  return descendants_of(::getpid());
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
  std::vector<pid_t> found;
  add_children(ancestor, found);
  for (std::size_t i = 0; i < found.size() && found.size() < 10'000; ++i) add_children(found[i], found);
  return found;
}

std::uint64_t resident_bytes(const std::vector<pid_t>& processes) {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t pages = 0;
  for (pid_t pid : processes) {
    const std::string text = slurp(fmt::format("/proc/{}/statm", pid));
    const std::size_t space = text.find(' ');
    if (space != std::string::npos) pages += std::strtoull(text.c_str() + space, nullptr, 10);
  }
  return pages * page;
}

Usage usage_below(pid_t ancestor) {
  static const long ticks = ::sysconf(_SC_CLK_TCK);
  std::vector<pid_t> processes = descendants_of(ancestor);
  Usage usage{.processor = {}, .memory_bytes = resident_bytes(processes)};
  processes.push_back(ancestor);  // knows what those that ended had used
  std::uint64_t total = 0;
  for (const pid_t process : processes) {
    const std::string text = slurp(fmt::format("/proc/{}/stat", process));
    // After the name, which may hold anything: field 3 and on. utime, stime, cutime, cstime are 14 to 17.
    const char* at = text.c_str() + std::min(text.rfind(')') + 1, text.size());
    for (int field = 3; *at && field <= 17; ++field) {
      while (*at == ' ') ++at;
      if (field >= 14) total += std::strtoull(at, nullptr, 10);
      while (*at && *at != ' ') ++at;
    }
  }
  usage.processor = std::chrono::microseconds(total * 1'000'000 / static_cast<std::uint64_t>(ticks));
  return usage;
}

void kill_descendants() {
  // Killing a process hands its children to this one, so a few rounds reach all of them.
  for (int round = 0; round < 1000; ++round) {
    std::vector<pid_t> children;
    add_children(::getpid(), children);
    for (pid_t pid : children) ::kill(pid, SIGKILL);
    const pid_t reaped = ::waitpid(-1, nullptr, 0);
    if (reaped < 0 && errno == ECHILD) return;
  }
}

}  // namespace reef::sandbox
