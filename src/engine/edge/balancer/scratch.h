// A per-thread buffer for one read at a time: valid until the next read on the same thread.
#pragma once

#include <cstddef>
#include <memory>

namespace reef::edge {

constexpr std::size_t kProxyScratchBytes = 64 * 1024;

inline char* proxy_scratch() {
  // Never value-initialised: it is only read where the kernel wrote.
  thread_local const std::unique_ptr<char[]> scratch(new char[kProxyScratchBytes]);
  return scratch.get();
}

}  // namespace reef::edge
