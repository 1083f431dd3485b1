// AWS::Serverless::SimpleTable and AWS::Serverless::LayerVersion.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-simpletable.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-layerversion.html
#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/context.h"

namespace reef::cloudformation::sam {

Reply<void> expand_simple_table(Context& context, const std::string& id, const Json& declaration) {
  const Json& in = declaration["Properties"];
  TRY(check_known(id, "AWS::Serverless::SimpleTable", in, {"PrimaryKey", "ProvisionedThroughput", "TableName", "Tags", "SSESpecification", "PointInTimeRecoverySpecification"}));
  Json name = "id";
  std::string type = "S";
  if (in["PrimaryKey"].is_object()) {
    const Json& key = in["PrimaryKey"];
    if (!key.contains("Name") || !key.contains("Type"))
      return Err(invalid_resource(id, fmt::format("'PrimaryKey' is missing required Property '{}'.", key.contains("Name") ? "Type" : "Name")));
    const std::string given = context.resolved(key["Type"]).as_string();
    name = key["Name"];
    if (given == "String" || given == "Number" || given == "Binary") type = given.substr(0, 1);
    else return Err(invalid_resource(id, fmt::format("Invalid 'Type' \"{}\".", given)));
  }
  Json out = Json::object({{"AttributeDefinitions", Json::array({Json::object({{"AttributeName", name}, {"AttributeType", type}})})},
                           {"KeySchema", Json::array({Json::object({{"AttributeName", name}, {"KeyType", "HASH"}})})}});
  if (in.contains("ProvisionedThroughput")) out.set("ProvisionedThroughput", in["ProvisionedThroughput"]);
  else out.set("BillingMode", "PAY_PER_REQUEST");
  copy_members(in, out, {"TableName", "SSESpecification", "PointInTimeRecoverySpecification"});
  if (in["Tags"].size() > 0) out.set("Tags", tag_list(in["Tags"], ""));
  Json table = resource("AWS::DynamoDB::Table", std::move(out), declaration);
  copy_members(declaration, table, {"DependsOn", "Metadata"});
  context.add(id, std::move(table));
  return {};
}

Reply<void> expand_layer(Context& context, const std::string& id, const Json& declaration) {
  const Json& in = declaration["Properties"];
  TRY(check_known(id, "AWS::Serverless::LayerVersion", in,
                  {"LayerName", "Description", "ContentUri", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo", "RetentionPolicy", "PublishLambdaVersion"}));
  if (!in.contains("ContentUri")) return Err(invalid_resource(id, "Missing required property 'ContentUri'."));
  Json resolved = in;
  for (const std::string_view name : {"LayerName", "LicenseInfo", "Description", "RetentionPolicy"})
    if (Json* value = resolved.find(name)) *value = context.resolved(*value);
  // A layer version cannot change: a new definition is a new resource, and the old version stays unless told otherwise.
  Json hashed = Json::object({{"Type", declaration["Type"]}, {"Properties", resolved}});
  copy_members(declaration, hashed, {"Condition", "DependsOn"});
  const std::string new_id = hashed_id(id, Json::object({{id, hashed}}));
  Json out = Json::object({{"LayerName", in.contains("LayerName") ? context.resolved(in["LayerName"]) : Json(id)},
                           {"Content", TRY(s3_location(id, "ContentUri", in["ContentUri"], "S3Bucket", "S3Key", "S3ObjectVersion"))}});
  copy_members(resolved, out, {"Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"});
  Json layer = resource("AWS::Lambda::LayerVersion", std::move(out), declaration);
  copy_members(declaration, layer, {"DependsOn", "Metadata"});
  if (!layer.contains("DeletionPolicy")) layer.set("DeletionPolicy", "Retain");
  if (in.contains("RetentionPolicy")) {
    const std::string policy = to_lower(context.resolved(in["RetentionPolicy"]).as_string());
    if (policy != "retain" && policy != "delete") return Err(invalid_resource(id, "'RetentionPolicy' must be one of the following options: ['Retain', 'Delete']."));
    layer.set("DeletionPolicy", policy == "retain" ? "Retain" : "Delete");
  }
  context.add(new_id, std::move(layer));
  context.renamed[id] = new_id;
  return {};
}

}  // namespace reef::cloudformation::sam
