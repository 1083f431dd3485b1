#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "io/socket.h"
#include "wire/json.h"
#include "wire/session_message.h"
#include "wire/websocket.h"

namespace reef::cli {
namespace {

using wire::Json;
using wire::SessionPayload;

// Keys go through as they are while this lives; of something that is no terminal nothing changes.
class RawMode {
 public:
  RawMode() {
    if (::tcgetattr(0, &before_) < 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    is_raw_ = ::tcsetattr(0, TCSADRAIN, &raw) == 0;
  }
  ~RawMode() {
    if (is_raw_) ::tcsetattr(0, TCSADRAIN, &before_);
  }

 private:
  termios before_{};
  bool is_raw_ = false;
};

class Client {
 public:
  explicit Client(io::Fd socket) : socket_(std::move(socket)), reader_(1 << 20, wire::WebSocketReader::Side::kClient) {}

  Result<void, Failure> open(const std::string& host, const std::string& path, const std::string& token) {
    TRY(send_all(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}==\r\n\r\n", path, host,
                             make_token(thread_random(), 22))));
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      char buffer[1024];
      const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0 || head.size() > 65536) return Err(Failure{"the session was refused"});
      head.append(buffer, static_cast<std::size_t>(size));
    }
    if (!head.starts_with("HTTP/1.1 101")) return Err(Failure{"the session was refused"});
    reader_.add(std::string_view(head).substr(head.find("\r\n\r\n") + 4));
    return send_frame(wire::WebSocketKind::kText, Json::object({{"MessageSchemaVersion", "1.0"}, {"RequestId", make_uuid(thread_random())}, {"TokenValue", token}}).dump());
  }

  // Until the program has ended.
  Result<int, Failure> run() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGWINCH);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const io::Fd resized(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    const RawMode raw;
    TRY(take());
    while (!is_over_) {
      pollfd fds[] = {{socket_.get(), POLLIN, 0}, {resized.get(), POLLIN, 0}, {is_ready_ && reads_ ? 0 : -1, POLLIN, 0}};
      if (::poll(fds, 3, -1) < 0 && errno != EINTR) return Err(io::last_error("poll"));
      if (fds[1].revents) {
        signalfd_siginfo info;
        while (::read(resized.get(), &info, sizeof(info)) > 0) {
        }
        if (is_ready_) TRY(send_size());
      }
      if (fds[2].revents) TRY(type());
      if (!fds[0].revents) continue;
      char buffer[65536];
      const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return Err(Failure{"the session was cut off"});
      reader_.add({buffer, static_cast<std::size_t>(size)});
      TRY(take());
    }
    return code_;
  }

 private:
  Result<void, Failure> send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return Err(io::last_error("send"));
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return {};
  }
  Result<void, Failure> send_frame(wire::WebSocketKind kind, std::string_view payload) {
    const std::uint64_t bits = thread_random().next();
    return send_all(wire::websocket_frame(kind, payload, std::string(reinterpret_cast<const char*>(&bits), 4)));
  }
  Result<void, Failure> send_message(const char* type, SessionPayload payload_type, std::string payload, std::int64_t sequence) {
    return send_frame(wire::WebSocketKind::kBinary, wire::encode_session_message({.type = type, .sequence = sequence, .id = make_token(thread_random(), 16), .payload_type = payload_type, .payload = std::move(payload)}));
  }
  Result<void, Failure> send_input(SessionPayload type, std::string payload) { return send_message("input_stream_data", type, std::move(payload), next_out_++); }

  Result<void, Failure> send_size() {
    winsize size{};
    if (::ioctl(1, TIOCGWINSZ, &size) < 0 || size.ws_row == 0) return {};
    return send_input(SessionPayload::kSize, Json::object({{"cols", size.ws_col}, {"rows", size.ws_row}}).dump());
  }
  Result<void, Failure> type() {
    char buffer[1024];
    const ssize_t size = ::read(0, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) return {};
    if (size <= 0) {
      reads_ = false;
      return send_input(SessionPayload::kOutput, "\x04");  // the end of what is typed
    }
    return send_input(SessionPayload::kOutput, std::string(buffer, static_cast<std::size_t>(size)));
  }

  Result<void, Failure> take() {
    while (auto frame = reader_.next()) {
      if (frame->kind == wire::WebSocketKind::kClose) return Err(Failure{"the session was cut off"});
      const auto message = frame->kind == wire::WebSocketKind::kBinary ? wire::parse_session_message(frame->payload) : std::nullopt;
      if (message) TRY(take(*message));
    }
    return reader_.failed() ? Result<void, Failure>(Err(Failure{"the session sent something else"})) : Result<void, Failure>();
  }
  Result<void, Failure> take(const wire::SessionMessage& message) {
    if (message.type == "channel_closed") {
      const auto json = Json::parse(message.payload);
      if (const std::string text = json ? json->text("Output") : ""; !text.empty()) print(2, text + "\r\n");
      is_over_ = true;
      return {};
    }
    if (message.type != "output_stream_data" || message.sequence > next_in_) return {};
    TRY(send_message("acknowledge", SessionPayload::kNone,
                     Json::object({{"AcknowledgedMessageType", message.type}, {"AcknowledgedMessageId", wire::session_message_id_text(message.id)},
                                   {"AcknowledgedMessageSequenceNumber", message.sequence}, {"IsSequentialMessage", true}}).dump(), 0));
    if (message.sequence < next_in_) return {};
    ++next_in_;
    switch (message.payload_type) {
      case SessionPayload::kHandshakeRequest:
        return send_input(SessionPayload::kHandshakeResponse, Json::object({{"ClientVersion", "1.2.0.0"}, {"ProcessedClientActions", Json::array({Json::object({{"ActionType", "SessionType"}, {"ActionStatus", 1}})})},
                                                                           {"Errors", Json::array()}}).dump());
      case SessionPayload::kHandshakeComplete: is_ready_ = true; return send_size();
      case SessionPayload::kOutput: print(1, message.payload); return {};
      case SessionPayload::kExitCode: code_ = parse_int<int>(message.payload).value_or(1); return {};
      default: return {};
    }
  }
  static void print(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::write(fd, bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  io::Fd socket_;
  wire::WebSocketReader reader_;
  std::int64_t next_in_ = 0, next_out_ = 0;
  bool is_ready_ = false, reads_ = true, is_over_ = false;
  int code_ = 0;
};

}  // namespace

Result<int, Failure> run_terminal(const std::string& url, const std::string& token) {
  std::string_view rest = url;
  if (!rest.starts_with("ws://")) return Err(Failure{"cannot open " + url});
  rest.remove_prefix(5);
  const std::string host(rest.substr(0, rest.find('/'))), path(rest.substr(host.size()));
  const auto colon = host.find(':');
  io::Fd socket = TRY(io::connect_tcp(host.substr(0, colon), colon == std::string::npos ? 80 : parse_int<int>(host.substr(colon + 1)).value_or(0)));
  pollfd connecting{socket.get(), POLLOUT, 0};
  while (::poll(&connecting, 1, 5000) < 0 && errno == EINTR) {
  }
  if (const int error = io::connect_error(socket.get()); error != 0) return Err(Failure{"nothing answers at " + host, error});
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) & ~O_NONBLOCK);
  io::set_no_delay(socket.get());
  Client client(std::move(socket));
  TRY(client.open(host, path, token));
  return client.run();
}

}  // namespace reef::cli
