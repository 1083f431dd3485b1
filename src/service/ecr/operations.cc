// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html and the other operations on repositories.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/ecr/ecr.h"

namespace reef::service::ecr::operations {
namespace {

constexpr std::size_t kTagsMax = 50;
constexpr Duration kTokenLifetime = 12h;

auto committed() { return store::Shard::control().committed(); }

Reply<void> add_tags(std::map<std::string, std::string, std::less<>>& tags, const std::vector<model::Tag>& added) {
  for (const model::Tag& tag : added) tags.insert_or_assign(tag.key, tag.value);
  if (tags.size() > kTagsMax)
    return Err(aws::Error(errors::kTooManyTagsException, fmt::format("Invalid parameter at 'tags' failed to satisfy constraint: 'Number of tags must not exceed {}'", kTagsMax)));
  return {};
}

Reply<StoredRepository> by_arn(const Ecr& ecr, const Call& call, std::string_view arn) {
  const auto at = arn.find(":repository/");
  if (!arn.starts_with("arn:") || at == std::string_view::npos)
    return Err(aws::Error(errors::kInvalidParameterException,
                          fmt::format("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")));
  return existing(ecr, call, std::nullopt, arn.substr(at + 12));
}

Reply<void> check_json(const std::string& text, std::string_view parameter) {
  const auto json = wire::Json::parse(text);
  if (json && json->is_object()) return {};
  return Err(aws::Error(errors::kInvalidParameterException,
                        fmt::format("Invalid parameter at '{}' failed to satisfy constraint: 'Invalid repository policy provided'", parameter)));
}

aws::Error no_lifecycle_policy(const Call& call, std::string_view name) {
  return {errors::kLifecyclePolicyNotFoundException,
          fmt::format("Lifecycle policy does not exist for the repository with name '{}' in the registry with id '{}'", name, call.account)};
}
aws::Error no_policy(const Call& call, std::string_view name) {
  return {errors::kRepositoryPolicyNotFoundException,
          fmt::format("Repository policy does not exist for the repository with name '{}' in the registry with id '{}'", name, call.account)};
}

}  // namespace

Task<Reply<model::CreateRepositoryOutput>> CreateRepository(Ecr& ecr, const model::CreateRepositoryInput& in, const Call& call) {
  if (load(call, in.repository_name))
    co_return Err(aws::Error(errors::kRepositoryAlreadyExistsException,
                             fmt::format("The repository with name '{}' already exists in the registry with id '{}'", in.repository_name, call.account)));
  StoredRepository stored;
  stored.repository = new_repository(call, in.repository_name);
  model::Repository& repository = stored.repository;
  if (in.image_tag_mutability) repository.image_tag_mutability = in.image_tag_mutability;
  repository.image_tag_mutability_exclusion_filters = in.image_tag_mutability_exclusion_filters;
  if (in.image_scanning_configuration) repository.image_scanning_configuration = in.image_scanning_configuration;
  if (in.encryption_configuration) repository.encryption_configuration = in.encryption_configuration;
  if (in.tags) CO_TRY(add_tags(stored.tags, *in.tags));
  save(call, stored);
  co_await committed();
  co_return model::CreateRepositoryOutput{.repository = repository};
}

Task<Reply<model::DescribeRepositoriesOutput>> DescribeRepositories(Ecr& ecr, const model::DescribeRepositoriesInput& in, const Call& call) {
  model::DescribeRepositoriesOutput out;
  auto& list = out.repositories.emplace();
  if (in.repository_names) {
    for (const std::string& name : *in.repository_names) list.push_back(CO_TRY(existing(ecr, call, in.registry_id, name)).repository);
    co_return out;
  }
  const auto limit = static_cast<std::size_t>(in.max_results.value_or(100));
  const auto after = in.next_token ? base64url_decode(*in.next_token) : std::string();
  if (!after) co_return Err(aws::Error(errors::kInvalidParameterException, "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'"));
  for (const StoredRepository& stored : all_repositories(ecr, call)) {
    const std::string& name = *stored.repository.repository_name;
    if (name <= *after) continue;
    if (list.size() == limit) {
      out.next_token = base64url_encode(*list.back().repository_name);
      break;
    }
    list.push_back(stored.repository);
  }
  co_return out;
}

Task<Reply<model::DeleteRepositoryOutput>> DeleteRepository(Ecr& ecr, const model::DeleteRepositoryInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  if (ecr.images.find_repository(in.repository_name) && !in.force.value_or(false))
    co_return Err(aws::Error(errors::kRepositoryNotEmptyException,
                             fmt::format("The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains images", in.repository_name, call.account)));
  ecr.images.remove_repository(in.repository_name);
  erase(call, in.repository_name);
  co_await committed();
  co_return model::DeleteRepositoryOutput{.repository = std::move(stored.repository)};
}

Task<Reply<model::SetRepositoryPolicyOutput>> SetRepositoryPolicy(Ecr& ecr, const model::SetRepositoryPolicyInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  CO_TRY(check_json(in.policy_text, "PolicyText"));
  stored.policy = in.policy_text;
  save(call, stored);
  co_await committed();
  co_return model::SetRepositoryPolicyOutput{.registry_id = call.account, .repository_name = in.repository_name, .policy_text = in.policy_text};
}

Task<Reply<model::GetRepositoryPolicyOutput>> GetRepositoryPolicy(Ecr& ecr, const model::GetRepositoryPolicyInput& in, const Call& call) {
  const StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  if (!stored.policy) co_return Err(no_policy(call, in.repository_name));
  co_return model::GetRepositoryPolicyOutput{.registry_id = call.account, .repository_name = in.repository_name, .policy_text = stored.policy};
}

Task<Reply<model::DeleteRepositoryPolicyOutput>> DeleteRepositoryPolicy(Ecr& ecr, const model::DeleteRepositoryPolicyInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  if (!stored.policy) co_return Err(no_policy(call, in.repository_name));
  const auto gone = std::exchange(stored.policy, std::nullopt);
  save(call, stored);
  co_await committed();
  co_return model::DeleteRepositoryPolicyOutput{.registry_id = call.account, .repository_name = in.repository_name, .policy_text = gone};
}

Task<Reply<model::PutLifecyclePolicyOutput>> PutLifecyclePolicy(Ecr& ecr, const model::PutLifecyclePolicyInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  CO_TRY(check_json(in.lifecycle_policy_text, "LifecyclePolicyText"));
  stored.lifecycle_policy = in.lifecycle_policy_text;
  save(call, stored);
  co_await committed();
  co_return model::PutLifecyclePolicyOutput{.registry_id = call.account, .repository_name = in.repository_name, .lifecycle_policy_text = in.lifecycle_policy_text};
}

Task<Reply<model::GetLifecyclePolicyOutput>> GetLifecyclePolicy(Ecr& ecr, const model::GetLifecyclePolicyInput& in, const Call& call) {
  const StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  if (!stored.lifecycle_policy) co_return Err(no_lifecycle_policy(call, in.repository_name));
  model::GetLifecyclePolicyOutput out;
  out.registry_id = call.account;
  out.repository_name = in.repository_name;
  out.lifecycle_policy_text = stored.lifecycle_policy;
  out.last_evaluated_at = stored.lifecycle_evaluated;
  co_return out;
}

Task<Reply<model::DeleteLifecyclePolicyOutput>> DeleteLifecyclePolicy(Ecr& ecr, const model::DeleteLifecyclePolicyInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  if (!stored.lifecycle_policy) co_return Err(no_lifecycle_policy(call, in.repository_name));
  model::DeleteLifecyclePolicyOutput out;
  out.registry_id = call.account;
  out.repository_name = in.repository_name;
  out.lifecycle_policy_text = std::exchange(stored.lifecycle_policy, std::nullopt);
  out.last_evaluated_at = stored.lifecycle_evaluated;
  save(call, stored);
  co_await committed();
  co_return out;
}

Task<Reply<model::TagResourceOutput>> TagResource(Ecr& ecr, const model::TagResourceInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(by_arn(ecr, call, in.resource_arn));
  CO_TRY(add_tags(stored.tags, in.tags));
  save(call, stored);
  co_await committed();
  co_return model::TagResourceOutput{};
}

Task<Reply<model::UntagResourceOutput>> UntagResource(Ecr& ecr, const model::UntagResourceInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(by_arn(ecr, call, in.resource_arn));
  for (const std::string& key : in.tag_keys) stored.tags.erase(key);
  save(call, stored);
  co_await committed();
  co_return model::UntagResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(Ecr& ecr, const model::ListTagsForResourceInput& in, const Call& call) {
  const StoredRepository stored = CO_TRY(by_arn(ecr, call, in.resource_arn));
  model::ListTagsForResourceOutput out;
  auto& tags = out.tags.emplace();
  for (const auto& [key, value] : stored.tags) tags.push_back({key, value});
  co_return out;
}

// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
Task<Reply<model::GetAuthorizationTokenOutput>> GetAuthorizationToken(Ecr& ecr, const model::GetAuthorizationTokenInput& in, const Call& call) {
  model::GetAuthorizationTokenOutput out;
  model::AuthorizationData data;
  data.authorization_token = base64_encode("AWS:" + make_token(thread_random(), 64));
  data.expires_at = call.now + kTokenLifetime;
  data.proxy_endpoint = "http://" + registry_host(call);
  out.authorization_data.emplace().push_back(std::move(data));
  co_return out;
}

Task<Reply<model::PutImageScanningConfigurationOutput>> PutImageScanningConfiguration(Ecr& ecr, const model::PutImageScanningConfigurationInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  stored.repository.image_scanning_configuration = in.image_scanning_configuration;
  save(call, stored);
  co_await committed();
  model::PutImageScanningConfigurationOutput out;
  out.registry_id = call.account;
  out.repository_name = in.repository_name;
  out.image_scanning_configuration = in.image_scanning_configuration;
  co_return out;
}

Task<Reply<model::PutImageTagMutabilityOutput>> PutImageTagMutability(Ecr& ecr, const model::PutImageTagMutabilityInput& in, const Call& call) {
  StoredRepository stored = CO_TRY(existing(ecr, call, in.registry_id, in.repository_name));
  stored.repository.image_tag_mutability = in.image_tag_mutability;
  stored.repository.image_tag_mutability_exclusion_filters = in.image_tag_mutability_exclusion_filters;
  save(call, stored);
  co_await committed();
  model::PutImageTagMutabilityOutput out;
  out.registry_id = call.account;
  out.repository_name = in.repository_name;
  out.image_tag_mutability = in.image_tag_mutability;
  out.image_tag_mutability_exclusion_filters = in.image_tag_mutability_exclusion_filters;
  co_return out;
}

Task<Reply<model::DescribeRegistryOutput>> DescribeRegistry(Ecr& ecr, const model::DescribeRegistryInput&, const Call& call) {
  model::DescribeRegistryOutput out;
  out.registry_id = call.account;
  out.replication_configuration.emplace();
  co_return out;
}

}  // namespace reef::service::ecr::operations
