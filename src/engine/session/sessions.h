// Where the clients of interactive sessions connect: a WebSocket on a port of this machine for each session, found by its
// id and opened with its token. On the control shard.
//
// Always true: a session ends with its connection, and without one after a minute.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/session/channel.h"
#include "io/reactor.h"

namespace reef::session {

struct Invitation {
  std::string url, token;
};

class Sessions {
 public:
  Sessions();
  ~Sessions();
  void stop();  // ends every session; on the control shard, before its loop goes

  // Listens at the first. `events.on_terminate` is called when the client goes, unless `end` was called before.
  Result<Invitation, Failure> invite(const std::string& id, ChannelEvents events);
  void print(std::string_view id, std::string_view bytes);
  void end(std::string_view id, std::string text, std::optional<int> code);

 private:
  struct Connection;
  struct Session;
  struct Listener;
  void accept();
  void flush(Session& session);
  void drop(std::string_view id);
  void close(Connection& connection);

  static io::Reactor& reactor();
  std::unique_ptr<Listener> listener_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions_;
  std::map<Connection*, std::shared_ptr<Connection>> connections_;
};

}  // namespace reef::session
