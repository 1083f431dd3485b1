#include "engine/function/pipe.h"

#include <cerrno>
#include <utility>

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

Task<Result<std::string_view, Failure>> PipeBody::read() {
  if (has_first_) {
    has_first_ = false;
    co_return std::string_view(piece_);
  }
  piece_ = co_await pipe_->read();
  if (piece_.empty() && !pipe_->error_type().empty()) co_return Err(Failure{pipe_->error_type(), EIO});
  co_return std::string_view(piece_);
}

}  // namespace reef::function
