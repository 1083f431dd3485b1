#include "http/client.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "http/connection.h"
#include "http/resolve.h"
#include "io/socket.h"
#include "wire/http1.h"

namespace reef::http {
namespace {

constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kIdlePerTargetMax = 64;

struct Upstream {
  Upstream(io::Reactor& reactor, int fd) : stream(reactor, fd) {}
  SocketStream stream;
  std::string input;
  std::int64_t idle_since = 0;
};

std::string pool_key(const Outgoing& request) {
  return fmt::format("{}{}:{}", request.tls ? "s" : "", request.host, request.port);
}

}  // namespace

struct Client::Impl : std::enable_shared_from_this<Client::Impl> {
  Impl(io::Reactor& r, std::string pem) : reactor(r), trusted_pem(std::move(pem)) {}
  io::Reactor& reactor;
  std::string trusted_pem;
  std::map<std::string, std::vector<std::unique_ptr<Upstream>>> idle;
  std::vector<Upstream*> active;
  std::unique_ptr<io::TlsContext> tls;
  io::Reactor::TimerId sweep_timer = 0;

  // Runs only while there is something to watch over, so that an unused client costs nothing.
  void arm_sweep() {
    if (sweep_timer) return;
    sweep_timer = reactor.after(500ms, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->sweep_timer = 0;
      const std::int64_t now = io::monotonic_micros();
      for (Upstream* upstream : self->active) upstream->stream.expire(now);
      constexpr std::int64_t kIdleMicros = 50'000'000;
      for (auto& [key, pool] : self->idle)
        std::erase_if(pool, [&](const auto& upstream) { return upstream->idle_since + kIdleMicros < now; });
      std::erase_if(self->idle, [](const auto& entry) { return entry.second.empty(); });
      if (!self->active.empty() || !self->idle.empty()) self->arm_sweep();
    });
  }

  std::unique_ptr<Upstream> take_idle(const std::string& key) {
    const auto found = idle.find(key);
    if (found == idle.end()) return nullptr;
    while (!found->second.empty()) {
      auto upstream = std::move(found->second.back());
      found->second.pop_back();
      // A server that closed it, or said something unasked, made it useless.
      char byte;
      if (upstream->stream.read_now(&byte, 1) == io::kWouldBlock) return upstream;
    }
    return nullptr;
  }

  void give_back(const std::string& key, std::unique_ptr<Upstream> upstream) {
    auto& pool = idle[key];
    if (pool.size() >= kIdlePerTargetMax || !upstream->input.empty()) return;
    upstream->idle_since = io::monotonic_micros();
    pool.push_back(std::move(upstream));
    arm_sweep();
  }

  Task<Result<std::unique_ptr<Upstream>, Failure>> connect(const Outgoing& request, std::int64_t deadline) {
    const std::string address = CO_TRY(co_await resolve(reactor, request.host));
    io::Fd fd = CO_TRY(io::connect_tcp(address, request.port));
    auto upstream = std::make_unique<Upstream>(reactor, fd.release());
    active.push_back(upstream.get());
    arm_sweep();
    const int error = co_await upstream->stream.connected(deadline);
    bool good = error == 0;
    if (good && request.tls) {
      if (!tls) {
        auto made = io::TlsContext::client(trusted_pem);
        if (!made) good = false;
        else tls = *std::move(made);
      }
      if (good) upstream->stream.transport().start_client_tls(*tls, request.host);
      good = good && co_await upstream->stream.handshake(deadline);
    }
    std::erase(active, upstream.get());
    if (!good)
      co_return Err(Failure{error ? fmt::format("connect to {}:{}: {}", address, request.port, std::string(strerror(error)))
                                  : fmt::format("TLS with {} failed", request.host),
                            error ? error : EPROTO});
    co_return upstream;
  }
};

namespace {

// The reply's body; gives the connection back to the pool at its end.
class ReplyBody final : public Body {
 public:
  ReplyBody(std::shared_ptr<Client::Impl> client, std::string key, std::unique_ptr<Upstream> upstream,
            const wire::Http1Head& head, bool no_body, Duration timeout)
      : client_(std::move(client)), key_(std::move(key)), upstream_(std::move(upstream)), timeout_(timeout),
        chunked_(head.chunked), until_close_(!head.chunked && !head.has_length), keep_(head.keep_alive && !until_close_),
        left_(head.content_length) {
    if (head.has_length) length_ = head.content_length;
    if (no_body) {
      keep_ = head.keep_alive;
      chunked_ = until_close_ = false;
      left_ = 0;
    }
    if (!chunked_ && !until_close_ && left_ == 0) finish();
    else client_->active.push_back(upstream_.get()), client_->arm_sweep();
  }
  ~ReplyBody() override {
    if (upstream_) std::erase(client_->active, upstream_.get());
  }

  std::optional<std::uint64_t> size() const override { return length_; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return decoder_.trailers(); }

  Task<Result<std::string_view, Failure>> read() override {
    while (upstream_) {
      upstream_->input.erase(0, std::exchange(consumed_, 0));
      if (!upstream_->input.empty()) {
        if (chunked_) {
          std::string_view input = upstream_->input, data;
          const auto event = decoder_.next(input, data);
          consumed_ = upstream_->input.size() - input.size();
          if (event == wire::ChunkedDecoder::Event::kData) co_return data;
          if (event == wire::ChunkedDecoder::Event::kBad) co_return Err(Failure{"malformed chunked reply", EPROTO});
          if (event == wire::ChunkedDecoder::Event::kEnd) {
            upstream_->input.erase(0, std::exchange(consumed_, 0));
            finish();
            break;
          }
          continue;
        }
        consumed_ = until_close_ ? upstream_->input.size() : std::min<std::uint64_t>(left_, upstream_->input.size());
        left_ -= until_close_ ? 0 : consumed_;
        if (!until_close_ && left_ == 0) {
          last_ = upstream_->input.substr(0, consumed_);
          upstream_->input.erase(0, std::exchange(consumed_, 0));
          finish();
          co_return std::string_view(last_);
        }
        co_return std::string_view(upstream_->input).substr(0, consumed_);
      }
      if (!co_await upstream_->stream.readable(io::monotonic_micros() + timeout_.count()))
        co_return Err(Failure{"the reply's body did not arrive in time", ETIMEDOUT});
      const long n = upstream_->stream.read_now(read_scratch(), kReadBytes);
      if (n == io::kWouldBlock) continue;
      if (n == 0 && until_close_) {
        finish();
        break;
      }
      if (n <= 0) co_return Err(Failure{"the connection ended within the reply's body", ECONNRESET});
      upstream_->input.append(read_scratch(), static_cast<std::size_t>(n));
    }
    co_return std::string_view{};
  }

 private:
  void finish() {
    std::erase(client_->active, upstream_.get());
    if (keep_) client_->give_back(key_, std::move(upstream_));
    upstream_.reset();
  }
  std::shared_ptr<Client::Impl> client_;
  std::string key_;
  std::unique_ptr<Upstream> upstream_;
  Duration timeout_;
  bool chunked_, until_close_, keep_;
  std::uint64_t left_;
  std::size_t consumed_ = 0;
  std::optional<std::uint64_t> length_;
  std::string last_;
  wire::ChunkedDecoder decoder_;
};

std::string request_head(const Outgoing& request, bool chunked, std::optional<std::uint64_t> length) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    if (value.find_first_of("\r\n") != std::string::npos || name.find_first_of("\r\n: ") != std::string::npos) continue;
    has_host = has_host || equals_ignoring_case(name, "host");
    out += name + ": " + value + "\r\n";
  }
  const bool default_port = request.port == (request.tls ? 443 : 80);
  if (!has_host) out += "host: " + request.host + (default_port ? "" : fmt::format(":{}", request.port)) + "\r\n";
  if (chunked) out += "transfer-encoding: chunked\r\n";
  else if (length && (*length > 0 || (request.method != "GET" && request.method != "HEAD")))
    out += fmt::format("content-length: {}\r\n", *length);
  out += "\r\n";
  return out;
}

Task<bool> send_request(Upstream& upstream, const Outgoing& request) {
  const std::optional<std::uint64_t> length = request.stream ? request.stream->size() : std::optional<std::uint64_t>(request.body.size());
  const bool chunked = request.stream && !length;
  std::string out = request_head(request, chunked, length);
  if (!request.stream) out += request.body;
  if (!co_await upstream.stream.write(out, request.timeout)) co_return false;
  while (request.stream) {
    const auto piece = co_await request.stream->read();
    if (!piece) co_return false;
    if (chunked) {
      out = piece->empty() ? std::string("0\r\n\r\n") : fmt::format("{:x}\r\n{}\r\n", piece->size(), *piece);
      if (!co_await upstream.stream.write(out, request.timeout)) co_return false;
    } else if (!piece->empty() && !co_await upstream.stream.write(*piece, request.timeout)) {
      co_return false;
    }
    if (piece->empty()) break;
  }
  co_return true;
}

// Reads the head of the final reply, passing over "100 Continue".
Task<Result<wire::Http1Head, Failure>> read_reply_head(Upstream& upstream, std::int64_t deadline, std::string& head_bytes) {
  wire::Http1Head head;
  for (;;) {
    if (!upstream.input.empty()) {
      const auto parsed = parse_response_head(upstream.input, kHeadBytesMax, head);
      if (parsed.status == wire::Http1Status::kComplete) {
        head_bytes = upstream.input.substr(0, parsed.consumed);
        upstream.input.erase(0, parsed.consumed);
        if (head.status >= 200 || head.status == 101) co_return head;
        continue;
      }
      if (parsed.status != wire::Http1Status::kIncomplete) co_return Err(Failure{"malformed reply", EPROTO});
    }
    if (!co_await upstream.stream.readable(deadline)) co_return Err(Failure{"no reply in time", ETIMEDOUT});
    const long n = upstream.stream.read_now(read_scratch(), kReadBytes);
    if (n == io::kWouldBlock) continue;
    if (n <= 0) co_return Err(Failure{"the connection ended before a reply", ECONNRESET});
    upstream.input.append(read_scratch(), static_cast<std::size_t>(n));
  }
}

}  // namespace

Client::Client(io::Reactor& reactor, std::string trusted_pem) : impl_(std::make_shared<Impl>(reactor, std::move(trusted_pem))) {}
Client::~Client() { impl_->reactor.cancel(impl_->sweep_timer); }

Task<Result<Response, Failure>> Client::send(Outgoing request) {
  const std::shared_ptr<Impl> impl = impl_;
  const std::string key = pool_key(request);
  const std::int64_t deadline = io::monotonic_micros() + request.timeout.count();
  for (bool fresh = false;;) {
    auto upstream = fresh ? nullptr : impl->take_idle(key);
    const bool reused = upstream != nullptr;
    if (!upstream) upstream = CO_TRY(co_await impl->connect(request, deadline));
    impl->active.push_back(upstream.get());
    impl->arm_sweep();
    const bool sent = co_await send_request(*upstream, request);
    std::string head_bytes;
    Result<wire::Http1Head, Failure> head = Err(Failure{"the connection broke while sending", ECONNRESET});
    // A server may answer (413, say) and close before it took the whole body.
    if (sent || !reused) head = co_await read_reply_head(*upstream, deadline, head_bytes);
    std::erase(impl->active, upstream.get());
    if (!head && reused && !request.stream && head.error().code == ECONNRESET) {
      fresh = true;  // a kept-alive connection that had died unnoticed: once more on a new one
      continue;
    }
    if (!head) co_return Err(head.error());
    Response response;
    response.status = head->status;
    for (const wire::Http1Field& field : head->fields)
      response.headers.emplace_back(to_lower(std::string_view(head_bytes).substr(field.name_at, field.name_size)),
                                    head_bytes.substr(field.value_at, field.value_size));
    const bool no_body = request.method == "HEAD" || head->status == 204 || head->status == 304;
    response.stream = std::make_unique<ReplyBody>(impl, key, std::move(upstream), *head, no_body, request.timeout);
    co_return response;
  }
}

}  // namespace reef::http
