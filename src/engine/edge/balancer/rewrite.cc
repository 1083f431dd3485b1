#include "engine/edge/balancer/rewrite.h"

#include <algorithm>

namespace reef::edge {
namespace {

constexpr std::size_t kHostMax = 255, kTargetMax = 16 * 1024;

// What goes into a head must not be able to end its line or its word.
bool is_one_word(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

}  // namespace

Result<Rewritten, Failure> rewrite(const Rewrites& rewrites, std::string_view host, std::string_view target) {
  Rewritten out;
  if (rewrites.host) out.host = TRY(rewrites.host->pattern->replaced(host, rewrites.host->replacement, kHostMax));
  if (rewrites.url) out.target = TRY(rewrites.url->pattern->replaced(target, rewrites.url->replacement, kTargetMax));
  if (out.host && (out.host->empty() || !is_one_word(*out.host) || out.host->find_first_of("/?#@") != std::string::npos)) return Err(Failure{"the rewritten host is none"});
  if (out.target && (!out.target->starts_with('/') || !is_one_word(*out.target) || out.target->find('#') != std::string::npos)) return Err(Failure{"the rewritten URL is none"});
  return out;
}

}  // namespace reef::edge
