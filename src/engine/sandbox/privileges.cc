#include "engine/sandbox/privileges.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace reef::sandbox {
namespace {

Failure failed(std::string_view step) {
  const int error = errno;
  return {fmt::format("{}: {}", step, std::strerror(error)), error};
}

// By name, so that a call which this libseccomp does not know is left out instead of failing the build.
constexpr const char* kDenied[] = {
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "unshare", "setns", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
    "kcmp", "bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "create_module", "keyctl", "add_key", "request_key", "reboot", "swapon", "swapoff",
    "sethostname", "setdomainname", "iopl", "ioperm", "acct", "quotactl", "quotactl_fd", "syslog", "settimeofday",
    "stime", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime", "clock_adjtime64", "open_by_handle_at",
    "name_to_handle_at", "lookup_dcookie", "fanotify_init", "vhangup", "nfsservctl", "vm86", "vm86old", "modify_ldt"};

std::vector<sock_filter> build_program() {
  std::vector<sock_filter> program;
  scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return program;
  for (const char* name : kDenied) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number != __NR_SCMP_ERROR) ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
  }
  // libc falls back to clone, whose flags can be looked at.
  ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  for (const char* name : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number != __NR_SCMP_ERROR) ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
  }
  for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET})
    ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
  ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, TIOCSTI));
  const int fd = static_cast<int>(::syscall(SYS_memfd_create, "seccomp", MFD_CLOEXEC));
  if (fd >= 0 && ::seccomp_export_bpf(filter, fd) == 0) {
    struct stat info{};
    ::fstat(fd, &info);
    program.resize(static_cast<std::size_t>(info.st_size) / sizeof(sock_filter));
    if (::pread(fd, program.data(), static_cast<std::size_t>(info.st_size), 0) != info.st_size) program.clear();
  }
  if (fd >= 0) ::close(fd);
  ::seccomp_release(filter);
  return program;
}

bool write_text(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  return written;
}

}  // namespace

const std::vector<sock_filter>& seccomp_program() {
  static const std::vector<sock_filter> program = build_program();
  return program;
}

Result<void, Failure> install_seccomp(const std::vector<sock_filter>& program) {
  if (program.empty()) return Err(Failure{"the seccomp filter could not be built"});
  const sock_fprog filter{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0) return Err(failed("seccomp"));
  return {};
}

Result<void, Failure> drop_capabilities() {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capset, &header, data) < 0) return Err(failed("capset"));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Err(failed("no_new_privs"));
  return {};
}

Result<void, Failure> keep_container_capabilities() {
  constexpr int kKept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_SETFCAP};
  std::uint64_t kept = 0;
  for (const int capability : kKept) kept |= 1ull << capability;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
    if ((kept >> capability & 1) == 0) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int i = 0; i < 2; ++i) data[i].effective = data[i].permitted = static_cast<std::uint32_t>(kept >> (32 * i));
  if (::syscall(SYS_capset, &header, data) < 0) return Err(failed("capset"));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Err(failed("no_new_privs"));
  return {};
}

Result<void, Failure> map_ids_of(int process, std::uint32_t first, std::uint32_t count) {
  const std::string line = fmt::format("0 {} {}\n", first, count);
  if (!write_text(fmt::format("/proc/{}/uid_map", process).c_str(), line)) return Err(failed("write uid_map"));
  if (!write_text(fmt::format("/proc/{}/gid_map", process).c_str(), line)) return Err(failed("write gid_map"));
  return {};
}

Result<void, Failure> set_groups(const std::vector<std::uint32_t>& groups) {
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) < 0) return Err(failed("setgroups"));
  return {};
}

Result<void, Failure> set_group(std::uint32_t gid) {
  if (::syscall(SYS_setresgid, gid, gid, gid) < 0) return Err(failed(fmt::format("group {}", gid)));
  return {};
}

Result<void, Failure> set_user(std::uint32_t uid) {
  if (::syscall(SYS_setresuid, uid, uid, uid) < 0) return Err(failed(fmt::format("user {}", uid)));
  return {};
}

Result<void, Failure> become_user(std::uint32_t uid, std::uint32_t gid) {
  TRY(set_groups({}));
  TRY(set_group(gid));
  return set_user(uid);
}

Result<void, Failure> map_own_ids(std::uint32_t inner_uid, std::uint32_t inner_gid, std::uint32_t outer_uid,
                                  std::uint32_t outer_gid) {
  if (!write_text("/proc/self/setgroups", "deny")) return Err(failed("write setgroups"));
  if (!write_text("/proc/self/uid_map", fmt::format("{} {} 1\n", inner_uid, outer_uid))) return Err(failed("write uid_map"));
  if (!write_text("/proc/self/gid_map", fmt::format("{} {} 1\n", inner_gid, outer_gid))) return Err(failed("write gid_map"));
  return {};
}

}  // namespace reef::sandbox
