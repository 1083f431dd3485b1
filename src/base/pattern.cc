#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <utility>

namespace reef {

struct Pattern::Compiled {
  pcre2_code* code = nullptr;
  pcre2_match_context* limits = nullptr;
  ~Compiled() {
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
  }
};

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Result<Pattern, Failure> Pattern::compile(const std::string& text, PatternHow how) {
  constexpr std::uint32_t kStepsMax = 200'000, kDepthMax = 10'000, kHeapKibMax = 4096;
  auto compiled = std::make_unique<Compiled>();
  int error = 0;
  PCRE2_SIZE at = 0;
  const std::uint32_t options = PCRE2_NEVER_BACKSLASH_C | (how.whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0u) | (how.ignores_case ? PCRE2_CASELESS : 0u);
  compiled->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), options, &error, &at, nullptr);
  if (!compiled->code) {
    PCRE2_UCHAR said[256] = {};
    pcre2_get_error_message(error, said, sizeof said);
    return Err(Failure{std::string(reinterpret_cast<const char*>(said)) + " at offset " + std::to_string(at)});
  }
  compiled->limits = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(compiled->limits, kStepsMax);
  pcre2_set_depth_limit(compiled->limits, kDepthMax);
  pcre2_set_heap_limit(compiled->limits, kHeapKibMax);
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  pcre2_match_data* const found = pcre2_match_data_create(1, nullptr);
  const int count = pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, found, compiled_->limits);
  pcre2_match_data_free(found);
  return count >= 0;
}

std::size_t Pattern::groups() const {
  std::uint32_t count = 0;
  pcre2_pattern_info(compiled_->code, PCRE2_INFO_CAPTURECOUNT, &count);
  return count;
}

Result<std::optional<std::string>, Failure> Pattern::replaced(std::string_view text, const std::string& replacement, std::size_t size_max) const {
  std::string out(size_max + 1, '\0');
  PCRE2_SIZE size = out.size();
  const int count = pcre2_substitute(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, PCRE2_SUBSTITUTE_UNSET_EMPTY, nullptr, compiled_->limits,
                                     reinterpret_cast<PCRE2_SPTR>(replacement.data()), replacement.size(), reinterpret_cast<PCRE2_UCHAR*>(out.data()), &size);
  if (count == 0) return std::optional<std::string>();
  if (count < 0) {
    PCRE2_UCHAR said[256] = {};
    pcre2_get_error_message(count, said, sizeof said);
    return Err(Failure{reinterpret_cast<const char*>(said)});
  }
  out.resize(size);
  return std::optional(std::move(out));
}

}  // namespace reef
