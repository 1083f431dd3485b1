// Compression for files that are delivered to others.
#pragma once

#include <string>
#include <string_view>

namespace reef {

// A whole gzip file.
std::string gzip(std::string_view bytes);

}  // namespace reef
