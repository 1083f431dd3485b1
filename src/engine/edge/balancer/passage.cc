#include "engine/edge/balancer/passage.h"

#include <charconv>

#include "base/text.h"

namespace reef::edge {
namespace {

constexpr std::size_t kReplyBacklogMax = 256 * 1024, kRequestBacklogMax = 256 * 1024;

class PassageBody final : public http::Body {
 public:
  explicit PassageBody(std::shared_ptr<Passage> passage) : passage_(std::move(passage)) {}
  ~PassageBody() override { passage_->stop(); }
  Task<Result<std::string_view, Failure>> read() override {
    for (;;) {
      if (!passage_->received.empty()) {
        piece_ = std::exchange(passage_->received, {});
        if (passage_->upstream)
          passage_->loop.reactor().post([kept = passage_] {
            if (kept->upstream) kept->upstream->resume();
          });
        co_return std::string_view(piece_);
      }
      if (passage_->ended) co_return std::string_view{};
      if (passage_->failure) co_return Err(Failure{"the target's reply broke off", EIO});
      co_await passage_->changed;
    }
  }
  std::optional<std::uint64_t> size() const override { return passage_->length; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return passage_->trailers; }

 private:
  std::shared_ptr<Passage> passage_;
  std::string piece_;
};

std::string chunk(std::string_view bytes) {
  char size[24];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  std::string out(size, end);
  out += "\r\n";
  out += bytes;
  return out += "\r\n";
}

}  // namespace

void Passage::stop() {
  if (upstream) std::exchange(upstream, nullptr)->abandon();
  release();
}

void Passage::release() {
  if (std::exchange(counted, false)) target->outstanding.fetch_sub(1, std::memory_order_relaxed);
}

void Passage::give_up(UpstreamFailure why) {
  if (!upstream || has_head) return;
  std::exchange(upstream, nullptr)->abandon();
  on_reply_failed(why);
}

void Passage::cut() {
  if (!upstream) return;
  std::exchange(upstream, nullptr)->abandon();
  on_reply_failed(UpstreamFailure::kBroken);
}

void Passage::begin(const std::shared_ptr<Target>& chosen, const std::shared_ptr<const GroupSettings>& group, std::string_view bytes, bool complete, bool is_head) {
  target = chosen;
  failure.reset();
  counted = true;
  target->outstanding.fetch_add(1, std::memory_order_relaxed);
  upstream = &loop.take_upstream(target, group);
  upstream->start(*this, bytes, complete, is_head);
}

void Passage::on_reply_head(const wire::Http1Head& head, std::string_view bytes) {
  if (head.status < 200 && head.status != 101) return;
  status = head.status;
  length = head.has_length ? std::optional(head.content_length) : std::nullopt;
  head_bytes = bytes;
  parsed = head;
  has_head = true;
  changed.raise(loop.reactor());
}

void Passage::on_reply_body(std::string_view bytes) {
  received += bytes;
  if (received.size() > kReplyBacklogMax && upstream) upstream->pause();
}

void Passage::on_reply_end() {
  if (upstream) trailers = upstream->decoder().trailers();
  upstream = nullptr;
  ended = true;
  release();
  changed.raise(loop.reactor());
  drained.raise(loop.reactor());
}

void Passage::on_reply_failed(UpstreamFailure why) {
  upstream = nullptr;
  failure = why;
  release();
  ++target->sides[loop.index()].counters.connection_errors;
  changed.raise(loop.reactor());
  drained.raise(loop.reactor());
}

std::unique_ptr<http::Body> make_passage_body(std::shared_ptr<Passage> passage) { return std::make_unique<PassageBody>(std::move(passage)); }

http::Response take_reply(const std::shared_ptr<Passage>& passage, bool is_head_request) {
  http::Response out;
  out.status = passage->status;
  for (const wire::Http1Field& field : passage->parsed.fields) {
    const std::string_view bytes = passage->head_bytes;
    const std::string_view name = bytes.substr(field.name_at, field.name_size);
    if (equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive") || equals_ignoring_case(name, "transfer-encoding") ||
        equals_ignoring_case(name, "upgrade") || equals_ignoring_case(name, "proxy-connection"))
      continue;
    out.headers.emplace_back(name, bytes.substr(field.value_at, field.value_size));
  }
  // A small reply that is here already needs no stream.
  if (passage->ended) {
    out.body = std::move(passage->received);
    if (is_head_request || passage->trailers.empty()) return out;
  }
  if (!is_head_request) out.stream = make_passage_body(passage);
  return out;
}

// Sends the rest of a request's body while the reply may be arriving.
Task<void> send_body(std::shared_ptr<Passage> passage, http::Body& body, bool chunked, Later<bool>* done) {
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece || !passage->upstream) {
      // A client that broke off: the target must not take what it got for the whole.
      if (!piece && passage->upstream && !passage->has_head) {
        std::exchange(passage->upstream, nullptr)->abandon();
        passage->failure = UpstreamFailure::kBroken;
        passage->changed.raise(passage->loop.reactor());
      }
      break;
    }
    const bool last = piece->empty();
    if (chunked) passage->upstream->send(last ? std::string("0\r\n\r\n") : chunk(*piece), last);
    else passage->upstream->send(*piece, last);
    if (last) break;
    while (passage->upstream && passage->upstream->backlog() > kRequestBacklogMax) co_await passage->drained;
  }
  if (done) done->set(true);
}

}  // namespace reef::edge
