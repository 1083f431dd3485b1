// How the user steered the clock, kept in the data folder: an advanced or frozen clock is so again after a restart. A
// reset brings real time back.
#pragma once

#include <string>

#include "base/result.h"
#include "io/reactor.h"

namespace reef::app {

// Sets the clock as it was left; without a file it is left alone.
Result<void, Failure> load_clock(const std::string& data, io::SystemClock& clock);
// Durable when it returns. A clock that follows real time has no file.
Result<void, Failure> save_clock(const std::string& data, const io::SystemClock& clock);

// Back to real time.
Result<void, Failure> forget_clock(const std::string& data, io::SystemClock& clock);

}  // namespace reef::app
