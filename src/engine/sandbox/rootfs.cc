#include "engine/sandbox/rootfs.h"

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

constexpr const char* kOld = "/.host";

// The pieces of /etc that programs need and that hold no secret. passwd, hosts and the like are written anew.
constexpr const char* kEtcPieces[] = {"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "ca-certificates", "pki",
                                      "crypto-policies", "alternatives", "localtime", "timezone", "protocols",
                                      "services", "mime.types", "python3", "python3.11", "fonts"};
constexpr const char* kDevices[] = {"null", "zero", "full", "random", "urandom", "tty"};

Failure failed(std::string step) {
  const int error = errno;
  return {fmt::format("{}: {}", step, std::strerror(error)), error};
}

Result<void, Failure> mount_at(const char* source, const std::string& target, const char* type, unsigned long flags,
                               const std::string& data = {}) {
  if (::mount(source, target.c_str(), type, flags, data.empty() ? nullptr : data.c_str()) < 0)
    return Err(failed(fmt::format("mount {} ({})", target, type ? type : "bind")));
  return {};
}

Result<void, Failure> set_attributes(const std::string& target, std::uint64_t set, bool recursive) {
  mount_attr attributes{};
  attributes.attr_set = set;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, target.c_str(), recursive ? AT_RECURSIVE : 0, &attributes,
                sizeof(attributes)) < 0)
    return Err(failed("mount_setattr " + target));
  return {};
}

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0755);
}

// Creates what `source` is going to be bound on.
Result<void, Failure> make_target(const std::string& source, const std::string& target) {
  struct stat info{};
  if (::stat(source.c_str(), &info) < 0) return Err(failed("bind source " + source));
  make_folders(target);
  if (S_ISDIR(info.st_mode)) {
    if (::mkdir(target.c_str(), 0755) < 0 && errno != EEXIST) return Err(failed("mkdir " + target));
    return {};
  }
  const int fd = ::open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) return Err(failed("create " + target));
  ::close(fd);
  return {};
}

Result<void, Failure> bind(const std::string& source, const std::string& target, bool read_only, bool devices = false) {
  TRY(make_target(source, target));
  TRY(mount_at(source.c_str(), target, nullptr, MS_BIND | MS_REC));
  std::uint64_t set = MOUNT_ATTR_NOSUID | (devices ? 0 : MOUNT_ATTR_NODEV);
  if (read_only) set |= MOUNT_ATTR_RDONLY;
  return set_attributes(target, set, true);
}

Result<void, Failure> write_file(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Err(failed("create " + path));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!written) return Err(failed("write " + path));
  return {};
}

// /usr, and the folders beside it: symbolic links into /usr on a merged system, real folders elsewhere.
Result<void, Failure> bind_system() {
  TRY(bind(std::string(kOld) + "/usr", "/usr", true));
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const std::string source = fmt::format("{}/{}", kOld, name), target = fmt::format("/{}", name);
    struct stat info{};
    if (::lstat(source.c_str(), &info) < 0) continue;
    if (S_ISLNK(info.st_mode)) {
      char link[256];
      const ssize_t size = ::readlink(source.c_str(), link, sizeof(link) - 1);
      if (size <= 0) continue;
      link[size] = 0;
      if (::symlink(link, target.c_str()) < 0) return Err(failed("symlink " + target));
    } else {
      TRY(bind(source, target, true));
    }
  }
  return {};
}

Result<void, Failure> make_etc(const Spec& spec) {
  ::mkdir("/etc", 0755);
  for (const char* name : kEtcPieces) {
    const std::string source = fmt::format("{}/etc/{}", kOld, name), target = fmt::format("/etc/{}", name);
    struct stat info{};
    if (::lstat(source.c_str(), &info) < 0) continue;
    if (S_ISLNK(info.st_mode)) {
      char link[512];
      const ssize_t size = ::readlink(source.c_str(), link, sizeof(link) - 1);
      if (size <= 0) continue;
      link[size] = 0;
      static_cast<void>(::symlink(link, target.c_str()));
    } else {
      TRY(bind(source, target, true));
    }
  }
  TRY(write_file("/etc/passwd", fmt::format("root:x:0:0:root:/root:/sbin/nologin\n{0}:x:{1}:{2}::/home/{0}:/sbin/nologin\n",
                                            spec.user_name, spec.uid, spec.gid)));
  TRY(write_file("/etc/group", fmt::format("root:x:0:\n{}:x:{}:\n", spec.user_name, spec.gid)));
  TRY(write_file("/etc/hosts", fmt::format("127.0.0.1 localhost\n{} {}\n", spec.address, spec.hostname)));
  TRY(write_file("/etc/hostname", spec.hostname + "\n"));
  TRY(write_file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"));
  if (spec.network == Network::kIsolated) return write_file("/etc/resolv.conf", "nameserver 169.254.100.1\noptions timeout:2 attempts:2\n");
  const std::string resolv = std::string(kOld) + "/etc/resolv.conf";
  if (::access(resolv.c_str(), R_OK) == 0) return bind(resolv, "/etc/resolv.conf", true);
  return {};
}

Result<void, Failure> make_dev() {
  ::mkdir("/dev", 0755);
  for (const char* name : kDevices) {
    const std::string source = fmt::format("{}/dev/{}", kOld, name);
    if (::access(source.c_str(), F_OK) != 0) continue;
    TRY(bind(source, fmt::format("/dev/{}", name), false, true));
  }
  static_cast<void>(::symlink("/proc/self/fd", "/dev/fd"));
  static_cast<void>(::symlink("/proc/self/fd/0", "/dev/stdin"));
  static_cast<void>(::symlink("/proc/self/fd/1", "/dev/stdout"));
  static_cast<void>(::symlink("/proc/self/fd/2", "/dev/stderr"));
  ::mkdir("/dev/shm", 01777);
  return mount_at("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64m");
}

}  // namespace

Result<void, Failure> set_up_root(const Spec& spec, std::uint32_t owner_uid, std::uint32_t owner_gid) {
  ::umask(022);
  TRY(mount_at("none", "/", nullptr, MS_REC | MS_PRIVATE));
  // The new root starts out over /tmp; after pivot_root the host's own /tmp is visible again below kOld.
  TRY(mount_at("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m"));
  const std::string old_at = std::string("/tmp") + kOld;
  if (::mkdir(old_at.c_str(), 0700) < 0) return Err(failed("mkdir " + old_at));
  if (::syscall(SYS_pivot_root, "/tmp", old_at.c_str()) < 0) return Err(failed("pivot_root"));
  if (::chdir("/") < 0) return Err(failed("chdir /"));

  TRY(bind_system());
  TRY(make_etc(spec));
  TRY(make_dev());
  ::mkdir("/proc", 0755);
  TRY(mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  ::mkdir("/tmp", 01777);
  TRY(mount_at("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
               fmt::format("mode=1777,size={}", spec.limits.tmp_bytes)));
  static_cast<void>(::chown("/tmp", owner_uid, owner_gid));
  for (const Bind& entry : spec.binds) TRY(bind(kOld + entry.source, entry.target, entry.read_only));
  if (!spec.later_root.empty()) {
    TRY(bind(kOld + spec.later_root, kLaterMount, true));
    for (const std::string& target : spec.later_targets) {
      make_folders(target);
      ::mkdir(target.c_str(), 0755);
    }
  }
  if (::umount2(kOld, MNT_DETACH) < 0) return Err(failed("detach the host's root"));
  ::rmdir(kOld);
  return set_attributes("/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false);
}

Result<void, Failure> attach_later(const std::vector<Bind>& binds) {
  for (const Bind& entry : binds) {
    const std::string source = fmt::format("{}/{}", kLaterMount, entry.source);
    TRY(mount_at(source.c_str(), entry.target, nullptr, MS_BIND | MS_REC));
    TRY(set_attributes(entry.target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, true));
  }
  if (::umount2(kLaterMount, MNT_DETACH) < 0) return Err(failed(fmt::format("detach {}", kLaterMount)));
  return {};
}

}  // namespace reef::sandbox
