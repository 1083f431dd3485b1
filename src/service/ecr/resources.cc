// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html
#include <fmt/format.h>

#include "aws/resource.h"
#include "service/ecr/ecr.h"

namespace reef::service::ecr::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "ecr", operation, std::move(input));
}

std::string policy_text(const Json& policy) { return policy.is_string() ? policy.as_string() : policy.dump(); }
bool is_true(const Json& value) { return value.scalar_text() == "true"; }

std::string identify(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("RepositoryName");
  return given.empty() ? context.generated_name(256, true) : given;
}

Json scanning(const Json& properties) {
  return Json::object({{"scanOnPush", is_true(properties["ImageScanningConfiguration"]["ScanOnPush"])}});
}

ResourceState state_of(const Json& repository) {
  return {.physical_id = repository.text("repositoryName"),
          .attributes = Json::object({{"Arn", repository["repositoryArn"]}, {"RepositoryUri", repository["repositoryUri"]}})};
}

// What can be set after creation; `before` says what was there.
Task<aws::Reply<void>> put_policies(const ResourceContext& context, const std::string& name, const Json& before, const Json& after) {
  const Json target = Json::object({{"repositoryName", name}});
  if (const Json* policy = after.find("RepositoryPolicyText")) {
    Json input = target;
    input.set("policyText", policy_text(*policy));
    CO_TRY(co_await call(context, "SetRepositoryPolicy", std::move(input)));
  } else if (before.contains("RepositoryPolicyText")) {
    CO_TRY(co_await aws::call_unless_gone(context, "ecr", "DeleteRepositoryPolicy", target, "RepositoryPolicyNotFoundException"));
  }
  if (const Json* policy = after["LifecyclePolicy"].find("LifecyclePolicyText")) {
    Json input = target;
    input.set("lifecyclePolicyText", policy_text(*policy));
    CO_TRY(co_await call(context, "PutLifecyclePolicy", std::move(input)));
  } else if (before["LifecyclePolicy"].contains("LifecyclePolicyText")) {
    CO_TRY(co_await aws::call_unless_gone(context, "ecr", "DeleteLifecyclePolicy", target, "LifecyclePolicyNotFoundException"));
  }
  co_return aws::Reply<void>();
}

Task<aws::Reply<ResourceState>> create(const ResourceContext& context, const Json& properties) {
  const std::string name = identify(context, properties);
  Json input = Json::object({{"repositoryName", name}, {"imageScanningConfiguration", scanning(properties)}});
  if (const Json* mutability = properties.find("ImageTagMutability")) input.set("imageTagMutability", *mutability);
  if (const Json* encryption = properties.find("EncryptionConfiguration")) {
    Json& out = input.set("encryptionConfiguration", Json::object({{"encryptionType", (*encryption)["EncryptionType"]}}));
    if (const Json* key = encryption->find("KmsKey")) out.set("kmsKey", *key);
  }
  Json tags = context.tags;
  for (const Json& tag : properties["Tags"].as_array()) tags.push_back(tag);
  if (tags.size() > 0) input.set("tags", std::move(tags));
  const Json out = CO_TRY(co_await call(context, "CreateRepository", std::move(input)));
  CO_TRY(co_await put_policies(context, name, Json(), properties));
  co_return state_of(out["repository"]);
}

Task<aws::Reply<ResourceState>> update(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string& name = current.physical_id;
  CO_TRY(co_await call(context, "PutImageScanningConfiguration", Json::object({{"repositoryName", name}, {"imageScanningConfiguration", scanning(after)}})));
  const std::string mutability = after.text("ImageTagMutability");
  CO_TRY(co_await call(context, "PutImageTagMutability",
                       Json::object({{"repositoryName", name}, {"imageTagMutability", mutability.empty() ? std::string("MUTABLE") : mutability}})));
  CO_TRY(co_await put_policies(context, name, before, after));
  const Json& arn = current.attributes["Arn"];
  Json gone = Json::array();
  for (const Json& tag : before["Tags"].as_array()) {
    bool kept = false;
    for (const Json& other : after["Tags"].as_array()) kept = kept || other.text("Key") == tag.text("Key");
    if (!kept) gone.push_back(tag["Key"]);
  }
  if (gone.size() > 0) CO_TRY(co_await call(context, "UntagResource", Json::object({{"resourceArn", arn}, {"tagKeys", std::move(gone)}})));
  if (after["Tags"].size() > 0) CO_TRY(co_await call(context, "TagResource", Json::object({{"resourceArn", arn}, {"tags", after["Tags"]}})));
  co_return current;
}

Task<aws::Reply<void>> remove(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  co_return co_await aws::call_unless_gone(context, "ecr", "DeleteRepository",
                                           Json::object({{"repositoryName", current.physical_id}, {"force", is_true(properties["EmptyOnDelete"])}}),
                                           "RepositoryNotFoundException");
}

}  // namespace

const aws::ResourceType kRepository{
    .name = "AWS::ECR::Repository",
    .properties = {{"EmptyOnDelete"}, {"EncryptionConfiguration", OnChange::kReplace}, {"ImageScanningConfiguration"}, {"ImageTagMutability"},
                   {"LifecyclePolicy"}, {"RepositoryName", OnChange::kReplace}, {"RepositoryPolicyText"}, {"Tags"}},
    .create = create, .identify = identify, .update = update, .remove = remove};

}  // namespace reef::service::ecr::resources
