// Three strengths of "cannot happen". None of them is for outside input.
#pragma once

#include <atomic>
#include <cstdint>

namespace reef {

// Number of BUG_IF conditions that were met since the process started; exported as a metric.
std::uint64_t bug_count();

namespace detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
bool report_bug(std::atomic<bool>& logged, const char* condition, const char* file, int line);
}  // namespace detail
}  // namespace reef

// State is corrupt or durability is broken: abort.
#define CHECK(condition) \
  (static_cast<bool>(condition) ? void() : ::reef::detail::check_failed(#condition, __FILE__, __LINE__))

// A bug that the caller survives by answering an internal error: counted, logged once, true when met.
#define BUG_IF(condition)                                                             \
  (__builtin_expect(static_cast<bool>(condition), 0) && [] {                          \
    static std::atomic<bool> logged{false};                                           \
    return ::reef::detail::report_bug(logged, #condition, __FILE__, __LINE__);       \
  }())

#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(0)
#else
#define DCHECK(condition) CHECK(condition)
#endif
