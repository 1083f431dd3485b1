#include "service/lambda/policy_document.h"

#include <fmt/format.h>

#include <algorithm>

namespace reef::service::lambda {

wire::Json policy_principal(const std::string& principal) {
  using wire::Json;
  if (principal == "*") return Json("*");
  if (principal.starts_with("arn:")) return Json::object({{"AWS", principal}});
  const bool is_account = principal.size() == 12 && std::all_of(principal.begin(), principal.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_account) return Json::object({{"AWS", fmt::format("arn:aws:iam::{}:root", principal)}});
  return Json::object({{"Service", principal}});
}

Reply<void> add_statement(StoredPolicy& policy, const wire::Json& statement, const std::string& id) {
  for (const wire::Json& one : policy.statements.as_array())
    if (one.text("Sid") == id)
      return Err(conflict(fmt::format("The statement id ({}) provided already exists. Please provide a new statement id, or remove the existing statement.", id)));
  policy.statements.push_back(statement);
  return {};
}

bool remove_statement(StoredPolicy& policy, const std::string& id) {
  if (!policy.statements.is_array()) return false;
  return std::erase_if(policy.statements.elements(), [&](const wire::Json& one) { return one.text("Sid") == id; }) > 0;
}

std::string policy_text(const StoredPolicy& policy) {
  return wire::Json::object({{"Version", "2012-10-17"}, {"Id", "default"}, {"Statement", policy.statements}}).dump();
}

}  // namespace reef::service::lambda
