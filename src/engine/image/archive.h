// Reads what tools write images to: an OCI layout as a folder, an OCI archive (the same in a tar), or the archive that
// `docker save` makes. Names inside an archive never become paths on disk.
#pragma once

#include <string>
#include <vector>

#include "engine/image/blobs.h"

namespace reef::image {

struct FoundImage {
  std::string digest;  // of its manifest or index, which is among the blobs then
  std::string name;    // a reference, only a tag, or empty: as the archive says
};

// Copies every image of `path` with all parts for this machine's platform into `blobs`, checked against their digests.
// On failure parts may be left, which nothing refers to.
Result<std::vector<FoundImage>, Failure> read_images(const std::string& path, const BlobFolder& blobs);

}  // namespace reef::image
