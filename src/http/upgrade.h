// The reply of a handler that agrees to another protocol (status 101): what follows are bytes in both directions, until either
// side ends. HTTP/1.1 alone.
#pragma once

#include <string_view>

#include "http/message.h"

namespace reef::http {

// `read` gives what goes to the client.
class Upgrade : public Body {
 public:
  // Takes what came from the client; false when nobody wants it any more. Comes back when there is room for more.
  virtual Task<bool> write(std::string_view bytes) = 0;
  // The client ended its side, or is gone: reads end soon.
  virtual void end() = 0;
};

}  // namespace reef::http
