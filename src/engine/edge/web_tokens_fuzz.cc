// Tokens and key sets of strangers: whatever is read holds no more than its text, and nothing unsigned is taken for signed.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/edge/web_tokens.h"

using namespace reef;
using namespace reef::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = parse_web_token(text)) {
    CHECK(!is_signed(*token, {}));
    claim_time(token->claims, "exp");
    for (const auto& [name, claim] : token->claims.as_object()) claim_values(claim, true);
  }
  if (const auto keys = parse_key_set(text, 10)) CHECK(keys->size() <= 10);
  return 0;
}
