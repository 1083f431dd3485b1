// https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
#include <fmt/format.h>

#include "service/lambda/configuration.h"
#include "service/lambda/operations.h"
#include "service/lambda/packages.h"
#include "service/lambda/policy_document.h"
#include "service/lambda/publishing.h"

namespace reef::service::lambda::operations {
namespace {

Reply<std::pair<LayerName, StoredLayer>> find_layer(Lambda& lambda, const std::string& text, std::int64_t version, const Call& call,
                                                       bool absent_says_which = false) {
  LayerName name = TRY(parse_layer(text, call));
  if (version < 1) return Err(invalid_parameter("Layer Version Cannot be less than 1"));
  name.version = version;
  auto layer = lambda.repository.layer(name);
  if (!layer) return Err(not_found(absent_says_which ? fmt::format("Layer version {} does not exist.", name.version_arn()) : "The resource you requested does not exist."));
  layer->version.content->location = download_url(layer->zip, call);
  return std::pair{std::move(name), *std::move(layer)};
}

model::LayerVersionsListItem list_item(const model::GetLayerVersionResponse& version) {
  return {.layer_version_arn = version.layer_version_arn, .version = version.version, .description = version.description, .created_date = version.created_date,
          .compatible_runtimes = version.compatible_runtimes, .license_info = version.license_info, .compatible_architectures = version.compatible_architectures};
}

bool is_compatible(const StoredLayer& layer, const std::optional<std::string>& runtime, const std::optional<std::string>& architecture) {
  const auto has = [](const std::optional<std::vector<std::string>>& list, const std::optional<std::string>& wanted) {
    return !wanted || (list && std::find(list->begin(), list->end(), *wanted) != list->end());
  };
  return has(layer.version.compatible_runtimes, runtime) && has(layer.version.compatible_architectures, architecture);
}

}  // namespace

Task<Reply<model::PublishLayerVersionOutput>> publish_layer_version(Lambda& lambda, const model::PublishLayerVersionInput& in, const Call& call) {
  LayerName name = CO_TRY(parse_layer(in.layer_name, call));
  const Package package = CO_TRY(co_await store_package(lambda, {in.content.zip_file, in.content.s3_bucket, in.content.s3_key, in.content.s3_object_version}, call));
  name.version = lambda.repository.next_layer_version(name);
  StoredLayer layer;
  layer.folder = package.folder;
  layer.zip = package.zip;
  model::GetLayerVersionResponse& version = layer.version;
  version.content = model::LayerVersionContentOutput{.code_sha256 = package.sha256, .code_size = package.size};
  version.layer_arn = name.arn();
  version.layer_version_arn = name.version_arn();
  version.description = in.description.value_or("");
  version.created_date = lambda_time(call.now);
  version.version = name.version;
  version.compatible_runtimes = in.compatible_runtimes;
  version.license_info = in.license_info;
  version.compatible_architectures = in.compatible_architectures;
  lambda.repository.put_layer(name, layer);
  co_await stored();
  version.content->location = download_url(layer.zip, call);
  co_return model::PublishLayerVersionOutput{.content = version.content, .layer_arn = version.layer_arn, .layer_version_arn = version.layer_version_arn,
      .description = version.description, .created_date = version.created_date, .version = version.version, .compatible_runtimes = version.compatible_runtimes,
      .license_info = version.license_info, .compatible_architectures = version.compatible_architectures};
}

Task<Reply<model::GetLayerVersionResponse>> get_layer_version(Lambda& lambda, const model::GetLayerVersionInput& in, const Call& call) {
  auto [name, layer] = CO_TRY(find_layer(lambda, in.layer_name, in.version_number, call));
  co_return std::move(layer.version);
}

Task<Reply<model::GetLayerVersionResponse>> get_layer_version_by_arn(Lambda& lambda, const model::GetLayerVersionByArnInput& in, const Call& call) {
  const LayerName parsed = CO_TRY(parse_layer(in.arn, call));
  auto [name, layer] = CO_TRY(find_layer(lambda, parsed.arn(), parsed.version, call));
  co_return std::move(layer.version);
}

Task<Reply<model::ListLayerVersionsOutput>> list_layer_versions(Lambda& lambda, const model::ListLayerVersionsInput& in, const Call& call) {
  const LayerName name = CO_TRY(parse_layer(in.layer_name, call));
  std::vector<model::LayerVersionsListItem> all;
  for (const StoredLayer& layer : lambda.repository.layer_versions(name))
    if (is_compatible(layer, in.compatible_runtime, in.compatible_architecture)) all.push_back(list_item(layer.version));
  model::ListLayerVersionsOutput out;
  out.layer_versions = page(std::move(all), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

Task<Reply<model::ListLayersOutput>> list_layers(Lambda& lambda, const model::ListLayersInput& in, const Call& call) {
  std::vector<model::LayersListItem> all;
  for (const std::string& layer_name : lambda.repository.layer_names(call.account, call.region)) {
    const LayerName name{call.account, call.region, layer_name};
    for (const StoredLayer& layer : lambda.repository.layer_versions(name)) {
      if (!is_compatible(layer, in.compatible_runtime, in.compatible_architecture)) continue;
      all.push_back({.layer_name = layer_name, .layer_arn = name.arn(), .latest_matching_version = list_item(layer.version)});
      break;
    }
  }
  model::ListLayersOutput out;
  out.layers = page(std::move(all), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

// Functions that use it keep what they have: packages are kept by content.
Task<Reply<model::DeleteLayerVersionOutput>> delete_layer_version(Lambda& lambda, const model::DeleteLayerVersionInput& in, const Call& call) {
  LayerName name = CO_TRY(parse_layer(in.layer_name, call));
  if (in.version_number < 1) co_return Err(invalid_parameter("Layer Version Cannot be less than 1"));
  name.version = in.version_number;
  lambda.repository.erase_layer(name);
  co_await stored();
  co_return model::DeleteLayerVersionOutput{};
}

Task<Reply<model::AddLayerVersionPermissionOutput>> add_layer_version_permission(Lambda& lambda, const model::AddLayerVersionPermissionInput& in, const Call& call) {
  auto [name, layer] = CO_TRY(find_layer(lambda, in.layer_name, in.version_number, call, true));
  CO_TRY(check_revision(in.revision_id, layer.policy.revision, "GetLayerPolicy"));
  wire::Json statement = wire::Json::object({{"Sid", in.statement_id}, {"Effect", "Allow"}, {"Principal", policy_principal(in.principal)}, {"Action", in.action}, {"Resource", name.version_arn()}});
  if (in.organization_id) statement.set("Condition", wire::Json::object({{"StringEquals", wire::Json::object({{"aws:PrincipalOrgID", *in.organization_id}})}}));
  CO_TRY(add_statement(layer.policy, statement, in.statement_id));
  layer.policy.revision = new_revision();
  lambda.repository.put_layer(name, layer);
  co_await stored();
  co_return model::AddLayerVersionPermissionOutput{.statement = statement.dump(), .revision_id = layer.policy.revision};
}

Task<Reply<model::RemoveLayerVersionPermissionOutput>> remove_layer_version_permission(Lambda& lambda, const model::RemoveLayerVersionPermissionInput& in, const Call& call) {
  auto [name, layer] = CO_TRY(find_layer(lambda, in.layer_name, in.version_number, call, true));
  CO_TRY(check_revision(in.revision_id, layer.policy.revision, "GetLayerPolicy"));
  if (!remove_statement(layer.policy, in.statement_id)) co_return Err(not_found(fmt::format("Statement {} is not found in resource policy.", in.statement_id)));
  layer.policy.revision = new_revision();
  lambda.repository.put_layer(name, layer);
  co_await stored();
  co_return model::RemoveLayerVersionPermissionOutput{};
}

Task<Reply<model::GetLayerVersionPolicyOutput>> get_layer_version_policy(Lambda& lambda, const model::GetLayerVersionPolicyInput& in, const Call& call) {
  auto [name, layer] = CO_TRY(find_layer(lambda, in.layer_name, in.version_number, call, true));
  if (layer.policy.statements.size() == 0) co_return Err(not_found("No policy is associated with the given resource."));
  co_return model::GetLayerVersionPolicyOutput{.policy = policy_text(layer.policy), .revision_id = layer.policy.revision};
}

}  // namespace reef::service::lambda::operations
