// For services that watch whole exchanges, from the request's first byte to the reply's last: what a handler cannot see,
// for its reply is encoded after it, and what is refused before a handler runs.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "http/message.h"

namespace reef::aws {

// Of one exchange; lives until the reply is handed to the server. May put a body of its own before the request's.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  // The reply as it is sent, refusals too. May put a stream of its own before the reply's.
  virtual void answer(http::Response& response) = 0;
};

struct ExchangeObservers {
  // Nothing for what need not be watched. `operation` is "" when it is not known.
  using Begin = std::function<std::unique_ptr<ExchangeObserver>(std::string_view operation, const UriLabels& labels, http::Request& request)>;
  TextMap<Begin> by_service;  // by the model's name; filled while services are made

  std::unique_ptr<ExchangeObserver> begin(std::string_view service, std::string_view operation, const UriLabels& labels,
                                          http::Request& request) const {
    const auto found = by_service.find(service);
    return found == by_service.end() ? nullptr : found->second(operation, labels, request);
  }
};

}  // namespace reef::aws
