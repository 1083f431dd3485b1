// What the two kinds of file systems of a sandbox (rootfs.h, image_root.h) are built with. For a process that has a mount
// namespace of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::sandbox {

// errno, after the step that failed.
Failure step_failed(std::string step);
Result<void, Failure> mount_at(const char* source, const std::string& target, const char* type, unsigned long flags, const std::string& data = {});
// MOUNT_ATTR_RDONLY and the like.
Result<void, Failure> set_attributes(const std::string& target, std::uint64_t set, bool recursive);
// The folders on the way to `path`, which is not made.
void make_folders(const std::string& path);
// Shows the file or folder `source` at `target`, which is made.
Result<void, Failure> bind_at(const std::string& source, const std::string& target, bool read_only, bool devices = false);
Result<void, Failure> write_file(const std::string& path, std::string_view text);
// /dev with the harmless devices of the host, whose root is seen at `host`.
Result<void, Failure> make_devices(const std::string& host);

}  // namespace reef::sandbox
