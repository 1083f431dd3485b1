// ECR: repositories as records on the control shard. What a repository is and who may change it is kept here; the
// images themselves are engine/image's, the same for every account and region.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/models/ecr.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "engine/events/publisher.h"
#include "engine/image/images.h"

namespace reef::service::ecr {

namespace model = aws::ecr;
namespace errors = aws::ecr::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

class Registry;  // registry.h

struct Ecr {
  explicit Ecr(Parts& parts);
  ~Ecr();
  void reset() { images.forget(); }
  image::Images& images;
  const events::Publisher& publisher;
  std::unique_ptr<Registry> registry;
};

struct StoredRepository {
  model::Repository repository;
  std::map<std::string, std::string, std::less<>> tags;
  std::optional<std::string> policy, lifecycle_policy;
  Time lifecycle_evaluated{};
};

std::optional<StoredRepository> load(const Call& call, std::string_view name);
void save(const Call& call, const StoredRepository& repository);
bool erase(const Call& call, std::string_view name);

// Refuses a registry that is another account's, and a repository that does not exist.
// A repository that only an import made is there as well, with the settings of a new one.
Reply<StoredRepository> existing(const Ecr& ecr, const Call& call, const std::optional<std::string>& registry, std::string_view name);
// In order of name, those that only imports made included.
std::vector<StoredRepository> all_repositories(const Ecr& ecr, const Call& call);
model::Repository new_repository(const Call& call, const std::string& name);
aws::Error no_repository(const Call& call, std::string_view name);
// "ECR Image Action" on the event bus: PUSH or DELETE; a tag or "".
void tell(const Ecr& ecr, std::string_view account, std::string_view region, std::string_view repository, std::string_view digest, std::string_view tag, std::string_view action);
// "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566": resolves to this machine, so that images can be
// pushed to it.
std::string registry_host(const Call& call);

namespace operations {
#define ECR_OPERATIONS(V)                                                                                              \
  V(CreateRepository) V(DescribeRepositories) V(DeleteRepository) V(SetRepositoryPolicy) V(GetRepositoryPolicy)        \
  V(DeleteRepositoryPolicy) V(PutLifecyclePolicy) V(GetLifecyclePolicy) V(DeleteLifecyclePolicy) V(TagResource)        \
  V(UntagResource) V(ListTagsForResource) V(GetAuthorizationToken) V(PutImageScanningConfiguration)                    \
  V(PutImageTagMutability) V(DescribeRegistry) V(ListImages) V(DescribeImages) V(BatchGetImage) V(BatchDeleteImage)
#define ECR_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Ecr& ecr, const model::Name##Input& in, const Call& call);
ECR_OPERATIONS(ECR_OPERATION)
#undef ECR_OPERATION
}  // namespace operations

namespace resources {
extern const aws::ResourceType kRepository;
}

}  // namespace reef::service::ecr
