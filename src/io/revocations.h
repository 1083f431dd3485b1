// Certificate revocation lists as PEM texts.
#pragma once

#include <string_view>

#include "base/result.h"

namespace reef::io {

// How many certificates the lists of a text revoke together; fails when there is no list in it or one cannot be read.
Result<int, Failure> count_revoked(std::string_view pem);

}  // namespace reef::io
