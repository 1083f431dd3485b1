// Answers queries for one view: from the view when it knows the name, else from upstream. Lives on one loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "engine/naming/upstream.h"
#include "engine/naming/zones.h"

namespace reef::naming {

class Resolver {
 public:
  // The reply; empty when the query deserves none.
  using Done = std::move_only_function<void(std::string_view reply)>;

  Resolver(std::shared_ptr<const ViewCell> cell, Upstream& upstream);

  // Answers at once into `reply`, or says what is left to do.
  Outcome answer(std::string_view packet, bool over_tcp, Reply& reply);
  // The whole way: `done` is called now or later, on this loop.
  void resolve(std::string_view packet, bool over_tcp, Done done);
  // What is left after answer() said kForward or kContinue with what it wrote.
  void finish_elsewhere(std::string_view packet, Outcome outcome, const Reply& reply, bool over_tcp, Done done);

 private:
  const View& view() {
    if (const std::uint64_t version = cell_->version(); version != version_ || !view_) {
      version_ = version;
      view_ = cell_->load();
    }
    return *view_;
  }
  std::shared_ptr<const ViewCell> cell_;
  std::shared_ptr<const View> view_;
  std::uint64_t version_ = 0;
  Upstream& upstream_;
  SeededRandom random_;
};

}  // namespace reef::naming
