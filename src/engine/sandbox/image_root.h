// Builds a sandbox's file system from an image, in the mount namespace that the calling process is in: the image's
// folder below, memory above that takes what is written; /proc, /dev, the names of the network, and what is bound.
#pragma once

#include "base/result.h"
#include "engine/sandbox/spec.h"

namespace reef::sandbox {

// The calling process ends up in the new root, at "/". Everything belongs to `owner_uid`/`owner_gid`.
Result<void, Failure> set_up_image_root(const Spec& spec, std::uint32_t owner_uid, std::uint32_t owner_gid);

}  // namespace reef::sandbox
