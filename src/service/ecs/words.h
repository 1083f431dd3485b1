// A command line as words, as a shell reads it: quotes, backslashes, blanks; nothing is expanded. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reef::service::ecs {

// Nothing when a quote is not closed.
std::optional<std::vector<std::string>> split_words(std::string_view line);

}  // namespace reef::service::ecs
