// Memory, process-count and CPU limits by control groups, when the daemon may make them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/sandbox/spec.h"

namespace reef::sandbox {

class Cgroups {
 public:
  enum class Kind { kNone, kVersion1, kVersion2 };
  // Finds out by doing which kind works here, and removes what a former daemon left behind.
  static Cgroups detect();
  Cgroups() = default;
  // For a process that learned from another what detect() found.
  explicit Cgroups(Kind kind) : kind_(kind), root_("/sys/fs/cgroup") {}
  Kind kind() const { return kind_; }

  // Makes the group `id`. A limit that cannot be set is a failure; the group is then gone again.
  Result<void, Failure> create(const std::string& id, const Limits& limits) const;
  // Version 2: a descriptor for CLONE_INTO_CGROUP, so that a child starts in the group; -1 otherwise.
  int open_for_clone(const std::string& id) const;
  // Version 1: moves the calling process, which must have one thread, into it.
  Result<void, Failure> enter(const std::string& id) const;
  Result<void, Failure> set_memory(const std::string& id, std::uint64_t bytes) const;
  // Whether the kernel killed something in it for want of memory.
  bool was_out_of_memory(const std::string& id) const;
  // The file that says the most that was ever in use; owned by the caller, -1 where there is none.
  int open_peak_memory(const std::string& id) const;
  void remove(const std::string& id) const;

 private:
  std::string folder(const char* controller, const std::string& id) const;
  Kind kind_ = Kind::kNone;
  std::string root_;
};

}  // namespace reef::sandbox
