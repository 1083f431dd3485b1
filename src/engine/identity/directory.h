// The users of one pool and the groups that they are in: found by name, by subject, or by what else they may sign in with.
// In memory; whoever owns the directory stores what changes. Always true: no two users have the same name or subject, and
// what users sign in with leads to one of them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "engine/identity/srp.h"
#include "wire/json.h"

namespace reef::identity {

enum class UserStatus { kUnconfirmed, kConfirmed, kForceChangePassword, kResetRequired };
std::string_view name_of(UserStatus status);   // "FORCE_CHANGE_PASSWORD"

// A code that proves that a user reads what is sent to an address.
struct Code {
  std::string purpose;   // "sign-up", "forgot" or the attribute that it verifies
  std::string value;
  Time expires{};
  int attempts = 0;
};

struct User {
  std::string name, subject;
  std::map<std::string, std::string, std::less<>> attributes;   // without "sub"
  bool enabled = true;
  UserStatus status = UserStatus::kUnconfirmed;
  Time created{}, modified{};
  std::string password_hash;             // empty: none was set
  SrpVerifier srp;
  std::optional<Time> password_until;    // of a temporary one
  std::map<std::string, Code, std::less<>> codes;   // by purpose
  std::set<std::string, std::less<>> groups;
  Time signed_out{};                     // tokens of before are void
  std::map<std::string, Time, std::less<>> revoked;   // sign-ins whose tokens are void, until none of them lasts
  std::string totp_secret;               // of a verified software token, base32
  bool prefers_totp = false;
  // Not stored: guesses in a row.
  int failures = 0;
  Time locked_until{};

  std::string attribute(std::string_view key) const;
  bool is_verified(std::string_view key) const { return attribute(std::string(key) + "_verified") == "true"; }
};
wire::Json to_json(const User& user);
std::optional<User> read_user(const wire::Json& json);

// A wrong guess: from the fifth on, each locks for twice as long, up to 15 minutes.
// https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
void note_failure(User& user, Time now);
bool is_locked(const User& user, Time now);

enum class CodeFault { kNone, kWrong, kExpired, kTooMany };
// Checks and, when it is right, uses the code up.
CodeFault take_code(User& user, std::string_view purpose, std::string_view value, Time now);

struct DirectoryRules {
  bool ignores_case = true;                // of names and addresses
  std::vector<std::string> sign_in_with;   // attributes that stand for the name
  bool needs_verified = true;              // once they are verified
};

class Directory {
 public:
  using Rules = DirectoryRules;
  explicit Directory(Rules rules = {}) : rules_(std::move(rules)) {}
  void set_rules(Rules rules);

  // By name, subject or alias; null when there is none.
  User* find(std::string_view sign_in_name);
  User* find_subject(std::string_view subject);
  // Another user who has the attribute's value as an alias.
  User* alias_holder(std::string_view attribute, std::string_view value, const User* other_than);
  // Puts a new user or what changed of one; null when the name or subject is another's.
  User* put(User user);
  void erase(std::string_view name);
  // After the attributes of a user changed.
  void index(const User& user);
  // In order of name.
  const std::map<std::string, User, std::less<>>& users() const { return users_; }
  std::map<std::string, User, std::less<>>& users() { return users_; }

 private:
  std::string key_of(std::string_view text) const;
  void forget(const User& user);
  Rules rules_;
  std::map<std::string, User, std::less<>> users_;                       // by key of name
  std::map<std::string, std::string, std::less<>> subjects_, aliases_;   // to the key of the name; "email\nann@example.com"
};

}  // namespace reef::identity
