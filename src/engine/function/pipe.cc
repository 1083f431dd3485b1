#include "engine/function/pipe.h"

#include <cerrno>
#include <utility>

#include "engine/store/shard.h"

namespace reef::function {

Task<bool> Pipe::write(std::string_view bytes) {
  if (abandoned_ || finished_) co_return false;
  buffer_ += bytes;
  if (reader_) std::exchange(reader_, nullptr)->set(true);
  if (buffer_.size() > kBufferedMax && !abandoned_) {
    Later<bool> room;
    writer_ = &room;
    co_await room;
  }
  co_return !abandoned_;
}

void Pipe::finish(std::string error_type, std::string error_body) {
  if (finished_) return;
  finished_ = true;
  error_type_ = std::move(error_type);
  error_body_ = std::move(error_body);
  if (reader_) std::exchange(reader_, nullptr)->set(true);
}

Task<std::string> Pipe::read() {
  while (buffer_.empty() && !finished_) {
    Later<bool> more;
    reader_ = &more;
    co_await more;
  }
  std::string piece = std::exchange(buffer_, {});
  if (writer_) std::exchange(writer_, nullptr)->set(true);
  co_return piece;
}

void Pipe::abandon() {
  abandoned_ = true;
  buffer_.clear();
  if (writer_) std::exchange(writer_, nullptr)->set(true);
}

PipeReader::~PipeReader() {
  if (pipe_) store::Shard::control().reactor().post([pipe = std::move(pipe_)] { pipe->abandon(); });
}

Task<PipePiece> PipeReader::read() {
  store::Shard& home = store::Shard::current();
  const std::shared_ptr<Pipe> pipe = pipe_;
  co_await store::Shard::control().enter();
  PipePiece piece{.bytes = co_await pipe->read()};
  if (piece.bytes.empty()) {
    piece.error_type = pipe->error_type();
    piece.error_body = pipe->error_body();
    piece.log_tail = pipe->log_tail;
  }
  co_await home.enter();
  co_return piece;
}

Task<Result<std::string_view, Failure>> PipeBody::read() {
  if (has_first_) {
    has_first_ = false;
    co_return std::string_view(piece_);
  }
  PipePiece next = co_await reader_.read();
  piece_ = std::move(next.bytes);
  if (piece_.empty() && !next.error_type.empty()) co_return Err(Failure{next.error_type, EIO});
  co_return std::string_view(piece_);
}

}  // namespace reef::function
