// Connects to a target by address. Most addresses are the machine's own; those of sandboxes exist only inside their
// network namespaces, and whoever runs them says here how they are reached.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/result.h"
#include "base/task.h"
#include "io/socket.h"

namespace reef::edge {

class Dialer {
 public:
  // Nothing when the address is not one of theirs. Called on any loop, and must come back on the same one.
  using Inside = std::function<std::optional<Task<Result<int, Failure>>>(std::string_view ip, int port)>;

  // Thread-safe.
  void set_inside(Inside inside) {
    inside_.write([&](Inside& now) { now = std::move(inside); });
  }

  // A non-blocking socket that is connected or still connecting (it becomes writable then); the caller owns it.
  // From the address `source` where that is possible.
  Task<Result<int, Failure>> dial(std::string_view ip, int port, std::string source = {}) const {
    if (const Inside inside = inside_.read([](const Inside& now) { return now; }))
      if (auto task = inside(ip, port)) co_return co_await *std::move(task);
    auto fd = io::connect_tcp(std::string(ip), port, source);
    if (!fd) co_return Err(std::move(fd.error()));
    co_return fd->release();
  }

 private:
  Guarded<Inside> inside_;
};

}  // namespace reef::edge
