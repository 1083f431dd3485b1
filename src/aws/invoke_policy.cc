#include "aws/invoke_policy.h"

#include "base/text.h"

namespace reef::aws {
namespace {

using wire::Json;

bool covers(const Json& patterns, std::string_view text) {
  if (patterns.is_string()) return matches_wildcard(patterns.as_string(), text);
  for (const Json& pattern : patterns.as_array())
    if (matches_wildcard(pattern.as_string(), text)) return true;
  return false;
}

}  // namespace

Verdict judge_invoke(const Json& document, std::string_view arn) {
  Verdict out = Verdict::kNotAllowed;
  const auto read = [&](const Json& statement) {
    const bool is_plain = !statement.contains("Condition") && !statement.contains("NotAction") && !statement.contains("NotResource");
    const bool denies = statement.text("Effect") != "Allow";
    const bool fits = is_plain ? covers(statement["Action"], "execute-api:Invoke") && covers(statement["Resource"], arn) : denies;
    if (fits && denies) out = Verdict::kDenied;
    else if (fits && out != Verdict::kDenied) out = Verdict::kAllowed;
  };
  const Json& statements = document["Statement"];
  if (statements.is_object()) read(statements);
  for (const Json& statement : statements.as_array()) read(statement);
  return out;
}

}  // namespace reef::aws
