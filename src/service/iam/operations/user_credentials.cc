// Credentials of users that cannot be made here (passwords, MFA devices, SSH keys, certificates, credentials for one
// service): whoever cleans a user up asks for them, and there are none.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSSHPublicKeys.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSigningCertificates.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServiceSpecificCredentials.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteLoginProfile.html
#include <fmt/format.h>

#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

Reply<void> check_named_user(Iam& iam, const Call& call, const std::optional<std::string>& name) {
  if (!name) return {};
  return check_holder(iam, call, Holder::kUser, *name);
}

aws::Error no_login_profile(const std::string& user) {
  return aws::Error(model::errors::kNoSuchEntityException, fmt::format("Login Profile for User {} cannot be found.", user));
}

}  // namespace

Task<Reply<model::ListMFADevicesOutput>> ListMFADevices(Iam& iam, const model::ListMFADevicesInput& in, const Call& call) {
  CO_TRY(check_named_user(iam, call, in.user_name));
  co_return model::ListMFADevicesOutput{.is_truncated = false};
}

Task<Reply<model::ListVirtualMFADevicesOutput>> ListVirtualMFADevices(Iam&, const model::ListVirtualMFADevicesInput&, const Call&) {
  co_return model::ListVirtualMFADevicesOutput{.is_truncated = false};
}

Task<Reply<model::ListSSHPublicKeysOutput>> ListSSHPublicKeys(Iam& iam, const model::ListSSHPublicKeysInput& in, const Call& call) {
  CO_TRY(check_named_user(iam, call, in.user_name));
  model::ListSSHPublicKeysOutput out;
  out.ssh_public_keys.emplace();
  out.is_truncated = false;
  co_return out;
}

Task<Reply<model::ListSigningCertificatesOutput>> ListSigningCertificates(Iam& iam, const model::ListSigningCertificatesInput& in, const Call& call) {
  CO_TRY(check_named_user(iam, call, in.user_name));
  co_return model::ListSigningCertificatesOutput{.is_truncated = false};
}

Task<Reply<model::ListServiceSpecificCredentialsOutput>> ListServiceSpecificCredentials(Iam& iam, const model::ListServiceSpecificCredentialsInput& in,
                                                                                        const Call& call) {
  CO_TRY(check_named_user(iam, call, in.user_name));
  model::ListServiceSpecificCredentialsOutput out;
  out.service_specific_credentials.emplace();
  out.is_truncated = false;
  co_return out;
}

Task<Reply<model::GetLoginProfileOutput>> GetLoginProfile(Iam& iam, const model::GetLoginProfileInput& in, const Call& call) {
  CO_TRY(check_named_user(iam, call, in.user_name));
  co_return Err(no_login_profile(in.user_name.value_or("root")));
}

Task<Reply<model::DeleteLoginProfileOutput>> DeleteLoginProfile(Iam& iam, const model::DeleteLoginProfileInput& in, const Call& call) {
  CO_TRY(check_named_user(iam, call, in.user_name));
  co_return Err(no_login_profile(in.user_name.value_or("root")));
}

}  // namespace reef::service::iam::operations
