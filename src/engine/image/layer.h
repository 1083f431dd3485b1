// Lays one layer of an image over a folder. The layer is hostile until proven otherwise: nothing that it says can
// create, change or remove anything outside the folder, whatever links it makes on the way.
//
// Files belong to the daemon's user, or to `owners`; set-user-id bits, device nodes and extended attributes are left out,
// as a sandbox would not honour them.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace reef::image {

struct LayerLimits {
  std::uint64_t bytes_max = 32ull << 30;  // unpacked, against decompression bombs
  std::uint64_t entries_max = 2'000'000;
};

// The host's ids that those of images are mapped to, when the daemon is root: `count` from `first` on. One: it owns all,
// whoever the layer says. None: everything is the daemon's.
struct Owners {
  std::uint32_t first = 0, count = 0;
};

// `layer` is a file with a tar, plain or compressed by gzip, zstd, xz or bzip2. `diff_id` is the digest of the plain tar.
// A failure leaves `root` half-made.
Result<void, Failure> apply_layer(int root, const std::string& layer, const std::string& diff_id, const Owners& owners = {}, const LayerLimits& limits = {});

// Removes a file or a folder with all that is in it, without following links. Already gone is success.
Result<void, Failure> remove_tree(int parent, const std::string& name);

}  // namespace reef::image
