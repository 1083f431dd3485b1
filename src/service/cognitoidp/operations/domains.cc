// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolDomain.html
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateResourceServer.html
#include <algorithm>
#include <set>

#include "service/cognitoidp/operations.h"

namespace reef::service::cognito::operations {
namespace {

constexpr std::size_t kScopesMax = 100, kServersMax = 25;

Reply<void> check_scopes(const std::optional<std::vector<model::ResourceServerScopeType>>& scopes) {
  if (!scopes) return {};
  if (scopes->size() > kScopesMax) return Err(invalid_parameter(fmt::format("A resource server can have at most {} scopes.", kScopesMax)));
  std::set<std::string> seen;
  for (const auto& scope : *scopes)
    if (!seen.insert(scope.scope_name).second) return Err(invalid_parameter(fmt::format("Duplicate scope name {}.", scope.scope_name)));
  return {};
}

Reply<model::ResourceServerType*> server_of(Pool& pool, const std::string& identifier) {
  const auto found = pool.servers.find(identifier);
  if (found == pool.servers.end()) return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("Resource server {} does not exist.", identifier)));
  return &found->second;
}

}  // namespace

Task<Reply<model::CreateUserPoolDomainOutput>> CreateUserPoolDomain(Cognito& service, const model::CreateUserPoolDomainInput& in, const Call& call) {
  const Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  if (in.custom_domain_config) co_return Err(aws::not_implemented("A custom domain of a user pool"));
  if (in.domain.find("cognito") != std::string::npos || in.domain.find("aws") != std::string::npos || in.domain.find("amazon") != std::string::npos)
    co_return Err(invalid_parameter("Domain cannot contain reserved word: aws, amazon or cognito"));
  if (service.domains.contains(in.domain)) co_return Err(invalid_parameter("Domain already associated with another user pool."));
  for (const auto& [domain, id] : service.domains)
    if (id == pool.id()) co_return Err(invalid_parameter("User pool already has a domain configured."));
  service.domains[in.domain] = pool.id();
  service.save_domain(in.domain, pool.id());
  service.publish_domain(in.domain);
  service.publish(pool);
  co_await service.committed();
  co_return model::CreateUserPoolDomainOutput{.managed_login_version = in.managed_login_version.value_or(1)};
}

Task<Reply<model::DescribeUserPoolDomainOutput>> DescribeUserPoolDomain(Cognito& service, const model::DescribeUserPoolDomainInput& in, const Call& call) {
  model::DescribeUserPoolDomainOutput out;
  out.domain_description.emplace();
  const auto found = service.domains.find(in.domain);
  // What does not exist is described by nothing, as AWS does.
  if (found == service.domains.end()) co_return out;
  const Pool& pool = *CO_TRY(service.pool(found->second));
  if (pool.account() != call.account) co_return out;
  out.domain_description = {.user_pool_id = pool.id(), .aws_account_id = pool.account(), .domain = in.domain, .version = "1", .status = "ACTIVE", .custom_domain_config = std::nullopt, .managed_login_version = 1};
  co_return out;
}

Task<Reply<model::UpdateUserPoolDomainOutput>> UpdateUserPoolDomain(Cognito& service, const model::UpdateUserPoolDomainInput& in, const Call& call) {
  CO_TRY(service.pool(call, in.user_pool_id));
  if (in.custom_domain_config) co_return Err(aws::not_implemented("A custom domain of a user pool"));
  co_return model::UpdateUserPoolDomainOutput{.managed_login_version = in.managed_login_version.value_or(1)};
}

Task<Reply<model::DeleteUserPoolDomainOutput>> DeleteUserPoolDomain(Cognito& service, const model::DeleteUserPoolDomainInput& in, const Call& call) {
  const Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  const auto found = service.domains.find(in.domain);
  if (found == service.domains.end() || found->second != in.user_pool_id) co_return Err(invalid_parameter("No such domain or user pool exists."));
  service.sites.erase("user-pool-domain", in.domain);
  service.domains.erase(found);
  service.erase("domain", in.domain);
  service.publish(pool);
  co_await service.committed();
  co_return model::DeleteUserPoolDomainOutput{};
}

Task<Reply<model::CreateResourceServerOutput>> CreateResourceServer(Cognito& service, const model::CreateResourceServerInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  if (pool.servers.contains(in.identifier)) co_return Err(invalid_parameter(fmt::format("{} already exists in user pool {}.", in.identifier, in.user_pool_id)));
  if (pool.servers.size() >= kServersMax) co_return Err(aws::Error(errors::kLimitExceededException, "The limit of resource servers is exceeded."));
  CO_TRY(check_scopes(in.scopes));
  const model::ResourceServerType made{.user_pool_id = in.user_pool_id, .identifier = in.identifier, .name = in.name, .scopes = in.scopes.value_or(std::vector<model::ResourceServerScopeType>{})};
  pool.servers.emplace(in.identifier, made);
  service.save(pool, made);
  co_await service.committed();
  co_return model::CreateResourceServerOutput{.resource_server = made};
}

Task<Reply<model::DescribeResourceServerOutput>> DescribeResourceServer(Cognito& service, const model::DescribeResourceServerInput& in, const Call& call) {
  co_return model::DescribeResourceServerOutput{.resource_server = *CO_TRY(server_of(*CO_TRY(service.pool(call, in.user_pool_id)), in.identifier))};
}

Task<Reply<model::UpdateResourceServerOutput>> UpdateResourceServer(Cognito& service, const model::UpdateResourceServerInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  model::ResourceServerType& server = *CO_TRY(server_of(pool, in.identifier));
  CO_TRY(check_scopes(in.scopes));
  server.name = in.name;
  server.scopes = in.scopes.value_or(std::vector<model::ResourceServerScopeType>{});
  const auto after = server;
  service.save(pool, after);
  co_await service.committed();
  co_return model::UpdateResourceServerOutput{.resource_server = after};
}

Task<Reply<model::DeleteResourceServerOutput>> DeleteResourceServer(Cognito& service, const model::DeleteResourceServerInput& in, const Call& call) {
  Pool& pool = *CO_TRY(service.pool(call, in.user_pool_id));
  CO_TRY(server_of(pool, in.identifier));
  pool.servers.erase(in.identifier);
  service.erase("server", in.user_pool_id + "/" + in.identifier);
  co_await service.committed();
  co_return model::DeleteResourceServerOutput{};
}

Task<Reply<model::ListResourceServersOutput>> ListResourceServers(Cognito& service, const model::ListResourceServersInput& in, const Call& call) {
  std::vector<model::ResourceServerType> all;
  for (const auto& [identifier, server] : (*CO_TRY(service.pool(call, in.user_pool_id))).servers) all.push_back(server);
  model::ListResourceServersOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results.value_or(50))));
  out.resource_servers = std::move(all);
  co_return out;
}

}  // namespace reef::service::cognito::operations
