#include "engine/edge/mesh/replay_body.h"

#include <utility>

namespace reef::edge::mesh {

Task<Result<std::string_view, Failure>> ReplayBody::read() {
  const auto self = shared_from_this();   // whoever reads may be gone when the peer sends more
  if (!overflowed_ && at_ < kept_.size()) {
    const std::string_view again = std::string_view(kept_).substr(at_);
    at_ = kept_.size();
    co_return again;
  }
  if (ended_) co_return std::string_view{};
  reading_ = true;
  auto piece = co_await origin_.read();
  reading_ = false;
  if (!piece) co_return piece;
  ended_ = piece->empty();
  passed_ += piece->size();
  if (on_piece_) on_piece_(ended_);
  if (!overflowed_ && kept_.size() + piece->size() > kKeptMax) {
    overflowed_ = true;
    kept_ = {};
  }
  if (!overflowed_) {
    kept_ += *piece;
    at_ = kept_.size();
  }
  co_return piece;
}

}  // namespace reef::edge::mesh
