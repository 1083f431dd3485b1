#include "base/task.h"

#include <array>
#include <new>

namespace reef::detail {
namespace {

// Freed frames, kept by size class of 64 bytes. A frame may be freed on another thread than the one that made
// it; it then joins that thread's pool, which is harmless because the blocks are plain malloc blocks.
constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 64;
constexpr std::size_t kKeptMax = 256;

struct FreeFrame {
  FreeFrame* next;
};

struct FramePool {
  std::array<FreeFrame*, kClasses> free{};
  std::array<std::size_t, kClasses> count{};
  ~FramePool() {
    for (std::size_t i = 0; i < kClasses; ++i) {
      while (FreeFrame* frame = free[i]) {
        free[i] = frame->next;
        std::free(frame);
      }
      count[i] = kKeptMax;  // a frame freed after thread exit goes straight back to malloc
    }
  }
};

thread_local FramePool pool;

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t index = (size + kClassBytes - 1) / kClassBytes;
  if (index < kClasses && pool.free[index]) {
    FreeFrame* frame = pool.free[index];
    pool.free[index] = frame->next;
    --pool.count[index];
    return frame;
  }
  void* block = std::malloc(index < kClasses ? index * kClassBytes : size);
  if (!block) throw std::bad_alloc();
  return block;
}

void free_frame(void* block, std::size_t size) noexcept {
  const std::size_t index = (size + kClassBytes - 1) / kClassBytes;
  if (index >= kClasses || pool.count[index] >= kKeptMax) {
    std::free(block);
    return;
  }
  auto* frame = static_cast<FreeFrame*>(block);
  frame->next = pool.free[index];
  pool.free[index] = frame;
  ++pool.count[index];
}

}  // namespace reef::detail
