#include "engine/sandbox/mounts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace reef::sandbox {
namespace {

constexpr const char* kDevices[] = {"null", "zero", "full", "random", "urandom", "tty"};

// Creates what `source` is going to be bound on.
Result<void, Failure> make_target(const std::string& source, const std::string& target) {
  struct stat info{};
  if (::stat(source.c_str(), &info) < 0) return Err(step_failed("bind source " + source));
  make_folders(target);
  if (S_ISDIR(info.st_mode)) {
    if (::mkdir(target.c_str(), 0755) < 0 && errno != EEXIST) return Err(step_failed("mkdir " + target));
    return {};
  }
  const int fd = ::open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) return Err(step_failed("create " + target));
  ::close(fd);
  return {};
}

}  // namespace

Failure step_failed(std::string step) {
  const int error = errno;
  return {fmt::format("{}: {}", step, std::strerror(error)), error};
}

Result<void, Failure> mount_at(const char* source, const std::string& target, const char* type, unsigned long flags,
                               const std::string& data) {
  if (::mount(source, target.c_str(), type, flags, data.empty() ? nullptr : data.c_str()) < 0)
    return Err(step_failed(fmt::format("mount {} ({})", target, type ? type : "bind")));
  return {};
}

Result<void, Failure> set_attributes(const std::string& target, std::uint64_t set, bool recursive) {
  mount_attr attributes{};
  attributes.attr_set = set;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, target.c_str(), recursive ? AT_RECURSIVE : 0, &attributes,
                sizeof(attributes)) < 0)
    return Err(step_failed("mount_setattr " + target));
  return {};
}

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0755);
}

Result<void, Failure> bind_at(const std::string& source, const std::string& target, bool read_only, bool devices) {
  TRY(make_target(source, target));
  TRY(mount_at(source.c_str(), target, nullptr, MS_BIND | MS_REC));
  std::uint64_t set = MOUNT_ATTR_NOSUID | (devices ? 0 : MOUNT_ATTR_NODEV);
  if (read_only) set |= MOUNT_ATTR_RDONLY;
  return set_attributes(target, set, true);
}

Result<void, Failure> write_file(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Err(step_failed("create " + path));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!written) return Err(step_failed("write " + path));
  return {};
}

Result<void, Failure> make_devices(const std::string& host) {
  ::mkdir("/dev", 0755);
  for (const char* name : kDevices) {
    const std::string source = fmt::format("{}/dev/{}", host, name);
    if (::access(source.c_str(), F_OK) != 0) continue;
    TRY(bind_at(source, fmt::format("/dev/{}", name), false, true));
  }
  static_cast<void>(::symlink("/proc/self/fd", "/dev/fd"));
  static_cast<void>(::symlink("/proc/self/fd/0", "/dev/stdin"));
  static_cast<void>(::symlink("/proc/self/fd/1", "/dev/stdout"));
  static_cast<void>(::symlink("/proc/self/fd/2", "/dev/stderr"));
  // Terminals of its own, for programs that make some (ssh, tmux, script) and for those that look up theirs by name.
  ::mkdir("/dev/pts", 0755);
  if (mount_at("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")) static_cast<void>(::symlink("pts/ptmx", "/dev/ptmx"));
  ::mkdir("/dev/shm", 01777);
  return mount_at("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64m");
}

}  // namespace reef::sandbox
