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

#include "engine/sandbox/image_root.h"
#include "engine/sandbox/mounts.h"

namespace reef::sandbox {
namespace {

constexpr const char* kOld = "/.host";

// The pieces of /etc that programs need and that hold no secret. passwd, hosts and the like are written anew.
constexpr const char* kEtcPieces[] = {"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "ca-certificates", "pki",
                                      "crypto-policies", "alternatives", "localtime", "timezone", "protocols",
                                      "services", "mime.types", "python3", "python3.11", "fonts"};
// /usr, and the folders beside it: symbolic links into /usr on a merged system, real folders elsewhere.
Result<void, Failure> bind_system() {
  TRY(bind_at(std::string(kOld) + "/usr", "/usr", true));
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const std::string source = fmt::format("{}/{}", kOld, name), target = fmt::format("/{}", name);
    struct stat info{};
    if (::lstat(source.c_str(), &info) < 0) continue;
    if (S_ISLNK(info.st_mode)) {
      char link[256];
      const ssize_t size = ::readlink(source.c_str(), link, sizeof(link) - 1);
      if (size <= 0) continue;
      link[size] = 0;
      if (::symlink(link, target.c_str()) < 0) return Err(step_failed("symlink " + target));
    } else {
      TRY(bind_at(source, target, true));
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
      TRY(bind_at(source, target, true));
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
  if (::access(resolv.c_str(), R_OK) == 0) return bind_at(resolv, "/etc/resolv.conf", true);
  return {};
}

}  // namespace

Result<void, Failure> set_up_root(const Spec& spec, std::uint32_t owner_uid, std::uint32_t owner_gid) {
  ::umask(022);
  if (!spec.image.folder.empty()) return set_up_image_root(spec, owner_uid, owner_gid);
  TRY(mount_at("none", "/", nullptr, MS_REC | MS_PRIVATE));
  // The new root starts out over /tmp; after pivot_root the host's own /tmp is visible again below kOld.
  TRY(mount_at("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m"));
  const std::string old_at = std::string("/tmp") + kOld;
  if (::mkdir(old_at.c_str(), 0700) < 0) return Err(step_failed("mkdir " + old_at));
  if (::syscall(SYS_pivot_root, "/tmp", old_at.c_str()) < 0) return Err(step_failed("pivot_root"));
  if (::chdir("/") < 0) return Err(step_failed("chdir /"));

  TRY(bind_system());
  TRY(make_etc(spec));
  TRY(make_devices(kOld));
  ::mkdir("/proc", 0755);
  TRY(mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  ::mkdir("/tmp", 01777);
  TRY(mount_at("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
               fmt::format("mode=1777,size={}", spec.limits.tmp_bytes)));
  static_cast<void>(::chown("/tmp", owner_uid, owner_gid));
  for (const Bind& entry : spec.binds) TRY(bind_at(kOld + entry.source, entry.target, entry.read_only));
  if (!spec.later_root.empty()) {
    TRY(bind_at(kOld + spec.later_root, kLaterMount, true));
    for (const std::string& target : spec.later_targets) {
      make_folders(target);
      ::mkdir(target.c_str(), 0755);
    }
  }
  if (::umount2(kOld, MNT_DETACH) < 0) return Err(step_failed("detach the host's root"));
  ::rmdir(kOld);
  return set_attributes("/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false);
}

Result<void, Failure> attach_later(const std::vector<Bind>& binds) {
  for (const Bind& entry : binds) {
    const std::string source = fmt::format("{}/{}", kLaterMount, entry.source);
    TRY(mount_at(source.c_str(), entry.target, nullptr, MS_BIND | MS_REC));
    TRY(set_attributes(entry.target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, true));
  }
  if (::umount2(kLaterMount, MNT_DETACH) < 0) return Err(step_failed(fmt::format("detach {}", kLaterMount)));
  return {};
}

}  // namespace reef::sandbox
