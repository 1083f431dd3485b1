// Connections that are open, whoever owns their descriptors, so that they can be counted and cut. Each loop keeps its own,
// and touches only those: a descriptor is closed on the loop that opened it, and its cookie tells whether the number still
// means the same socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/task.h"
#include "base/time.h"
#include "engine/network/view.h"
#include "io/reactor.h"

namespace reef::network {

// What passed over a connection since its last report; sent is from the side that connected.
struct Traffic {
  std::uint64_t sent_bytes = 0, sent_packets = 0, received_bytes = 0, received_packets = 0;
};

class Connections {
 public:
  // Told of what passed, on the loop of the connection; `ended` once, lastly.
  using Report = std::function<void(const Flow& flow, const Traffic& since, bool ended)>;

  explicit Connections(std::size_t loops);
  void set_report(Report report) { report_ = std::move(report); }

  // --- on the loop that owns the descriptor ---
  // `faces_sender`: the socket is the one that the sender connected to, so that what it received is what was sent.
  void opened(int fd, Flow flow, bool faces_sender);
  // Just before it is closed; unknown ones are passed over.
  void closing(int fd);

  // --- any thread ---
  // Ends those that `is_cut` names, on their loops.
  void cut(std::function<bool(const Flow&)> is_cut);
  // Reports what passed so far, on every loop in turn; on the control shard. Comes back when all have.
  Task<void> report_all();

 private:
  struct Open {
    Flow flow;
    std::uint64_t cookie = 0;
    bool faces_sender = false;
    Traffic reported;
  };
  struct Loop {
    std::unordered_map<int, Open> open;
  };
  Loop& own();
  void report(int fd, Open& open, bool ended);
  void on_each_loop(const std::function<void(Loop&)>& visit);

  Report report_;
  std::vector<std::unique_ptr<Loop>> loops_;  // by shard
};

}  // namespace reef::network
