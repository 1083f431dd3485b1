// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html, -rotationschedule,
// -resourcepolicy, -secrettargetattachment
#include "service/secretsmanager/resources.h"

#include <fmt/format.h>

#include "aws/loose_values.h"
#include "aws/models/secretsmanager.h"
#include "aws/unmodelled_errors.h"

namespace reef::service::secretsmanager::resources {
namespace {

namespace model = aws::secretsmanager;
using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

Task<aws::Reply<Json>> run(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "secretsmanager", operation, std::move(input));
}

ResourceState secret_state(const std::string& arn) { return {.physical_id = arn, .attributes = Json::object({{"Id", arn}})}; }

// The value that GenerateSecretString asks for: a password, alone or under a key of a JSON template.
Task<aws::Reply<std::string>> generate(const ResourceContext& context, Json how) {
  Json wanted = Json::object();
  for (const std::string_view name : {"ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase", "IncludeSpace", "PasswordLength",
                                      "RequireEachIncludedType"})
    if (const Json* value = how.find(name)) wanted.set(name, *value);
  const Json made = CO_TRY(co_await run(context, "GetRandomPassword", aws::fit_to_shape(model::kGetRandomPasswordInputShape, std::move(wanted))));
  const std::string& password = made.text("RandomPassword");
  const std::string& key = how.text("GenerateStringKey");
  if (key.empty() != !how.contains("SecretStringTemplate"))
    co_return Err(aws::validation_error("GenerateStringKey and SecretStringTemplate must be specified together."));
  if (key.empty()) co_return password;
  auto document = Json::parse(how.text("SecretStringTemplate"));
  if (!document || !document->is_object()) co_return Err(aws::validation_error("SecretStringTemplate must be a JSON object."));
  document->set(key, password);
  co_return document->dump();
}

std::string identify_secret(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("Name");
  return given.empty() ? context.generated_name(512) : given;
}

Task<aws::Reply<ResourceState>> create_secret(const ResourceContext& context, const Json& properties) {
  if (properties.contains("SecretString") && properties.contains("GenerateSecretString"))
    co_return Err(aws::validation_error("You can't specify both SecretString and GenerateSecretString."));
  Json input = Json::object({{"Name", identify_secret(context, properties)}});
  for (const std::string_view name : {"Description", "KmsKeyId", "SecretString"})
    if (const Json* value = properties.find(name)) input.set(name, *value);
  if (const Json* how = properties.find("GenerateSecretString")) input.set("SecretString", CO_TRY(co_await generate(context, *how)));
  Json tags = aws::merge_tags({&context.tags, properties.find("Tags")});
  if (tags.size() > 0) input.set("Tags", std::move(tags));
  const Json made = CO_TRY(co_await run(context, "CreateSecret", aws::fit_to_shape(model::kCreateSecretInputShape, std::move(input))));
  co_return secret_state(made.text("ARN"));
}

Task<aws::Reply<ResourceState>> update_secret(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json input = Json::object({{"SecretId", current.physical_id}});
  for (const std::string_view name : {"Description", "KmsKeyId"})
    if (const Json* value = after.find(name)) input.set(name, *value);
  // A value is only written when the template's changed: it may have been rotated since.
  if (after["SecretString"] != before["SecretString"] && after.contains("SecretString")) input.set("SecretString", after["SecretString"]);
  if (after["GenerateSecretString"] != before["GenerateSecretString"] && after.contains("GenerateSecretString"))
    input.set("SecretString", CO_TRY(co_await generate(context, after["GenerateSecretString"])));
  CO_TRY(co_await run(context, "UpdateSecret", aws::fit_to_shape(model::kUpdateSecretInputShape, std::move(input))));
  const Json tags = aws::merge_tags({&context.tags, after.find("Tags")}), old_tags = aws::merge_tags({before.find("Tags")});
  Json gone = Json::array();
  for (const Json& old : old_tags.as_array()) {
    bool is_kept = false;
    for (const Json& tag : tags.as_array()) is_kept |= tag.text("Key") == old.text("Key");
    if (!is_kept) gone.push_back(old["Key"]);
  }
  if (gone.size() > 0) CO_TRY(co_await run(context, "UntagResource", Json::object({{"SecretId", current.physical_id}, {"TagKeys", std::move(gone)}})));
  if (tags.size() > 0) CO_TRY(co_await run(context, "TagResource", Json::object({{"SecretId", current.physical_id}, {"Tags", tags}})));
  co_return secret_state(current.physical_id);
}

Task<aws::Reply<void>> remove_secret(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "secretsmanager", "DeleteSecret", Json::object({{"SecretId", current.physical_id}, {"ForceDeleteWithoutRecovery", true}}), "ResourceNotFoundException");
}

// --- RotationSchedule: Ref is the secret's ARN ----------------------------------------------------------------------
Task<aws::Reply<ResourceState>> put_rotation(const ResourceContext& context, Json properties) {
  Json input = Json::object({{"SecretId", properties["SecretId"]}});
  if (const Json* function = properties.find("RotationLambdaARN")) input.set("RotationLambdaARN", *function);
  if (const Json* rules = properties.find("RotationRules")) input.set("RotationRules", *rules);
  input.set("RotateImmediately", properties.contains("RotateImmediatelyOnUpdate") ? properties["RotateImmediatelyOnUpdate"] : Json(true));
  const Json made = CO_TRY(co_await run(context, "RotateSecret", aws::fit_to_shape(model::kRotateSecretInputShape, std::move(input))));
  co_return secret_state(made.text("ARN"));
}
Task<aws::Reply<ResourceState>> create_rotation(const ResourceContext& context, const Json& properties) { return put_rotation(context, properties); }
Task<aws::Reply<ResourceState>> update_rotation(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return put_rotation(context, after); }
Task<aws::Reply<void>> remove_rotation(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto out = co_await run(context, "CancelRotateSecret", Json::object({{"SecretId", current.physical_id}}));
  if (!out && out.error().code != "ResourceNotFoundException" && out.error().code != "InvalidRequestException") co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

// --- ResourcePolicy -------------------------------------------------------------------------------------------------
Task<aws::Reply<ResourceState>> put_policy(const ResourceContext& context, Json properties) {
  const Json& policy = properties["ResourcePolicy"];
  Json input = Json::object({{"SecretId", properties["SecretId"]}, {"ResourcePolicy", policy.is_string() ? policy.as_string() : policy.dump()}});
  if (const Json* block = properties.find("BlockPublicPolicy")) input.set("BlockPublicPolicy", *block);
  const Json made = CO_TRY(co_await run(context, "PutResourcePolicy", aws::fit_to_shape(model::kPutResourcePolicyInputShape, std::move(input))));
  co_return secret_state(made.text("ARN"));
}
Task<aws::Reply<ResourceState>> create_policy(const ResourceContext& context, const Json& properties) { return put_policy(context, properties); }
Task<aws::Reply<ResourceState>> update_policy(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return put_policy(context, after); }
Task<aws::Reply<void>> remove_policy(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "secretsmanager", "DeleteResourcePolicy", Json::object({{"SecretId", current.physical_id}}), "ResourceNotFoundException");
}

// --- SecretTargetAttachment: the database's address goes into the secret ---------------------------------------------
struct TargetType {
  std::string_view name, service, operation, parameter, list, engine;
};
constexpr TargetType kTargets[] = {
    {"AWS::RDS::DBInstance", "rds", "DescribeDBInstances", "DBInstanceIdentifier", "DBInstances", ""},
    {"AWS::RDS::DBCluster", "rds", "DescribeDBClusters", "DBClusterIdentifier", "DBClusters", ""},
    {"AWS::Redshift::Cluster", "redshift", "DescribeClusters", "ClusterIdentifier", "Clusters", "redshift"},
    {"AWS::DocDB::DBInstance", "docdb", "DescribeDBInstances", "DBInstanceIdentifier", "DBInstances", "mongo"},
    {"AWS::DocDB::DBCluster", "docdb", "DescribeDBClusters", "DBClusterIdentifier", "DBClusters", "mongo"},
};

Task<aws::Reply<ResourceState>> attach(const ResourceContext& context, Json properties) {
  const std::string& type = properties.text("TargetType");
  const TargetType* target = nullptr;
  for (const TargetType& one : kTargets)
    if (one.name == type) target = &one;
  if (!target) co_return Err(aws::not_implemented(fmt::format("TargetType {} of AWS::SecretsManager::SecretTargetAttachment", type)));
  const Json found = CO_TRY(co_await aws::call_operation(context, target->service, target->operation, Json::object({{std::string(target->parameter), properties["TargetId"]}})));
  const Json& database = found[target->list].at(0);
  const Json current = CO_TRY(co_await run(context, "GetSecretValue", Json::object({{"SecretId", properties["SecretId"]}})));
  auto value = Json::parse(current.text("SecretString"));
  if (!value || !value->is_object()) co_return Err(aws::validation_error("The secret must hold a JSON object to be attached to a database."));
  const Json& endpoint = database["Endpoint"];
  value->set("engine", target->engine.empty() ? database["Engine"] : Json(target->engine));
  value->set("host", endpoint.is_string() ? endpoint : endpoint["Address"]);
  value->set("port", database.contains("Port") ? database["Port"] : endpoint["Port"]);
  if (database.contains("DBName")) value->set("dbname", database["DBName"]);
  else if (database.contains("DatabaseName")) value->set("dbname", database["DatabaseName"]);
  value->set(std::string(target->parameter) == "DBClusterIdentifier" ? "dbClusterIdentifier" : "dbInstanceIdentifier", properties["TargetId"]);
  const Json made = CO_TRY(co_await run(context, "PutSecretValue", Json::object({{"SecretId", properties["SecretId"]}, {"SecretString", value->dump()}})));
  co_return secret_state(made.text("ARN"));
}
Task<aws::Reply<ResourceState>> create_attachment(const ResourceContext& context, const Json& properties) { return attach(context, properties); }
Task<aws::Reply<ResourceState>> update_attachment(const ResourceContext& context, const ResourceState&, const Json&, const Json& after) { return attach(context, after); }
// What was written stays in the secret, as on AWS.
Task<aws::Reply<void>> remove_attachment(const ResourceContext&, const ResourceState&, const Json&) { co_return aws::Reply<void>(); }

}  // namespace

const aws::ResourceType kSecret{
    .name = "AWS::SecretsManager::Secret",
    .properties = {{"Description"}, {"GenerateSecretString"}, {"KmsKeyId"}, {"Name", OnChange::kReplace}, {"SecretString"}, {"Tags"}},
    .create = create_secret, .identify = identify_secret, .update = update_secret, .remove = remove_secret};
const aws::ResourceType kRotationSchedule{
    .name = "AWS::SecretsManager::RotationSchedule",
    .properties = {{"RotateImmediatelyOnUpdate"}, {"RotationLambdaARN"}, {"RotationRules"}, {"SecretId", OnChange::kReplace, true}},
    .create = create_rotation, .update = update_rotation, .remove = remove_rotation};
const aws::ResourceType kResourcePolicy{
    .name = "AWS::SecretsManager::ResourcePolicy",
    .properties = {{"BlockPublicPolicy"}, {"ResourcePolicy", OnChange::kUpdate, true}, {"SecretId", OnChange::kReplace, true}},
    .create = create_policy, .update = update_policy, .remove = remove_policy};
const aws::ResourceType kSecretTargetAttachment{
    .name = "AWS::SecretsManager::SecretTargetAttachment",
    .properties = {{"SecretId", OnChange::kReplace, true}, {"TargetId", OnChange::kUpdate, true}, {"TargetType", OnChange::kUpdate, true}},
    .create = create_attachment, .update = update_attachment, .remove = remove_attachment};

}  // namespace reef::service::secretsmanager::resources
