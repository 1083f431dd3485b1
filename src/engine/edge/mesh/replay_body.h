// A request's body that can be sent again: what was read of it is kept while it is little.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace reef::edge::mesh {

class ReplayBody final : public http::Body, public std::enable_shared_from_this<ReplayBody> {
 public:
  static constexpr std::size_t kKeptMax = 64 * 1024;
  // `origin` must outlive the last read. `on_piece` is told of each piece that comes, and of the end.
  explicit ReplayBody(http::Body& origin, std::function<void(bool is_end)> on_piece = {}) : origin_(origin), on_piece_(std::move(on_piece)) {}

  Task<Result<std::string_view, Failure>> read() override;
  std::optional<std::uint64_t> size() const override { return origin_.size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return origin_.trailers(); }

  // Nobody is in the middle of reading, and all that was read is here.
  bool can_rewind() const { return !overflowed_ && !reading_; }
  void rewind() { at_ = 0; }
  // How many bytes have come.
  std::uint64_t passed() const { return passed_; }

 private:
  http::Body& origin_;
  std::function<void(bool)> on_piece_;
  std::string kept_;
  std::uint64_t passed_ = 0;
  std::size_t at_ = 0;   // of kept_, how much the present try has had
  bool overflowed_ = false, reading_ = false, ended_ = false;
};

}  // namespace reef::edge::mesh
