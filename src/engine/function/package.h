// Unpacks deployment packages. Hostile archives are expected: nothing is written outside the target folder, links
// cannot lead out of it, and sizes are bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::function {

enum class PackageProblem { kNotAZip, kTooLarge, kUnsafe, kDisk };
struct PackageRefused {
  PackageProblem why;
  std::string detail;
};

// Into `folder`, which is created and must be empty or absent; it is left incomplete on failure. Everything
// becomes readable by everybody, as a sandbox has a user of its own. Blocks: run it on a pool. Returns the unpacked size.
Result<std::uint64_t, PackageRefused> unpack_zip(std::string_view zip, const std::string& folder, std::uint64_t bytes_max);

// A zip with one file, for source that was given inline.
std::string make_zip(const std::string& name, std::string_view content);

}  // namespace reef::function
