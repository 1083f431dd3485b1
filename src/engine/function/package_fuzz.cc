#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/function/package.h"

// What an archive writes stays below its folder: a neighbour that hostile paths would hit is looked at each time.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  namespace fs = std::filesystem;
  static const std::string root = (fs::temp_directory_path() / ("atoll-package-fuzz-" + std::to_string(::getpid()))).string();
  std::error_code error;
  fs::create_directories(root, error);
  constexpr std::uint64_t kBytesMax = 1 << 20;
  const auto unpacked = reef::function::unpack_zip({reinterpret_cast<const char*>(data), size}, root + "/in", kBytesMax);
  if (unpacked && *unpacked > kBytesMax) std::abort();
  for (const auto& entry : fs::directory_iterator(root, error))
    if (entry.path().filename() != "in") std::abort();
  fs::remove_all(root, error);
  return 0;
}
