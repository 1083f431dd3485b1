// Names to addresses for the HTTP client, without blocking the loop.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "io/reactor.h"

namespace reef::http {

// A numeric address for `host`: itself when it is one, loopback for localhost and *.localhost, otherwise what the
// system's resolver says (asked on a helper thread, at most four at a time).
Task<Result<std::string, Failure>> resolve(io::Reactor& reactor, std::string host);

}  // namespace reef::http
