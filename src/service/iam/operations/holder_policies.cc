// Inline and attached policies of roles, users and groups: the same operations three times.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
#include <fmt/format.h>

#include "service/iam/operations.h"

namespace reef::service::iam::operations {
namespace {

Task<Reply<void>> put_inline(Iam& iam, const Call& call, Holder holder, const std::string& name, const std::string& policy, const std::string& document) {
  CO_TRY(check_holder(iam, call, holder, name));
  CO_TRY(check_identity_document(document));
  iam.records().put(inline_key(call, holder, name, policy), document);
  co_await iam.committed();
  co_return Reply<void>();
}

aws::Error no_inline(Holder holder, const std::string& policy) {
  return {errors::kNoSuchEntityException, fmt::format("The {} policy with name {} cannot be found.", word(holder), policy)};
}

Reply<std::string> get_inline(Iam& iam, const Call& call, Holder holder, const std::string& name, const std::string& policy) {
  TRY(check_holder(iam, call, holder, name));
  const std::string* document = iam.records().find(inline_key(call, holder, name, policy));
  if (!document) return Err(no_inline(holder, policy));
  return encode_document(*document);
}

Task<Reply<void>> delete_inline(Iam& iam, const Call& call, Holder holder, const std::string& name, const std::string& policy) {
  CO_TRY(check_holder(iam, call, holder, name));
  if (!iam.records().erase(inline_key(call, holder, name, policy))) co_return Err(no_inline(holder, policy));
  co_await iam.committed();
  co_return Reply<void>();
}

Task<Reply<void>> attach(Iam& iam, const Call& call, Holder holder, const std::string& name, const std::string& arn) {
  CO_TRY(check_holder(iam, call, holder, name));
  if (!is_managed_by_aws(arn) && !iam.records().find(key_of(call, "policy", arn)))
    co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("Policy {} does not exist or is not attachable.", arn)));
  iam.records().put(attached_key(call, holder, name, arn), "");
  co_await iam.committed();
  co_return Reply<void>();
}

Task<Reply<void>> detach(Iam& iam, const Call& call, Holder holder, const std::string& name, const std::string& arn) {
  CO_TRY(check_holder(iam, call, holder, name));
  if (!iam.records().erase(attached_key(call, holder, name, arn)))
    co_return Err(aws::Error(errors::kNoSuchEntityException, fmt::format("Policy {} was not found.", arn)));
  co_await iam.committed();
  co_return Reply<void>();
}

std::vector<model::AttachedPolicy> attached(Iam& iam, const Call& call, Holder holder, const std::string& name) {
  std::vector<model::AttachedPolicy> out;
  for (const std::string& arn : iam.names_below(attached_key(call, holder, name)))
    out.push_back({.policy_name = arn.substr(arn.rfind('/') + 1), .policy_arn = arn});
  return out;
}

}  // namespace

#define HOLDER_POLICIES(Kind, name_member, kind)                                                                                     \
  Task<Reply<model::Put##Kind##PolicyOutput>> Put##Kind##Policy(Iam& iam, const model::Put##Kind##PolicyInput& in, const Call& call) { \
    CO_TRY(co_await put_inline(iam, call, kind, in.name_member, in.policy_name, in.policy_document));                                  \
    co_return model::Put##Kind##PolicyOutput{};                                                                                        \
  }                                                                                                                                    \
  Task<Reply<model::Get##Kind##PolicyOutput>> Get##Kind##Policy(Iam& iam, const model::Get##Kind##PolicyInput& in, const Call& call) { \
    model::Get##Kind##PolicyOutput out;                                                                                                \
    out.policy_document = CO_TRY(get_inline(iam, call, kind, in.name_member, in.policy_name));                                         \
    out.name_member = in.name_member;                                                                                                  \
    out.policy_name = in.policy_name;                                                                                                  \
    co_return out;                                                                                                                     \
  }                                                                                                                                    \
  Task<Reply<model::Delete##Kind##PolicyOutput>> Delete##Kind##Policy(Iam& iam, const model::Delete##Kind##PolicyInput& in,            \
                                                                      const Call& call) {                                              \
    CO_TRY(co_await delete_inline(iam, call, kind, in.name_member, in.policy_name));                                                   \
    co_return model::Delete##Kind##PolicyOutput{};                                                                                     \
  }                                                                                                                                    \
  Task<Reply<model::List##Kind##PoliciesOutput>> List##Kind##Policies(Iam& iam, const model::List##Kind##PoliciesInput& in,            \
                                                                      const Call& call) {                                              \
    CO_TRY(check_holder(iam, call, kind, in.name_member));                                                                             \
    model::List##Kind##PoliciesOutput out;                                                                                             \
    CO_TRY(paginate(in, iam.names_below(inline_key(call, kind, in.name_member)), out.policy_names, out));                              \
    co_return out;                                                                                                                     \
  }                                                                                                                                    \
  Task<Reply<model::Attach##Kind##PolicyOutput>> Attach##Kind##Policy(Iam& iam, const model::Attach##Kind##PolicyInput& in,            \
                                                                      const Call& call) {                                              \
    CO_TRY(co_await attach(iam, call, kind, in.name_member, in.policy_arn));                                                           \
    co_return model::Attach##Kind##PolicyOutput{};                                                                                     \
  }                                                                                                                                    \
  Task<Reply<model::Detach##Kind##PolicyOutput>> Detach##Kind##Policy(Iam& iam, const model::Detach##Kind##PolicyInput& in,            \
                                                                      const Call& call) {                                              \
    CO_TRY(co_await detach(iam, call, kind, in.name_member, in.policy_arn));                                                           \
    co_return model::Detach##Kind##PolicyOutput{};                                                                                     \
  }                                                                                                                                    \
  Task<Reply<model::ListAttached##Kind##PoliciesOutput>> ListAttached##Kind##Policies(                                                 \
      Iam& iam, const model::ListAttached##Kind##PoliciesInput& in, const Call& call) {                                                \
    CO_TRY(check_holder(iam, call, kind, in.name_member));                                                                             \
    model::ListAttached##Kind##PoliciesOutput out;                                                                                     \
    CO_TRY(paginate(in, attached(iam, call, kind, in.name_member), out.attached_policies.emplace(), out));                             \
    co_return out;                                                                                                                     \
  }

HOLDER_POLICIES(Role, role_name, Holder::kRole)
HOLDER_POLICIES(User, user_name, Holder::kUser)
HOLDER_POLICIES(Group, group_name, Holder::kGroup)

#undef HOLDER_POLICIES

}  // namespace reef::service::iam::operations
