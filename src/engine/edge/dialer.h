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

// Says who may connect, and is told of the connections. `caller` is in whose name: a target group, or "task:" and what a sandbox
// belongs to. On any loop.
class DialGuard {
 public:
  virtual ~DialGuard() = default;
  virtual bool admits(std::string_view caller, std::string_view ip, int port) = 0;
  virtual void opened(std::string_view caller, std::string_view ip, int port, int fd) = 0;
  virtual void closing(int fd) = 0;
};
// The Failure's code when the guard refuses.
inline constexpr int kRefusedByNetwork = 13;  // EACCES

class Dialer {
 public:
  // Nothing when the address is not one of theirs. Called on any loop, and must come back on the same one.
  using Inside = std::function<std::optional<Task<Result<int, Failure>>>(std::string_view ip, int port)>;

  // Thread-safe.
  void set_inside(Inside inside) {
    inside_.write([&](Inside& now) { now = std::move(inside); });
  }

  // Before there are connections.
  void set_guard(DialGuard* guard) { guard_ = guard; }
  // For whoever uses a connection in another's name. On the control shard for tasks.
  bool admits(std::string_view caller, std::string_view ip, int port) const { return !guard_ || caller.empty() || guard_->admits(caller, ip, port); }
  // Whoever dialled says that it closes the socket now.
  void closing(int fd) const {
    if (guard_ && fd >= 0) guard_->closing(fd);
  }

  // A non-blocking socket that is connected or still connecting (it becomes writable then); the caller owns it.
  // From the address `source` where that is possible.
  Task<Result<int, Failure>> dial(std::string ip, int port, std::string caller = {}, std::string source = {}) const {
    if (guard_ && !caller.empty() && !guard_->admits(caller, ip, port))
      co_return Err(Failure{"connect " + ip + ": refused by security groups or network ACLs", kRefusedByNetwork});
    if (const Inside inside = inside_.read([](const Inside& now) { return now; }))
      if (auto task = inside(ip, port)) {
        auto fd = co_await *std::move(task);
        if (fd && guard_ && !caller.empty()) guard_->opened(caller, ip, port, *fd);
        co_return fd;
      }
    auto fd = io::connect_tcp(ip, port, source);
    if (!fd) co_return Err(std::move(fd.error()));
    co_return fd->release();
  }

 private:
  Guarded<Inside> inside_;
  DialGuard* guard_ = nullptr;
};

}  // namespace reef::edge
