#include <fmt/format.h>
#include <sys/socket.h>

#include <charconv>

#include "http/connection.h"
#include "http/upgrade.h"
#include "wire/http1.h"

namespace reef::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// What a handler left unread is swallowed up to this much to keep the connection; beyond, it is closed.
constexpr std::uint64_t kSwallowBytesMax = 256 * 1024;
// What a refused client still sends is taken up to this much and this long, so that it gets to read the reply.
constexpr std::uint64_t kLingerBytesMax = 64 * 1024 * 1024;
constexpr Duration kLingerTime = 2s;

// The body of the request being served.
class Http1Body final : public Body {
 public:
  Http1Body(Connection& connection, const wire::Http1Head& head)
      : connection_(connection), chunked_(head.chunked), left_(head.content_length),
        expects_continue_(head.expects_continue), ended_(!head.chunked && head.content_length == 0),
        length_(head.chunked ? std::nullopt : std::optional(head.content_length)) {}

  Task<Result<std::string_view, Failure>> read() override {
    consume();
    while (!ended_) {
      if (failed_) co_return Err(Failure{"the client's body is broken or late", EIO});
      if (chunked_) {
        std::string_view input = connection_.input, data;
        const auto event = decoder_.next(input, data);
        consumed_ = connection_.input.size() - input.size();
        switch (event) {
          case wire::ChunkedDecoder::Event::kData: co_return data;
          case wire::ChunkedDecoder::Event::kEnd: ended_ = true; break;
          case wire::ChunkedDecoder::Event::kBad: failed_ = true; break;
          case wire::ChunkedDecoder::Event::kNeedMore: break;
        }
        consume();
        if (event != wire::ChunkedDecoder::Event::kNeedMore) continue;
      } else if (!connection_.input.empty()) {
        const auto size = std::min<std::uint64_t>(left_, connection_.input.size());
        left_ -= size;
        consumed_ = size;
        ended_ = left_ == 0;
        co_return std::string_view(connection_.input).substr(0, size);
      }
      if (!co_await fill()) failed_ = true;
    }
    co_return std::string_view{};
  }
  std::optional<std::uint64_t> size() const override { return length_; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return decoder_.trailers(); }

  // Reads what the handler did not; false when the connection cannot be used again.
  Task<bool> swallow() {
    // A client that still waits for "100 Continue" sends no body, but it may: such a connection ends.
    if (expects_continue_ && !ended_) co_return false;
    std::uint64_t swallowed = 0;
    while (!ended_) {
      const auto piece = co_await read();
      if (!piece || (swallowed += piece->size()) > kSwallowBytesMax) co_return false;
    }
    consume();
    co_return true;
  }

 private:
  // Drops the bytes that the last read handed out.
  void consume() {
    if (consumed_ == 0) return;
    if (consumed_ == connection_.input.size()) connection_.input.clear();
    else connection_.input.erase(0, consumed_);
    consumed_ = 0;
  }
  Task<bool> fill() {
    if (expects_continue_) {
      expects_continue_ = false;
      if (!co_await connection_.stream.write(kContinue, connection_.shared->options.send_timeout)) co_return false;
    }
    if (!co_await connection_.stream.readable(connection_.shared->deadline_in(connection_.shared->options.body_timeout)))
      co_return false;
    const long n = connection_.stream.read_now(read_scratch(), kReadBytes);
    if (n == io::kWouldBlock) co_return true;
    if (n <= 0) co_return false;
    connection_.input.append(read_scratch(), static_cast<std::size_t>(n));
    co_return true;
  }

  Connection& connection_;
  bool chunked_;
  std::uint64_t left_;
  bool expects_continue_;
  bool ended_;
  bool failed_ = false;
  std::size_t consumed_ = 0;
  std::optional<std::uint64_t> length_;
  wire::ChunkedDecoder decoder_;
};

int error_status(wire::Http1Status status) {
  switch (status) {
    case wire::Http1Status::kTooLarge: return 431;
    case wire::Http1Status::kUnsupported: return 501;
    case wire::Http1Status::kVersion: return 505;
    default: return 400;
  }
}

void fill_request(Request& request, std::string_view head_bytes, const wire::Http1Head& head, const Connection& connection) {
  request.storage.assign(head_bytes);
  const std::string_view text = request.storage;
  request.method = text.substr(0, head.method_size);
  request.version = 10 + head.minor_version;
  request.is_tls = const_cast<Connection&>(connection).stream.transport().is_tls();
  request.peer = connection.peer;
  request.headers.reserve(head.fields.size());
  for (const wire::Http1Field& field : head.fields) {
    // Lower case in place: the storage is ours.
    for (std::uint32_t i = field.name_at; i < field.name_at + field.name_size; ++i)
      if (request.storage[i] >= 'A' && request.storage[i] <= 'Z') request.storage[i] |= 0x20;
    request.headers.push_back({text.substr(field.name_at, field.name_size), text.substr(field.value_at, field.value_size)});
  }
  request.host = request.header("host");
  std::string_view target = text.substr(head.target_at, head.target_size);
  // Absolute form, as sent to proxies: "http://host/path".
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const auto slash = target.find('/', scheme.size());
    request.host = target.substr(scheme.size(), slash == std::string_view::npos ? slash : slash - scheme.size());
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  request.target = target;
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
}

Task<bool> send_stream(Connection& connection, Body& body, bool chunked) {
  const Duration timeout = connection.shared->options.send_timeout;
  std::string framed;
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece) co_return false;
    if (!chunked) {
      if (piece->empty()) co_return true;
      if (!co_await connection.stream.write(*piece, timeout)) co_return false;
      continue;
    }
    if (piece->empty()) {
      framed = "0\r\n";
      for (const auto& [name, value] : body.trailers()) framed += name + ": " + value + "\r\n";
      framed += "\r\n";
      co_return co_await connection.stream.write(framed, timeout);
    }
    framed = fmt::format("{:x}\r\n", piece->size());
    framed += *piece;
    framed += "\r\n";
    if (!co_await connection.stream.write(framed, timeout)) co_return false;
  }
}

Task<bool> send_response(Connection& connection, const Request& request, Response& response, bool keep) {
  const bool no_body = request.method == "HEAD" || response.status == 204 || response.status == 304;
  std::optional<std::uint64_t> length = response.stream ? response.stream->size() : std::optional(response.body.size());
  if (const std::string* given = response.find("content-length"); no_body && given)
    length = std::nullopt;  // HEAD: the handler says how long the body would have been
  const bool chunked = response.stream && !length && request.version == 11 && !no_body;
  if (response.stream && !length && request.version == 10) keep = false;
  if (response.status == 204) length = std::nullopt;
  thread_local std::string scratch;
  scratch.clear();
  append_response_head(scratch, response, length, chunked, !keep);
  if (!no_body && !response.stream) scratch += response.body;
  // Nearly always the socket takes it all; only what is left over is copied into this frame.
  const long sent = connection.stream.write_some(scratch);
  if (sent == io::kBroken) co_return false;
  if (static_cast<std::size_t>(sent) < scratch.size()) {
    const std::string rest = scratch.substr(static_cast<std::size_t>(sent));
    if (!co_await connection.stream.write(rest, connection.shared->options.send_timeout)) co_return false;
  }
  if (response.stream && !no_body && !co_await send_stream(connection, *response.stream, chunked)) co_return false;
  co_return keep;
}

Task<void> take_from_client(Connection& connection, Upgrade& upgrade, Later<bool>& done) {
  for (;;) {
    if (!connection.input.empty()) {
      const std::string bytes = std::exchange(connection.input, {});
      if (!co_await upgrade.write(bytes)) break;
    }
    if (!co_await connection.stream.readable(0)) break;
    const long n = connection.stream.read_now(read_scratch(), kReadBytes);
    if (n == io::kWouldBlock) continue;
    if (n <= 0) break;
    connection.input.assign(read_scratch(), static_cast<std::size_t>(n));
  }
  upgrade.end();
  done.set(true);
}

// The connection belongs to another protocol from here on.
Task<void> serve_upgrade(Connection& connection, const Response& response, Upgrade& upgrade) {
  std::string head = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const auto& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  head += "\r\n";
  if (!co_await connection.stream.write(head, connection.shared->options.send_timeout)) co_return;
  Later<bool> client_ended;
  take_from_client(connection, upgrade, client_ended).detach();
  for (;;) {
    const auto piece = co_await upgrade.read();
    if (!piece || piece->empty() || !co_await connection.stream.write(*piece, connection.shared->options.send_timeout)) break;
  }
  connection.stream.close();
  upgrade.end();
  co_await client_ended;
}

// Closing with bytes unread resets the connection, and the client would not see the reply: so takes some first.
Task<void> linger(Connection& connection) {
  ::shutdown(connection.stream.transport().fd(), SHUT_WR);
  const std::int64_t deadline = io::monotonic_micros() + kLingerTime.count();
  for (std::uint64_t taken = 0; taken < kLingerBytesMax && io::monotonic_micros() < deadline;) {
    const long n = co_await connection.stream.read(read_scratch(), kReadBytes, deadline);
    if (n <= 0) co_return;
    taken += static_cast<std::uint64_t>(n);
  }
}

Task<void> refuse(Connection& connection, int status) {
  Response response;
  response.status = status;
  response.body = reason_phrase(status);
  response.set("content-type", "text/plain");
  std::string out;
  append_response_head(out, response, response.body.size(), false, true);
  out += response.body;
  if (!co_await connection.stream.write(out, 1s)) co_return;
  co_await linger(connection);
}

}  // namespace

Task<void> serve_http1(Connection& connection) {
  ServerShared& shared = *connection.shared;
  wire::Http1Head head;
  std::int64_t deadline = 0;
  for (;;) {
    // Whatever else arrived is kept in `input` and is looked at before the socket.
    wire::Http1Result parsed{wire::Http1Status::kIncomplete};
    if (!connection.input.empty()) parsed = parse_request_head(connection.input, shared.options.head_bytes_max, head);
    if (parsed.status == wire::Http1Status::kIncomplete) {
      connection.idle = connection.input.empty();
      if (connection.idle && shared.draining) co_return;
      if (connection.idle) deadline = 0;
      else if (deadline == 0) deadline = shared.deadline_in(shared.options.head_timeout);
      const std::int64_t until = connection.idle ? shared.deadline_in(shared.options.idle_timeout) : deadline;
      if (!co_await connection.stream.readable(until)) co_return;
      const long n = connection.stream.read_now(read_scratch(), kReadBytes);
      if (n == io::kWouldBlock) continue;
      if (n <= 0) co_return;
      connection.input.append(read_scratch(), static_cast<std::size_t>(n));
      continue;
    }
    connection.idle = false;
    deadline = 0;
    if (parsed.status != wire::Http1Status::kComplete) {
      co_await refuse(connection, error_status(parsed.status));
      co_return;
    }
    bool keep = head.keep_alive && !shared.draining;
    {
      Request request;
      fill_request(request, std::string_view(connection.input).substr(0, parsed.consumed), head, connection);
      connection.input.erase(0, parsed.consumed);
      Http1Body body(connection, head);
      request.body = &body;
      connection.stream.on_peer_closed = [&request] { request.note_peer_gone(); };
      Response response = co_await shared.handler(request);
      connection.stream.on_peer_closed = nullptr;
      keep = keep && !response.close;
      // A body that was refused unread must not be waited for.
      const bool reusable = co_await body.swallow();
      if (auto* const upgrade = response.status == 101 ? dynamic_cast<Upgrade*>(response.stream.get()) : nullptr) {
        co_await serve_upgrade(connection, response, *upgrade);
        co_return;
      }
      if (!co_await send_response(connection, request, response, keep && reusable)) {
        if (!reusable) co_await linger(connection);
        co_return;
      }
    }
    if (connection.input.empty() && connection.input.capacity() > 4096) connection.input.shrink_to_fit();
  }
}

}  // namespace reef::http
