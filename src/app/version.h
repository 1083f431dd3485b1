#pragma once

namespace reef::app {
// Of this build; also in CMakeLists.txt.
constexpr const char* kVersion = "0.1.0";
}  // namespace reef::app
