#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace reef {
namespace {
std::atomic<std::uint64_t> bugs{0};
}

std::uint64_t bug_count() { return bugs.load(std::memory_order_relaxed); }

namespace detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "atoll: fatal: check failed at %s:%d: %s\n", file, line, condition);
  std::abort();
}

bool report_bug(std::atomic<bool>& logged, const char* condition, const char* file, int line) {
  bugs.fetch_add(1, std::memory_order_relaxed);
  if (!logged.exchange(true)) std::fprintf(stderr, "atoll: bug at %s:%d: %s\n", file, line, condition);
  return true;
}

}  // namespace detail
}  // namespace reef
