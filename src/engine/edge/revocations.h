// Revocation lists of trust stores, for whoever configures who may connect.
#pragma once

#include "io/revocations.h"

namespace reef::edge {

using io::count_revoked;

}  // namespace reef::edge
