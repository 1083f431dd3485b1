// Builds a sandbox's file system in the mount namespace that the calling process is in: a small tmpfs with the
// host's programs and libraries bound read-only, a private /tmp, /proc and a minimal /dev.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/sandbox/spec.h"

namespace reef::sandbox {

// Where `Spec::later_root` is mounted until attach_later() or hide_later().
inline constexpr const char* kLaterMount = "/run/later";

// With `Spec::image` set, the image's files instead, under a layer of memory that takes what is written.
//
// The calling process ends up in the new root, at "/". `owner_uid`/`owner_gid` own /tmp.
Result<void, Failure> set_up_root(const Spec& spec, std::uint32_t owner_uid, std::uint32_t owner_gid);
// Binds parts of the later root, by paths relative to it, then hides the rest.
Result<void, Failure> attach_later(const std::vector<Bind>& binds);

}  // namespace reef::sandbox
