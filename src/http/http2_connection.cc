// HTTP/2 by libnghttp2: each stream runs the handler in its own coroutine; one writer sends what the session has.
#include <nghttp2/nghttp2.h>

#include <cstring>
#include <map>
#include <vector>

#include "base/log.h"
#include "http/connection.h"

namespace reef::http {
namespace {

constexpr std::uint32_t kStreamsMax = 1024;
constexpr std::int32_t kWindowBytes = 1 << 20;
constexpr std::size_t kOutBufferedMax = 256 * 1024;

class Session;

class StreamBody final : public Body {
 public:
  StreamBody(Session& session, std::int32_t id) : session_(session), id_(id) {}
  Task<Result<std::string_view, Failure>> read() override;
  std::optional<std::uint64_t> size() const override { return length; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return trailer_fields; }

  void wake() {
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }

  std::string received;
  bool ended = false, broken = false;
  std::optional<std::uint64_t> length;
  std::vector<std::pair<std::string, std::string>> trailer_fields;

 private:
  Session& session_;
  std::int32_t id_;
  std::string piece_;
  std::coroutine_handle<> waiter_;
};

struct Stream {
  Stream(Session& session, std::int32_t stream_id) : id(stream_id), body(session, stream_id) {}
  std::int32_t id;
  Request request;
  // Offsets into request.storage until it stops growing; turned into views when the headers are complete.
  struct Span {
    std::size_t name_at, name_size, value_at, value_size;
  };
  std::vector<Span> spans;
  std::string target, authority;
  bool headers_done = false;
  StreamBody body;
  Response response;
  std::string out;          // response bytes not yet framed
  std::size_t out_at = 0;
  bool out_ended = false;   // nothing will be added to `out`
  bool deferred = false;    // nghttp2 waits for more of `out`
  std::coroutine_handle<> pump;  // waits for `out` to drain
  bool closed = false;      // nghttp2 is done with it
  bool handled = false;     // the handler's coroutine ended
};

class Session {
 public:
  explicit Session(Connection& connection) : connection_(connection) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);  // the window opens when the handler reads
    nghttp2_option_set_max_send_header_block_length(option, 256 * 1024);
    nghttp2_session_server_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsMax},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, connection.shared->options.head_bytes_max}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 3);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 4 * kWindowBytes);
  }
  ~Session() { nghttp2_session_del(session_); }

  Task<void> run() {
    ServerShared& shared = *connection_.shared;
    bool good = feed(connection_.input);
    connection_.input.clear();
    connection_.input.shrink_to_fit();
    start_writer();
    while (good && !connection_.stream.is_closed() &&
           (nghttp2_session_want_read(session_) || nghttp2_session_want_write(session_))) {
      connection_.idle = streams_.empty();
      if (shared.draining && streams_.empty()) break;
      // With streams in progress the peer may rightly be silent for as long as the handlers take.
      const std::int64_t deadline = streams_.empty() ? shared.deadline_in(shared.options.idle_timeout) : 0;
      const long n = co_await connection_.stream.read(read_scratch(), kReadBytes, deadline);
      if (n <= 0) break;
      good = feed({read_scratch(), static_cast<std::size_t>(n)});
      start_writer();
    }
    ending_ = true;
    connection_.stream.close();
    for (auto& [id, stream] : streams_) {
      stream->body.broken = true;
      stream->request.note_peer_gone();
      if (stream->pump) connection_.shared->reactor.post([pump = std::exchange(stream->pump, nullptr)] { pump.resume(); });
    }
    // Waking a body may end its handler and change the map, so each is woken from the loop. Streams whose handlers have not begun, or
    // have ended, do not keep this object.
    for (auto& [id, stream] : streams_) connection_.shared->reactor.post([s = stream.get(), this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired() && still_open(s)) s->body.wake();
    });
    if (running_ > 0) co_await idle_;
  }

  void consumed(std::int32_t id, std::size_t size) {
    if (ending_) return;
    nghttp2_session_consume(session_, id, size);
    start_writer();
  }

 private:
  static Session& self(void* data) { return *static_cast<Session*>(data); }
  bool still_open(const Stream* wanted) const {
    for (const auto& [id, stream] : streams_)
      if (stream.get() == wanted) return true;
    return false;
  }
  Stream* find(std::int32_t id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : found->second.get();
  }

  bool feed(std::string_view bytes) {
    if (bytes.empty()) return true;
    const auto n = nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return n >= 0;
  }

  void start_writer() {
    if (writing_ || ending_) return;
    writing_ = true;
    ++running_;
    // At the end of the tick's events: what several streams have to say goes out in one write.
    connection_.shared->reactor.post([this] { write_all().detach(); });
  }
  Task<void> write_all() {
    std::string batch;
    while (!ending_) {
      batch.clear();
      const std::uint8_t* data = nullptr;
      while (batch.size() < kReadBytes) {
        const auto n = nghttp2_session_mem_send(session_, &data);
        if (n <= 0) break;
        batch.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
      }
      if (batch.empty()) break;
      if (!co_await connection_.stream.write(batch, connection_.shared->options.send_timeout)) {
        connection_.stream.close();
        break;
      }
    }
    writing_ = false;
    // After a GOAWAY of ours nothing more is expected: the reader ends too.
    if (!ending_ && !nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) connection_.stream.close();
    finished_one();
  }
  void finished_one() {
    if (--running_ == 0 && ending_) idle_.set(true);
  }

  // A stream whose number was passed over is closed for good: a head on it is an error of the connection (RFC 9113, 5.1.1), which
  // nghttp2 takes for a late frame of a stream that there was.
  static int on_begin_frame(nghttp2_session* session, const nghttp2_frame_hd* frame, void* data) {
    if (frame->type != NGHTTP2_HEADERS || frame->stream_id % 2 == 0) return 0;
    Session& of = self(data);
    if (frame->stream_id > of.last_id_) {
      if (frame->stream_id > of.last_id_ + 2) of.passed_over_ = {of.last_id_ + 2, frame->stream_id};
      of.last_id_ = frame->stream_id;
    } else if (frame->stream_id >= of.passed_over_.first && frame->stream_id < of.passed_over_.second) {
      nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
    }
    return 0;
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    self(data).streams_.emplace(frame->hd.stream_id, std::make_unique<Stream>(self(data), frame->hd.stream_id));
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* data) {
    Stream* stream = self(data).find(frame->hd.stream_id);
    if (!stream) return 0;
    const std::string_view n(reinterpret_cast<const char*>(name), name_size);
    const std::string_view v(reinterpret_cast<const char*>(value), value_size);
    if (stream->headers_done) {
      stream->body.trailer_fields.emplace_back(n, v);
      return 0;
    }
    if (stream->request.storage.size() + n.size() + v.size() > self(data).connection_.shared->options.head_bytes_max)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (n == ":method") stream->request.method = v;
    else if (n == ":path") stream->target = v;
    else if (n == ":authority") stream->authority = v;
    else if (!n.starts_with(':')) {
      std::string& storage = stream->request.storage;
      stream->spans.push_back({storage.size(), n.size(), storage.size() + n.size(), v.size()});
      storage += n;
      storage += v;
    }
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* data) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Stream* stream = self(data).find(frame->hd.stream_id);
    if (!stream) return 0;
    const bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (end) stream->body.ended = true;
    if (frame->hd.type == NGHTTP2_HEADERS && !stream->headers_done) {
      stream->headers_done = true;
      self(data).begin(*stream, end);
    } else if (end) {
      stream->body.wake();
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                     void* data) {
    Stream* stream = self(data).find(id);
    if (!stream || stream->handled) {
      nghttp2_session_consume(session, id, size);  // nobody will read it
      return 0;
    }
    stream->body.received.append(reinterpret_cast<const char*>(bytes), size);
    stream->body.wake();
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* data) {
    Stream* stream = self(data).find(id);
    if (!stream) return 0;
    stream->closed = true;
    if (!stream->body.ended) stream->body.broken = true;
    stream->request.note_peer_gone();
    if (stream->handled) {
      self(data).streams_.erase(id);
    } else {
      if (stream->pump) {
        auto pump = std::exchange(stream->pump, nullptr);
        self(data).connection_.shared->reactor.post([pump] { pump.resume(); });
      }
      stream->body.wake();
    }
    return 0;
  }

  void begin(Stream& stream, bool no_body) {
    Request& request = stream.request;
    // The target and the host live at the end of the storage; nothing is appended after this.
    const std::size_t target_at = request.storage.size();
    request.storage += stream.target;
    const std::size_t host_at = request.storage.size();
    request.storage += stream.authority;
    const std::string_view text = request.storage;
    for (const Stream::Span& span : stream.spans)
      request.headers.push_back({text.substr(span.name_at, span.name_size), text.substr(span.value_at, span.value_size)});
    request.target = text.substr(target_at, stream.target.size());
    request.host = stream.authority.empty() ? request.header("host") : text.substr(host_at);
    const auto question = request.target.find('?');
    request.path = request.target.substr(0, question);
    request.query = question == std::string_view::npos ? std::string_view{} : request.target.substr(question + 1);
    request.version = 20;
    request.is_tls = connection_.stream.transport().is_tls();
    request.peer = connection_.peer;
    request.body = &stream.body;
    if (no_body) stream.body.length = 0;
    else if (const auto length = parse_int<std::uint64_t>(request.header("content-length"))) stream.body.length = *length;
    ++running_;
    handle(stream).detach();
  }

  Task<void> handle(Stream& stream) {
    stream.response = co_await connection_.shared->handler(stream.request);
    if (!ending_ && !stream.closed) respond(stream);
    if (stream.response.stream && !stream.out_ended) co_await pump_stream(stream);
    // A body that was not read to its end: tell the client to stop sending.
    // Whoever still reads the body outlived its handler, and ends with it.
    if (!stream.body.ended) {
      stream.body.broken = true;
      stream.body.wake();
    }
    if (!stream.body.received.empty()) consumed(stream.id, std::exchange(stream.body.received, {}).size());
    stream.handled = true;
    const std::int32_t id = stream.id;
    if (stream.closed) streams_.erase(id);
    if (!ending_) start_writer();
    finished_one();
  }

  void respond(Stream& stream) {
    Response& response = stream.response;
    const bool no_body = stream.request.method == "HEAD" || response.status == 204 || response.status == 304;
    const std::string status = std::to_string(response.status);
    std::string length;
    std::vector<nghttp2_nv> fields;
    const auto add = [&fields](std::string_view name, std::string_view value) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                        NGHTTP2_NV_FLAG_NONE});
    };
    add(":status", status);
    bool has_length = false, has_date = false;
    for (auto& [name, value] : response.headers) {
      name = to_lower(name);
      if (name == "connection" || name == "transfer-encoding" || name == "keep-alive") continue;
      if (value.find_first_of("\r\n") != std::string::npos) continue;
      has_length = has_length || name == "content-length";
      has_date = has_date || name == "date";
      add(name, value);
    }
    const auto size = response.stream ? response.stream->size() : std::optional<std::uint64_t>(response.body.size());
    if (size && !has_length && response.status != 204) add("content-length", length = std::to_string(*size));
    if (!has_date) add("date", current_http_date());
    stream.out_ended = no_body || !response.stream;
    if (!no_body && !response.stream) stream.out = std::move(response.body);
    if (no_body || (stream.out_ended && stream.out.empty())) {
      stream.out_ended = true;
      nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(), nullptr);
    } else {
      nghttp2_data_provider provider{};
      provider.source.ptr = &stream;
      provider.read_callback = provide;
      nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(), &provider);
    }
    start_writer();
  }

  static ssize_t provide(nghttp2_session* session, std::int32_t id, std::uint8_t* out, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source* source, void* data) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t n = std::min(size, stream.out.size() - stream.out_at);
    std::memcpy(out, stream.out.data() + stream.out_at, n);
    stream.out_at += n;
    if (stream.out_at == stream.out.size()) {
      stream.out.clear();
      stream.out_at = 0;
      if (stream.out_ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream.response.stream && !stream.response.stream->trailers().empty()) {
          *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
          std::vector<nghttp2_nv> fields;
          for (const auto& [name, value] : stream.response.stream->trailers())
            fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                              reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                              NGHTTP2_NV_FLAG_NONE});
          nghttp2_submit_trailer(session, id, fields.data(), fields.size());
        }
      } else if (stream.pump) {
        auto pump = std::exchange(stream.pump, nullptr);
        self(data).connection_.shared->reactor.post([pump] { pump.resume(); });
      }
    }
    if (n == 0 && !stream.out_ended) {
      stream.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(n);
  }

  struct Drained {
    Stream& stream;
    bool await_ready() const { return stream.out.size() < kOutBufferedMax; }
    void await_suspend(std::coroutine_handle<> waiter) { stream.pump = waiter; }
    void await_resume() const {}
  };

  Task<void> pump_stream(Stream& stream) {
    while (!ending_ && !stream.closed) {
      const auto piece = co_await stream.response.stream->read();
      if (ending_ || stream.closed) co_return;
      if (!piece) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_INTERNAL_ERROR);
        co_return;
      }
      stream.out += *piece;
      stream.out_ended = piece->empty();
      if (std::exchange(stream.deferred, false)) nghttp2_session_resume_data(session_, stream.id);
      start_writer();
      if (stream.out_ended) co_return;
      co_await Drained{stream};
    }
  }

  std::int32_t last_id_ = -1;
  std::pair<std::int32_t, std::int32_t> passed_over_{0, 0};   // the last range of numbers that no stream had
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Connection& connection_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::unique_ptr<Stream>> streams_;
  bool writing_ = false, ending_ = false;
  int running_ = 0;  // coroutines that still use this object
  Later<bool> idle_;
};

Task<Result<std::string_view, Failure>> StreamBody::read() {
  struct Wait {
    std::coroutine_handle<>& waiter;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
    void await_resume() const {}
  };
  while (received.empty() && !ended && !broken) co_await Wait{waiter_};
  if (received.empty() && broken) co_return Err(Failure{"the client reset the stream", EIO});
  piece_ = std::exchange(received, {});
  if (!piece_.empty()) session_.consumed(id_, piece_.size());
  co_return std::string_view(piece_);
}

}  // namespace

Task<void> serve_http2(Connection& connection) {
  Session session(connection);
  co_await session.run();
}

}  // namespace reef::http
