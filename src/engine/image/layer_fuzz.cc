#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/image/layer.h"
#include "io/socket.h"

// Any bytes as a layer: nothing may appear beside the folder that it is laid over.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  char name[] = "/tmp/atoll-fuzz-layer-XXXXXX";
  const std::string base = ::mkdtemp(name), layer = base + "/layer", root = base + "/root";
  ::mkdir(root.c_str(), 0755);
  {
    const reef::io::Fd file(::open(layer.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
    const reef::io::Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    static_cast<void>(reef::image::apply_layer(folder.get(), layer, "", {}, {.bytes_max = 1 << 20, .entries_max = 1000}));
  }
  for (const auto& entry : std::filesystem::directory_iterator(base))
    if (entry.path().filename() != "layer" && entry.path().filename() != "root") std::abort();
  static_cast<void>(reef::image::remove_tree(AT_FDCWD, base));
  return 0;
}
