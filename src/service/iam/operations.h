// IAM's handlers; each file under operations/ serves one kind of entity.
#pragma once

#include "service/iam/iam.h"

namespace reef::service::iam::operations {

#define IAM_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Iam& iam, const model::Name##Input& in, const Call& call);
#define IAM_OPERATIONS(V)                                                                                              \
  V(CreateRole) V(GetRole) V(ListRoles) V(DeleteRole) V(UpdateRole) V(UpdateRoleDescription) V(UpdateAssumeRolePolicy) \
  V(TagRole) V(UntagRole) V(ListRoleTags) V(PutRolePermissionsBoundary) V(DeleteRolePermissionsBoundary)               \
  V(CreateServiceLinkedRole)                                                                                           \
  V(PutRolePolicy) V(GetRolePolicy) V(DeleteRolePolicy) V(ListRolePolicies)                                            \
  V(AttachRolePolicy) V(DetachRolePolicy) V(ListAttachedRolePolicies)                                                  \
  V(CreateUser) V(GetUser) V(ListUsers) V(DeleteUser) V(UpdateUser) V(TagUser) V(UntagUser) V(ListUserTags)            \
  V(PutUserPolicy) V(GetUserPolicy) V(DeleteUserPolicy) V(ListUserPolicies)                                            \
  V(AttachUserPolicy) V(DetachUserPolicy) V(ListAttachedUserPolicies)                                                  \
  V(CreateAccessKey) V(DeleteAccessKey) V(ListAccessKeys) V(UpdateAccessKey) V(GetAccessKeyLastUsed)                   \
  V(ListMFADevices) V(ListVirtualMFADevices) V(ListSSHPublicKeys) V(ListSigningCertificates)                           \
  V(ListServiceSpecificCredentials) V(GetLoginProfile) V(DeleteLoginProfile)                                           \
  V(CreateGroup) V(GetGroup) V(ListGroups) V(DeleteGroup) V(AddUserToGroup) V(RemoveUserFromGroup) V(ListGroupsForUser) \
  V(PutGroupPolicy) V(GetGroupPolicy) V(DeleteGroupPolicy) V(ListGroupPolicies)                                        \
  V(AttachGroupPolicy) V(DetachGroupPolicy) V(ListAttachedGroupPolicies)                                               \
  V(CreatePolicy) V(GetPolicy) V(ListPolicies) V(DeletePolicy) V(CreatePolicyVersion) V(GetPolicyVersion)              \
  V(ListPolicyVersions) V(DeletePolicyVersion) V(SetDefaultPolicyVersion) V(ListEntitiesForPolicy)                     \
  V(TagPolicy) V(UntagPolicy) V(ListPolicyTags)                                                                        \
  V(CreateInstanceProfile) V(GetInstanceProfile) V(ListInstanceProfiles) V(DeleteInstanceProfile)                      \
  V(AddRoleToInstanceProfile) V(RemoveRoleFromInstanceProfile) V(ListInstanceProfilesForRole)                          \
  V(CreateAccountAlias) V(DeleteAccountAlias) V(ListAccountAliases)

IAM_OPERATIONS(IAM_OPERATION)
#undef IAM_OPERATION

}  // namespace reef::service::iam::operations
