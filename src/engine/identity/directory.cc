#include "engine/identity/directory.h"

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"

namespace reef::identity {
namespace {

using wire::Json;

constexpr int kGuessesFree = 5, kCodeGuesses = 5;
constexpr Duration kLockMax = std::chrono::minutes(15);
constexpr std::pair<UserStatus, std::string_view> kStatuses[] = {{UserStatus::kUnconfirmed, "UNCONFIRMED"},
                                                                 {UserStatus::kConfirmed, "CONFIRMED"},
                                                                 {UserStatus::kForceChangePassword, "FORCE_CHANGE_PASSWORD"},
                                                                 {UserStatus::kResetRequired, "RESET_REQUIRED"}};

Time time_of(const Json& json) { return from_micros(json.as_int().value_or(0)); }

}  // namespace

std::string_view name_of(UserStatus status) {
  for (const auto& [one, name] : kStatuses)
    if (one == status) return name;
  return {};
}

std::string User::attribute(std::string_view key) const {
  if (key == "sub") return subject;
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string() : found->second;
}

Json to_json(const User& user) {
  Json attributes = Json::object(), codes = Json::array(), groups = Json::array(), revoked = Json::object();
  for (const auto& [key, value] : user.attributes) attributes.set(key, value);
  for (const auto& [purpose, code] : user.codes)
    codes.push_back(Json::object({{"purpose", purpose}, {"value", code.value}, {"expires", to_micros(code.expires)}, {"attempts", code.attempts}}));
  for (const std::string& group : user.groups) groups.push_back(group);
  for (const auto& [id, until] : user.revoked) revoked.set(id, to_micros(until));
  Json out = Json::object({{"name", user.name}, {"subject", user.subject}, {"attributes", std::move(attributes)}, {"enabled", user.enabled}, {"status", std::string(name_of(user.status))},
                           {"created", to_micros(user.created)}, {"modified", to_micros(user.modified)}, {"hash", user.password_hash}, {"salt", user.srp.salt},
                           {"verifier", user.srp.verifier}, {"codes", std::move(codes)}, {"groups", std::move(groups)}, {"signedOut", to_micros(user.signed_out)},
                           {"revoked", std::move(revoked)}, {"totp", user.totp_secret}, {"prefersTotp", user.prefers_totp}});
  if (user.password_until) out.set("passwordUntil", to_micros(*user.password_until));
  return out;
}

std::optional<User> read_user(const Json& json) {
  User out{.name = json.text("name"), .subject = json.text("subject"), .enabled = json["enabled"].as_bool(), .created = time_of(json["created"]), .modified = time_of(json["modified"]),
           .password_hash = json.text("hash"), .srp = {json.text("salt"), json.text("verifier")}, .signed_out = time_of(json["signedOut"]), .totp_secret = json.text("totp"),
           .prefers_totp = json["prefersTotp"].as_bool()};
  if (out.name.empty() || out.subject.empty()) return std::nullopt;
  for (const auto& [status, name] : kStatuses)
    if (json.text("status") == name) out.status = status;
  for (const auto& [key, value] : json["attributes"].as_object()) out.attributes.emplace(key, value.as_string());
  for (const Json& code : json["codes"].as_array())
    out.codes[code.text("purpose")] = {.purpose = code.text("purpose"), .value = code.text("value"), .expires = time_of(code["expires"]), .attempts = static_cast<int>(code["attempts"].as_int().value_or(0))};
  for (const Json& group : json["groups"].as_array()) out.groups.insert(group.as_string());
  for (const auto& [id, until] : json["revoked"].as_object()) out.revoked.emplace(id, time_of(until));
  if (json.contains("passwordUntil")) out.password_until = time_of(json["passwordUntil"]);
  return out;
}

void note_failure(User& user, Time now) {
  if (++user.failures < kGuessesFree) return;
  const int doublings = std::min(user.failures - kGuessesFree, 20);
  user.locked_until = now + std::min<Duration>(Duration(1s) * (1 << doublings), kLockMax);
}

bool is_locked(const User& user, Time now) { return now < user.locked_until; }

CodeFault take_code(User& user, std::string_view purpose, std::string_view value, Time now) {
  const auto found = user.codes.find(purpose);
  if (found == user.codes.end()) return CodeFault::kExpired;
  Code& code = found->second;
  if (now >= code.expires) return CodeFault::kExpired;
  if (code.attempts >= kCodeGuesses) return CodeFault::kTooMany;
  if (!equals_in_constant_time(code.value, value)) {
    ++code.attempts;
    return CodeFault::kWrong;
  }
  user.codes.erase(found);
  return CodeFault::kNone;
}

std::string Directory::key_of(std::string_view text) const { return rules_.ignores_case ? to_lower(text) : std::string(text); }

void Directory::set_rules(Rules rules) {
  rules_ = std::move(rules);
  auto all = std::exchange(users_, {});
  subjects_.clear(), aliases_.clear();
  for (auto& [key, user] : all) put(std::move(user));
}

User* Directory::find(std::string_view text) {
  if (const auto found = users_.find(key_of(text)); found != users_.end()) return &found->second;
  if (User* user = find_subject(text)) return user;
  for (const std::string& attribute : rules_.sign_in_with)
    if (User* user = alias_holder(attribute, text, nullptr)) return user;
  return nullptr;
}

User* Directory::find_subject(std::string_view subject) {
  const auto found = subjects_.find(subject);
  return found == subjects_.end() ? nullptr : &users_.find(found->second)->second;
}

User* Directory::alias_holder(std::string_view attribute, std::string_view value, const User* other_than) {
  const auto found = aliases_.find(std::string(attribute) + "\n" + key_of(value));
  if (found == aliases_.end()) return nullptr;
  User* const user = &users_.find(found->second)->second;
  return user == other_than ? nullptr : user;
}

User* Directory::put(User user) {
  const std::string key = key_of(user.name);
  if (users_.contains(key) || subjects_.contains(user.subject)) return nullptr;
  User& kept = users_[key] = std::move(user);
  subjects_[kept.subject] = key;
  index(kept);
  return &kept;
}

void Directory::forget(const User& user) {
  const std::string key = key_of(user.name);
  std::erase_if(aliases_, [&](const auto& alias) { return alias.second == key; });
}

void Directory::index(const User& user) {
  forget(user);
  const std::string key = key_of(user.name);
  for (const std::string& attribute : rules_.sign_in_with) {
    if (const std::string value = user.attribute(attribute); !value.empty() && (!rules_.needs_verified || attribute == "preferred_username" || user.is_verified(attribute)))
      aliases_.insert_or_assign(attribute + "\n" + key_of(value), key);
  }
}

void Directory::erase(std::string_view name) {
  const auto found = users_.find(key_of(name));
  if (found == users_.end()) return;
  forget(found->second);
  subjects_.erase(found->second.subject);
  users_.erase(found);
}

}  // namespace reef::identity
