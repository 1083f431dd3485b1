// The handlers of user pools; each file under operations/ serves one kind of thing.
#pragma once

#include <fmt/format.h>

#include "base/text.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito::operations {

#define COGNITO_OPERATIONS(V)                                                                                           \
  V(CreateUserPool) V(DescribeUserPool) V(UpdateUserPool) V(DeleteUserPool) V(ListUserPools) V(AddCustomAttributes)      \
  V(GetUserPoolMfaConfig) V(SetUserPoolMfaConfig) V(TagResource) V(UntagResource) V(ListTagsForResource)                 \
  V(CreateUserPoolClient) V(DescribeUserPoolClient) V(UpdateUserPoolClient) V(DeleteUserPoolClient)                      \
  V(ListUserPoolClients) V(CreateUserPoolDomain) V(DescribeUserPoolDomain) V(UpdateUserPoolDomain)                       \
  V(DeleteUserPoolDomain) V(CreateResourceServer) V(DescribeResourceServer) V(UpdateResourceServer)                      \
  V(DeleteResourceServer) V(ListResourceServers) V(CreateGroup) V(GetGroup) V(UpdateGroup) V(DeleteGroup) V(ListGroups)   \
  V(AdminAddUserToGroup) V(AdminRemoveUserFromGroup) V(AdminListGroupsForUser) V(ListUsersInGroup) V(AdminCreateUser)    \
  V(AdminGetUser) V(AdminDeleteUser) V(AdminSetUserPassword) V(AdminUpdateUserAttributes) V(AdminDeleteUserAttributes)    \
  V(AdminEnableUser) V(AdminDisableUser) V(AdminConfirmSignUp) V(AdminResetUserPassword) V(AdminUserGlobalSignOut)        \
  V(ListUsers) V(SignUp) V(ConfirmSignUp) V(ResendConfirmationCode) V(ForgotPassword) V(ConfirmForgotPassword)           \
  V(ChangePassword) V(GetUser) V(UpdateUserAttributes) V(DeleteUserAttributes) V(DeleteUser)                             \
  V(GetUserAttributeVerificationCode) V(VerifyUserAttribute) V(GlobalSignOut) V(RevokeToken) V(AssociateSoftwareToken)    \
  V(VerifySoftwareToken) V(SetUserMFAPreference) V(AdminSetUserMFAPreference) V(InitiateAuth) V(AdminInitiateAuth)        \
  V(RespondToAuthChallenge) V(AdminRespondToAuthChallenge)
#define COGNITO_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Cognito& service, const model::Name##Input& in, const Call& call);
COGNITO_OPERATIONS(COGNITO_OPERATION)
#undef COGNITO_OPERATION

inline aws::Error invalid_parameter(std::string text) { return {errors::kInvalidParameterException, std::move(text)}; }
inline aws::Error not_authorized_error(std::string text) { return {errors::kNotAuthorizedException, std::move(text)}; }

// One page of a sorted list; the token is the index that follows.
template <class T>
Reply<std::optional<std::string>> cut_page(std::vector<T>& all, const std::optional<std::string>& token, std::size_t limit) {
  std::size_t from = 0;
  if (token) {
    const auto at = parse_int<std::size_t>(*token);
    if (!at || *at > all.size()) return Err(invalid_parameter("Invalid pagination token"));
    from = *at;
  }
  const std::size_t to = std::min(all.size(), from + limit);
  std::optional<std::string> next;
  if (to < all.size()) next = std::to_string(to);
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(to), all.end());
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  return next;
}

}  // namespace reef::service::cognito::operations
