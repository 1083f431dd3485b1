#include "engine/sandbox/image_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/sandbox/mounts.h"

namespace reef::sandbox {
namespace {

constexpr const char* kBase = "/tmp";  // where the new root is put together, hidden below a memory file system

// A name for the host's root inside that no image can have prepared a link to.
std::string unguessable_name() {
  unsigned char bytes[12];
  static_cast<void>(!::getrandom(bytes, sizeof(bytes), 0));
  std::string out = "/.host-";
  for (const unsigned char byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

// A folder, whatever the image has there.
Result<void, Failure> make_folder(const std::string& path, mode_t mode) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode) && ::unlink(path.c_str()) < 0) return Err(step_failed("remove " + path));
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return Err(step_failed("mkdir " + path));
  return {};
}

Result<void, Failure> replace_file(const std::string& path, const std::string& text) {
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) return Err(step_failed("remove " + path));
  return write_file(path, text);
}

Result<void, Failure> name_the_network(const Spec& spec, const std::string& host) {
  TRY(make_folder("/etc", 0755));
  std::string hosts = fmt::format("127.0.0.1 localhost\n{} {}\n", spec.address, spec.hostname);
  for (const std::string& line : spec.image.hosts) hosts += line + "\n";
  TRY(replace_file("/etc/hosts", hosts));
  TRY(replace_file("/etc/hostname", spec.hostname + "\n"));
  if (spec.network == Network::kIsolated) return replace_file("/etc/resolv.conf", "nameserver 169.254.100.1\noptions timeout:2 attempts:2\n");
  const std::string resolv = host + "/etc/resolv.conf";
  if (::access(resolv.c_str(), R_OK) != 0) return {};
  if (::unlink("/etc/resolv.conf") < 0 && errno != ENOENT) return Err(step_failed("remove /etc/resolv.conf"));
  return bind_at(resolv, "/etc/resolv.conf", true);
}

Result<void, Failure> lay_over(const Spec& spec, std::uint32_t uid, std::uint32_t gid) {
  const std::string base = kBase;
  // Here and not by name in the options, where a comma or a colon would mean something else; and before /tmp is hidden.
  if (::chdir(spec.image.folder.c_str()) < 0) return Err(step_failed("open the image's files"));
  TRY(mount_at("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, fmt::format("mode=755,size={}", spec.image.written_bytes)));
  for (const char* name : {"/written", "/work", "/root"})
    if (::mkdir((base + name).c_str(), 0755) < 0) return Err(step_failed(base + name));
  static_cast<void>(!::chown((base + "/written").c_str(), uid, gid));
  const std::string options = fmt::format("lowerdir=.,upperdir={0}/written,workdir={0}/work", base);
  // In a user namespace the kernel keeps its marks in attributes of users.
  if (!mount_at("overlay", base + "/root", "overlay", MS_NOSUID | MS_NODEV, options + ",userxattr"))
    TRY(mount_at("overlay", base + "/root", "overlay", MS_NOSUID | MS_NODEV, options));
  return {};
}

}  // namespace

Result<void, Failure> set_up_image_root(const Spec& spec, std::uint32_t owner_uid, std::uint32_t owner_gid) {
  TRY(mount_at("none", "/", nullptr, MS_REC | MS_PRIVATE));
  TRY(lay_over(spec, owner_uid, owner_gid));
  const std::string host = unguessable_name(), root = std::string(kBase) + "/root", old_at = root + host;
  if (::mkdir(old_at.c_str(), 0700) < 0) return Err(step_failed("mkdir " + old_at));
  if (::syscall(SYS_pivot_root, root.c_str(), old_at.c_str()) < 0) return Err(step_failed("pivot_root"));
  if (::chdir("/") < 0) return Err(step_failed("chdir /"));
  // The root holds on to its layers; the host's own /tmp may be where something to bind is.
  if (::umount2((host + kBase).c_str(), MNT_DETACH) < 0) return Err(step_failed("uncover the host's /tmp"));

  TRY(make_folder("/proc", 0755));
  TRY(mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  TRY(make_folder("/dev", 0755));
  TRY(mount_at("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755,size=1m"));
  TRY(make_devices(host));
  TRY(name_the_network(spec, host));
  TRY(make_folder("/tmp", 01777));
  static_cast<void>(!::chmod("/tmp", 01777));
  for (const Scratch& scratch : spec.scratches) {
    make_folders(scratch.target);
    TRY(make_folder(scratch.target, 0755));
    TRY(mount_at("tmpfs", scratch.target, "tmpfs", MS_NOSUID | MS_NODEV, scratch.bytes ? fmt::format("mode=1777,size={}", scratch.bytes) : std::string("mode=1777")));
  }
  for (const Bind& entry : spec.binds) TRY(bind_at(host + entry.source, entry.target, entry.read_only));
  make_folders(spec.cwd);
  if (::mkdir(spec.cwd.c_str(), 0755) == 0) static_cast<void>(!::chown(spec.cwd.c_str(), owner_uid, owner_gid));
  if (::umount2(host.c_str(), MNT_DETACH) < 0) return Err(step_failed("detach the host's root"));
  ::rmdir(host.c_str());
  return set_attributes("/", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (spec.image.read_only ? MOUNT_ATTR_RDONLY : 0), false);
}

}  // namespace reef::sandbox
