#include "service/iam/iam.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "wire/json.h"

namespace reef::service::iam {

Iam::Iam(Parts& parts) : keys(parts.get<aws::AccessKeys>()) {}

void Iam::start() {
  records().scan("iam/", [this](std::string_view key, const std::string& text) {
    const auto parts = split(key, '/');
    if (parts.size() >= 4 && parts[2] == "access-key")
      if (const auto stored = aws::from_json_text<model::AccessKey>(text)) publish(std::string(parts[1]), *stored);
    return true;
  });
}

void Iam::publish(const std::string& account, const model::AccessKey& key) {
  aws::Principal owner{.arn = fmt::format("arn:aws:iam::{}:root", account), .user_id = account, .account = account, .access_key = {}};
  if (const auto user = load<model::User>(fmt::format("iam/{}/user/{}", account, key.user_name))) owner.arn = user->arn, owner.user_id = user->user_id;
  keys.put(key.access_key_id, {.secret = key.secret_access_key, .session_token = {}, .principal = std::move(owner), .expires_at = {}, .active = key.status == "Active"});
}

std::vector<std::string> Iam::names_below(const std::string& prefix) {
  std::vector<std::string> out;
  records().scan(prefix, [&](std::string_view key, const std::string&) {
    out.emplace_back(key.substr(prefix.size()));
    return true;
  });
  return out;
}

std::string key_of(const Call& call, std::string_view kind, std::string_view name) { return fmt::format("iam/{}/{}/{}", call.account, kind, name); }
std::string_view word(Holder holder) { return holder == Holder::kUser ? "user" : holder == Holder::kGroup ? "group" : "role"; }
std::string_view title(Holder holder) { return holder == Holder::kUser ? "User" : holder == Holder::kGroup ? "Group" : "Role"; }
std::string holder_key(const Call& call, Holder holder, std::string_view name) { return key_of(call, word(holder), name); }
std::string inline_key(const Call& call, Holder holder, std::string_view name, std::string_view policy) {
  return fmt::format("iam/{}/inline/{}/{}/{}", call.account, word(holder), name, policy);
}
std::string attached_key(const Call& call, Holder holder, std::string_view name, std::string_view arn) {
  return fmt::format("iam/{}/attached/{}/{}/{}", call.account, word(holder), name, arn);
}

aws::Error no_such(std::string_view what, std::string_view name) {
  return {errors::kNoSuchEntityException, fmt::format("The {} with name {} cannot be found.", what, name)};
}
aws::Error exists_already(std::string_view what, std::string_view name) {
  return {errors::kEntityAlreadyExistsException, fmt::format("{} with name {} already exists.", what, name)};
}

namespace {

aws::Error malformed(std::string text) { return {errors::kMalformedPolicyDocumentException, std::move(text)}; }

// Of each statement, of which there may be one without a list around it.
template <class Check>
aws::Reply<void> check_statements(std::string_view document, const Check& check) {
  const auto json = wire::Json::parse(document);
  if (!json || !json->is_object()) return Err(malformed("Syntax errors in policy."));
  if (!json->contains("Statement")) return Err(malformed("Missing required field Statement"));
  const wire::Json& statements = (*json)["Statement"];
  if (statements.is_object()) return check(statements);
  for (const wire::Json& statement : statements.as_array()) TRY(check(statement));
  return {};
}

bool has_effect(const wire::Json& statement) { return statement.text("Effect") == "Allow" || statement.text("Effect") == "Deny"; }

}  // namespace

// The words are those that AWS answers with; of its grammar the parts that people get wrong.
aws::Reply<void> check_identity_document(std::string_view document) {
  return check_statements(document, [](const wire::Json& statement) -> aws::Reply<void> {
    if (!has_effect(statement)) return Err(malformed("Syntax errors in policy."));
    if (statement.contains("Principal") || statement.contains("NotPrincipal")) return Err(malformed("Policy document should not specify a principal."));
    if (!statement.contains("Action") && !statement.contains("NotAction")) return Err(malformed("Policy statement must contain actions."));
    if (!statement.contains("Resource") && !statement.contains("NotResource")) return Err(malformed("Policy statement must contain resources."));
    return {};
  });
}

aws::Reply<void> check_trust_document(std::string_view document) {
  return check_statements(document, [](const wire::Json& statement) -> aws::Reply<void> {
    if (!has_effect(statement)) return Err(malformed("Syntax errors in policy."));
    if (statement.contains("Resource") || statement.contains("NotResource")) return Err(malformed("Has prohibited field Resource"));
    if (!statement.contains("Principal") && !statement.contains("NotPrincipal")) return Err(malformed("Missing required field Principal"));
    if (!statement.contains("Action") && !statement.contains("NotAction")) return Err(malformed("Missing required field Action"));
    return {};
  });
}

aws::Reply<void> check_holder(Iam& iam, const Call& call, Holder holder, std::string_view name) {
  if (!iam.records().find(holder_key(call, holder, name))) return Err(no_such(word(holder), name));
  return {};
}

std::string make_id(std::string_view prefix) {
  return std::string(prefix) + make_token(thread_random(), 17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

std::string make_arn(const Call& call, std::string_view kind, std::string_view path, std::string_view name) {
  return fmt::format("arn:aws:iam::{}:{}{}{}", call.account, kind, path.empty() ? "/" : path, name);
}

std::string encode_document(std::string_view document) { return percent_encode(document); }

void merge_tags(std::optional<std::vector<model::Tag>>& existing, const std::vector<model::Tag>& tags) {
  if (!existing) existing.emplace();
  for (const model::Tag& tag : tags) {
    const auto found = std::find_if(existing->begin(), existing->end(), [&](const auto& t) { return t.key == tag.key; });
    if (found != existing->end()) found->value = tag.value;
    else existing->push_back(tag);
  }
}

void remove_tags(std::optional<std::vector<model::Tag>>& existing, const std::vector<std::string>& keys) {
  if (!existing) return;
  std::erase_if(*existing, [&](const model::Tag& tag) { return std::find(keys.begin(), keys.end(), tag.key) != keys.end(); });
  if (existing->empty()) existing.reset();
}

bool is_managed_by_aws(std::string_view arn) { return arn.starts_with("arn:aws:iam::aws:policy/"); }

}  // namespace reef::service::iam
