// Access control lists: canned names made into grants, and lists kept as given. They are stored and reported.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
#pragma once

#include "service/s3/s3.h"

namespace reef::s3 {

// What a stored ACL text (JSON: a canned name, or a policy) means; private when there is none.
model::AccessControlPolicy acl_policy(const std::string* stored, std::string_view account);

// The text to store for a request to change an ACL.
template <class In>
Reply<std::string> acl_text(const In& in);

Reply<std::string> canned_acl_text(const std::string& name);
std::string policy_acl_text(const model::AccessControlPolicy& policy);
Reply<std::string> granted_acl_text(
    std::initializer_list<std::pair<const char*, const std::optional<std::string>*>> headers);

template <class In>
Reply<std::string> acl_text(const In& in) {
  if (in.acl) return canned_acl_text(*in.acl);
  if (in.access_control_policy) return policy_acl_text(*in.access_control_policy);
  return granted_acl_text({{"FULL_CONTROL", &in.grant_full_control},
                           {"READ", &in.grant_read},
                           {"READ_ACP", &in.grant_read_acp},
                           {"WRITE", &in.grant_write},
                           {"WRITE_ACP", &in.grant_write_acp}});
}

}  // namespace reef::s3
