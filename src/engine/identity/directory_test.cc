#include "engine/identity/directory.h"

#include <gtest/gtest.h>

namespace reef::identity {
namespace {

const Time kNow = from_seconds(1'800'000'000);

User ann() { return {.name = "Ann", .subject = "s-1", .attributes = {{"email", "Ann@Example.com"}}, .created = kNow, .modified = kNow}; }

TEST(Directory, FindsByNameSubjectAndVerifiedAlias) {
  Directory directory({.sign_in_with = {"email"}, .needs_verified = true});
  User* user = directory.put(ann());
  ASSERT_TRUE(user);
  EXPECT_EQ(directory.put(ann()), nullptr);
  EXPECT_EQ(directory.find("ANN"), user);
  EXPECT_EQ(directory.find("s-1"), user);
  EXPECT_EQ(directory.find("ann@example.com"), nullptr);
  user->attributes["email_verified"] = "true";
  directory.index(*user);
  EXPECT_EQ(directory.find("ann@example.com"), user);
  EXPECT_EQ(directory.alias_holder("email", "ann@example.com", user), nullptr);
  user->attributes["email"] = "ann@example.org";
  directory.index(*user);
  EXPECT_EQ(directory.find("ann@example.com"), nullptr);
  directory.erase("ann");
  EXPECT_EQ(directory.find("s-1"), nullptr);
  EXPECT_EQ(directory.find("ann@example.org"), nullptr);
}

TEST(Directory, UsersOutliveTheirStorage) {
  User user = ann();
  user.status = UserStatus::kForceChangePassword;
  user.password_until = kNow + 24h;
  user.codes["forgot"] = {.purpose = "forgot", .value = "123456", .expires = kNow + 1h, .attempts = 2};
  user.groups = {"admins"};
  user.revoked["o-1"] = kNow;
  const auto again = read_user(*wire::Json::parse(to_json(user).dump()));
  ASSERT_TRUE(again);
  EXPECT_EQ(to_json(*again).dump(), to_json(user).dump());
  EXPECT_FALSE(read_user(wire::Json::object()));
}

TEST(Directory, CodesAreUsedOnceAndGuessedSeldom) {
  User user = ann();
  user.codes["sign-up"] = {.purpose = "sign-up", .value = "123456", .expires = kNow + 1h};
  EXPECT_EQ(take_code(user, "forgot", "123456", kNow), CodeFault::kExpired);
  EXPECT_EQ(take_code(user, "sign-up", "123457", kNow), CodeFault::kWrong);
  EXPECT_EQ(take_code(user, "sign-up", "123456", kNow + 1h), CodeFault::kExpired);
  EXPECT_EQ(take_code(user, "sign-up", "123456", kNow), CodeFault::kNone);
  EXPECT_EQ(take_code(user, "sign-up", "123456", kNow), CodeFault::kExpired);
  user.codes["sign-up"] = {.purpose = "sign-up", .value = "123456", .expires = kNow + 1h};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take_code(user, "sign-up", "0", kNow), CodeFault::kWrong);
  EXPECT_EQ(take_code(user, "sign-up", "123456", kNow), CodeFault::kTooMany);
}

TEST(Directory, WrongPasswordsLockForLonger) {
  User user = ann();
  for (int i = 0; i < 4; ++i) note_failure(user, kNow);
  EXPECT_FALSE(is_locked(user, kNow));
  note_failure(user, kNow);
  EXPECT_TRUE(is_locked(user, kNow));
  EXPECT_FALSE(is_locked(user, kNow + 1s));
  for (int i = 0; i < 40; ++i) note_failure(user, kNow);
  EXPECT_TRUE(is_locked(user, kNow + 14min));
  EXPECT_FALSE(is_locked(user, kNow + 15min));
}

}  // namespace
}  // namespace reef::identity
