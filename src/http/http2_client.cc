#include "http/http2_client.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "http/connection.h"
#include "http/socket_stream.h"

namespace reef::http {
namespace {

constexpr std::int32_t kWindowBytes = 1 << 20;
constexpr std::size_t kOutBufferedMax = 256 * 1024, kHeadBytesMax = 64 * 1024;
constexpr Duration kSendTimeout = 60s;

class Session;

// One request and its reply. Kept by the session while nghttp2 knows it, and by whoever reads or sends a body.
struct Exchange {
  std::weak_ptr<Session> session;
  std::int32_t id = -1;
  Response response;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::size_t head_bytes = 0;
  std::string received, out;
  std::size_t out_at = 0;
  bool has_head = false, ended = false, broken = false, refused = false, closed = false;
  bool out_ended = false, deferred = false, dropped = false;
  std::coroutine_handle<> head_waiter, read_waiter, drain_waiter;
};

struct Wait {
  std::coroutine_handle<>& waiter;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
  void await_resume() const {}
};

class ReplyBody final : public Body {
 public:
  explicit ReplyBody(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~ReplyBody() override;
  Task<Result<std::string_view, Failure>> read() override;
  std::optional<std::uint64_t> size() const override { return length; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return exchange_->trailers; }
  std::optional<std::uint64_t> length;

 private:
  std::shared_ptr<Exchange> exchange_;
  std::string piece_;
};

class Session final : public Http2Client, public std::enable_shared_from_this<Session> {
 public:
  Session(io::Reactor& reactor, int fd) : reactor_(reactor), stream_(reactor, fd) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);   // the window opens when somebody reads
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 4 * kWindowBytes);
  }
  ~Session() override { nghttp2_session_del(session_); }

  Task<void> run(const io::TlsContext* tls, Duration connect_timeout) {
    const auto self = shared_from_this();
    const auto timer = reactor_.after(connect_timeout, [this] { stream_.close(); });
    bool good = co_await stream_.connected(0) == 0;
    if (good && tls) {
      stream_.transport().start_client_tls(*tls, {});
      stream_.transport().offer_http2();
      good = co_await stream_.handshake(0);
    }
    reactor_.cancel(timer);
    connected_ = good;
    if (!good) connect_failed_ = true;
    else write_soon();
    while (good && open_ && (nghttp2_session_want_read(session_) || nghttp2_session_want_write(session_))) {
      if (!co_await stream_.readable(0)) break;
      const long n = stream_.read_now(read_scratch(), kReadBytes);
      if (n == io::kWouldBlock) continue;
      if (n <= 0 || nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(read_scratch()), static_cast<std::size_t>(n)) < 0) break;
      write_soon();
    }
    open_ = false;
    stream_.close();
    for (const auto& [id, exchange] : std::exchange(exchanges_, {})) fail(*exchange);
  }

  Task<Result<Response, Failure>> send(Http2Request request) override {
    const auto self = shared_from_this();
    auto exchange = std::make_shared<Exchange>();
    exchange->session = self;
    if (!open_) co_return Err(Failure{"the connection is closed", ECONNREFUSED});
    std::vector<nghttp2_nv> fields;
    const auto add = [&fields](std::string_view name, std::string_view value) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())), reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                        value.size(), NGHTTP2_NV_FLAG_NONE});
    };
    add(":method", request.method);
    add(":scheme", request.scheme);
    add(":authority", request.authority);
    add(":path", request.path);
    for (const auto& [name, value] : request.headers) add(name, value);
    const bool has_body = request.body && request.body->size() != 0;
    nghttp2_data_provider provider{};
    provider.source.ptr = exchange.get();
    provider.read_callback = provide;
    exchange->out_ended = !has_body;
    exchange->id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), has_body ? &provider : nullptr, nullptr);
    if (exchange->id < 0) co_return Err(Failure{"the connection takes no more requests", ECONNREFUSED});
    exchanges_[exchange->id] = exchange;
    if (request.cancellation)
      request.cancellation->end = [weak = std::weak_ptr(exchange)] {
        const auto one = weak.lock();
        const auto session = one ? one->session.lock() : nullptr;
        if (!session || one->ended) return;
        one->broken = true;
        session->cancel(one->id);
        session->wake(one->head_waiter);
        session->wake(one->read_waiter);
      };
    if (has_body) send_body(exchange, *request.body).detach();
    write_soon();
    while (!exchange->has_head && !exchange->broken) co_await Wait{exchange->head_waiter};
    if (!exchange->has_head)
      co_return Err(Failure{"the connection ended before a reply", connect_failed_ || exchange->refused ? ECONNREFUSED : ECONNRESET});
    Response response = std::move(exchange->response);
    auto body = std::make_unique<ReplyBody>(exchange);
    if (const std::string* length = response.find("content-length")) body->length = parse_int<std::uint64_t>(*length);
    if (exchange->ended && exchange->received.empty() && exchange->trailers.empty()) co_return response;
    response.stream = std::move(body);
    co_return response;
  }
  bool is_open() const override { return open_ && nghttp2_session_check_request_allowed(session_); }
  void close() override {
    open_ = false;
    stream_.close();
  }

  void consumed(std::int32_t id, std::size_t size) {
    if (!open_) return;
    nghttp2_session_consume(session_, id, size);
    write_soon();
  }
  void cancel(std::int32_t id) {
    if (!open_ || !exchanges_.contains(id)) return;
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    write_soon();
  }
  io::Reactor& reactor() { return reactor_; }

 private:
  static Session& self(void* data) { return *static_cast<Session*>(data); }
  std::shared_ptr<Exchange> find(std::int32_t id) {
    const auto found = exchanges_.find(id);
    return found == exchanges_.end() ? nullptr : found->second;
  }
  // From within callbacks nobody is resumed at once: they may call back into the session.
  void wake(std::coroutine_handle<>& waiter) {
    if (waiter) reactor_.post([handle = std::exchange(waiter, nullptr), kept = shared_from_this()] { handle.resume(); });
  }
  void fail(Exchange& exchange) {
    exchange.broken = exchange.broken || !exchange.ended;
    exchange.closed = true;
    wake(exchange.head_waiter);
    wake(exchange.read_waiter);
    wake(exchange.drain_waiter);
  }

  void write_soon() {
    if (writing_ || !connected_ || !open_) return;
    writing_ = true;
    write_all().detach();
  }
  Task<void> write_all() {
    const auto kept = shared_from_this();
    std::string batch;
    while (open_) {
      batch.clear();
      const std::uint8_t* data = nullptr;
      while (batch.size() < kReadBytes) {
        const auto n = nghttp2_session_mem_send(session_, &data);
        if (n <= 0) break;
        batch.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
      }
      if (batch.empty()) break;
      if (!co_await stream_.write(batch, kSendTimeout)) {
        stream_.close();
        break;
      }
    }
    writing_ = false;
  }

  Task<void> send_body(std::shared_ptr<Exchange> exchange, Body& body) {
    const auto kept = shared_from_this();
    while (!exchange->closed && !exchange->dropped) {
      const auto piece = co_await body.read();
      if (exchange->closed || exchange->dropped) co_return;
      if (!piece) {
        cancel(exchange->id);
        co_return;
      }
      exchange->out += *piece;
      exchange->out_ended = piece->empty();
      if (std::exchange(exchange->deferred, false)) nghttp2_session_resume_data(session_, exchange->id);
      write_soon();
      if (exchange->out_ended) co_return;
      while (exchange->out.size() - exchange->out_at > kOutBufferedMax && !exchange->closed) co_await Wait{exchange->drain_waiter};
    }
  }

  static ssize_t provide(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t size, std::uint32_t* flags, nghttp2_data_source* source, void* data) {
    auto& exchange = *static_cast<Exchange*>(source->ptr);
    const std::size_t n = std::min(size, exchange.out.size() - exchange.out_at);
    std::memcpy(out, exchange.out.data() + exchange.out_at, n);
    exchange.out_at += n;
    if (exchange.out_at == exchange.out.size()) {
      exchange.out.clear();
      exchange.out_at = 0;
      if (exchange.out_ended) *flags |= NGHTTP2_DATA_FLAG_EOF;
      else self(data).wake(exchange.drain_waiter);
    }
    if (n == 0 && !exchange.out_ended) {
      exchange.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(n);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* data) {
    const auto exchange = self(data).find(frame->hd.stream_id);
    if (!exchange) return 0;
    const std::string_view n(reinterpret_cast<const char*>(name), name_size), v(reinterpret_cast<const char*>(value), value_size);
    if ((exchange->head_bytes += name_size + value_size) > kHeadBytesMax) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (exchange->has_head) {
      exchange->trailers.emplace_back(n, v);
    } else if (n == ":status") {
      exchange->response.status = static_cast<int>(parse_int<int>(v).value_or(0));
    } else if (!n.starts_with(':')) {
      exchange->response.headers.emplace_back(n, v);
    }
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* data) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    const auto exchange = self(data).find(frame->hd.stream_id);
    if (!exchange) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !exchange->has_head) {
      if (exchange->response.status < 200) {
        exchange->response = Response{};   // 1xx: the real head follows
        return 0;
      }
      exchange->has_head = true;
      self(data).wake(exchange->head_waiter);
    }
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
      exchange->ended = true;
      self(data).wake(exchange->read_waiter);
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size, void* data) {
    const auto exchange = self(data).find(id);
    if (!exchange || exchange->dropped) {
      nghttp2_session_consume(session, id, size);
      return 0;
    }
    exchange->received.append(reinterpret_cast<const char*>(bytes), size);
    self(data).wake(exchange->read_waiter);
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* data) {
    const auto exchange = self(data).find(id);
    if (!exchange) return 0;
    exchange->refused = code == NGHTTP2_REFUSED_STREAM;
    if (code != NGHTTP2_NO_ERROR && !exchange->ended) exchange->broken = true;
    self(data).exchanges_.erase(id);
    self(data).fail(*exchange);
    return 0;
  }

  io::Reactor& reactor_;
  SocketStream stream_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::shared_ptr<Exchange>> exchanges_;
  bool connected_ = false, connect_failed_ = false, open_ = true, writing_ = false;
};

ReplyBody::~ReplyBody() {
  exchange_->dropped = true;
  const auto session = exchange_->session.lock();
  if (!session) return;
  if (!exchange_->received.empty()) session->consumed(exchange_->id, exchange_->received.size());
  if (!exchange_->ended) session->cancel(exchange_->id);
}

Task<Result<std::string_view, Failure>> ReplyBody::read() {
  while (exchange_->received.empty() && !exchange_->ended && !exchange_->broken) co_await Wait{exchange_->read_waiter};
  if (exchange_->received.empty() && !exchange_->ended) co_return Err(Failure{"the reply broke off", EIO});
  piece_ = std::exchange(exchange_->received, {});
  if (!piece_.empty())
    if (const auto session = exchange_->session.lock()) session->consumed(exchange_->id, piece_.size());
  co_return std::string_view(piece_);
}

}  // namespace

std::shared_ptr<Http2Client> Http2Client::start(io::Reactor& reactor, int fd, const io::TlsContext* tls, Duration connect_timeout) {
  auto session = std::make_shared<Session>(reactor, fd);
  session->run(tls, connect_timeout).detach();
  return session;
}

}  // namespace reef::http
