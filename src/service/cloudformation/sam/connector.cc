// AWS::Serverless::Connector and the Connectors attribute: the permissions that one resource needs to use another.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/reference-sam-connector.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/context.h"

namespace reef::cloudformation::sam {
namespace {

constexpr std::string_view kFunction = "AWS::Lambda::Function", kTable = "AWS::DynamoDB::Table", kQueue = "AWS::SQS::Queue", kBucket = "AWS::S3::Bucket",
                           kTopic = "AWS::SNS::Topic", kRestApi = "AWS::ApiGateway::RestApi", kHttpApi = "AWS::ApiGatewayV2::Api",
                           kStateMachine = "AWS::StepFunctions::StateMachine", kBus = "AWS::Events::EventBus";

// A pair of types: what each permission allows. Resources are suffixes of the subject's ARN, separated by commas.
struct Profile {
  std::string_view source, destination, category;
  std::string_view actions;
  std::string_view suffixes;      // of the destination's ARN, or of the source's
  bool is_source_subject = false; // the policy is the destination's role's, about the source (a poller)
};

constexpr Profile kProfiles[] = {
    {kFunction, kFunction, "Write", "lambda:InvokeAsync,lambda:InvokeFunction", ""},
    {kFunction, kTable, "Read", "dynamodb:GetItem,dynamodb:Query,dynamodb:Scan,dynamodb:BatchGetItem,dynamodb:ConditionCheckItem,dynamodb:PartiQLSelect", ",/index/*"},
    {kFunction, kTable, "Write", "dynamodb:PutItem,dynamodb:UpdateItem,dynamodb:DeleteItem,dynamodb:BatchWriteItem,dynamodb:PartiQLDelete,dynamodb:PartiQLInsert,dynamodb:PartiQLUpdate", ",/index/*"},
    {kFunction, kQueue, "Read", "sqs:ReceiveMessage,sqs:GetQueueAttributes", ""},
    {kFunction, kQueue, "Write", "sqs:DeleteMessage,sqs:SendMessage,sqs:ChangeMessageVisibility,sqs:PurgeQueue", ""},
    {kFunction, kBucket, "Read", "s3:GetObject,s3:GetObjectAcl,s3:GetObjectLegalHold,s3:GetObjectRetention,s3:GetObjectTorrent,s3:GetObjectVersion,s3:GetObjectVersionAcl,s3:GetObjectVersionForReplication,s3:GetObjectVersionTorrent,s3:ListBucket,s3:ListBucketMultipartUploads,s3:ListBucketVersions,s3:ListMultipartUploadParts", ",/*"},
    {kFunction, kBucket, "Write", "s3:AbortMultipartUpload,s3:DeleteObject,s3:DeleteObjectVersion,s3:PutObject,s3:PutObjectLegalHold,s3:PutObjectRetention,s3:RestoreObject", ",/*"},
    {kFunction, kTopic, "Write", "sns:Publish", ""},
    {kFunction, kBus, "Write", "events:PutEvents", ""},
    {kFunction, kStateMachine, "Read", "states:DescribeStateMachine,states:ListExecutions", ""},
    {kFunction, kStateMachine, "Write", "states:StartExecution,states:StartSyncExecution", ""},
    {kQueue, kFunction, "Write", "sqs:DeleteMessage", "", true},
    {kQueue, kFunction, "Read", "sqs:ReceiveMessage,sqs:GetQueueAttributes", "", true},
    {kTable, kFunction, "Read", "dynamodb:DescribeStream,dynamodb:GetRecords,dynamodb:GetShardIterator,dynamodb:ListStreams", "/stream/*", true},
};

// One end of a connector.
struct End {
  std::string id, type;  // the resource in the finished template
  Json arn, name;        // intrinsics or text
  Json role;             // Ref of its role
};

Reply<End> resolve(Context& context, const std::string& connector, const Json& given, std::string_view which) {
  End out;
  if (!given["Id"].is_string()) {
    if (!given["Type"].is_string() || !given.contains("Arn"))
      return Err(invalid_resource(connector, fmt::format("{} must have an Id, or a Type and an Arn.", which)));
    out.type = given.text("Type");
    out.arn = given["Arn"];
    if (given.contains("RoleName")) out.role = given["RoleName"];
    return out;
  }
  out.id = given.text("Id");
  const Json* made = context.resources().find(out.id);
  if (!made) return Err(invalid_resource(connector, fmt::format("Unable to find resource with logical ID '{}'.", out.id)));
  out.type = made->text("Type");
  out.arn = out.type == kTopic ? ref_to(out.id) : get_att(out.id, "Arn");
  const Json& role = (*made)["Properties"][out.type == kStateMachine ? "RoleArn" : "Role"];
  if (intrinsic_of(role) == "Fn::GetAtt") out.role = ref_to(role["Fn::GetAtt"].at(0).as_string());
  return out;
}

Json arn_with(const Json& arn, std::string_view suffix, std::string_view variable) {
  if (suffix.empty()) return arn;
  return sub(fmt::format("${{{}}}{}", variable, suffix), Json::object({{std::string(variable), arn}}));
}

class Connector {
 public:
  Connector(Context& context, const std::string& id, const Json& declaration) : context_(context), id_(id), declaration_(declaration) {}

  Reply<void> connect(const Json& source_given, const Json& destination_given, const Json& permissions, std::string_view suffix, const Json& shown) {
    const End source = TRY(resolve(context_, id_, source_given, "Source"));
    const End destination = TRY(resolve(context_, id_, destination_given, "Destination"));
    metadata_ = Json::object({{"aws:sam:connectors", Json::object({{id_, shown}})}});
    if ((source.type == kRestApi || source.type == kHttpApi) && destination.type == kFunction) return api_permission(source, source_given, destination, suffix);
    Json statements = Json::array();
    bool is_source_subject = false;
    const auto fits = [&](const Profile& each, const Json& permission) {
      return each.source == source.type && each.destination == destination.type && each.category == permission.as_string();
    };
    for (const Json& permission : permissions.as_array())
      if (std::none_of(std::begin(kProfiles), std::end(kProfiles), [&](const Profile& each) { return fits(each, permission); }))
        return Err(invalid_resource(id_, fmt::format("Unable to create connector from {} to {} with {} permission; it's not supported by this version of Atoll.", source.type, destination.type, permission.as_string())));
    for (const Profile& profile : kProfiles) {
      const auto& wanted = permissions.as_array();
      if (std::none_of(wanted.begin(), wanted.end(), [&](const Json& permission) { return fits(profile, permission); })) continue;
      is_source_subject = profile.is_source_subject;
      Json actions = Json::array(), resources = Json::array();
      for (const std::string_view action : split(profile.actions, ',')) actions.push_back(action);
      const End& subject = is_source_subject ? source : destination;
      for (const std::string_view end : split(profile.suffixes, ',')) resources.push_back(arn_with(subject.arn, end, is_source_subject ? "SourceArn" : "DestinationArn"));
      statements.push_back(Json::object({{"Effect", "Allow"}, {"Action", actions}, {"Resource", resources}}));
    }
    const End& holder = is_source_subject ? destination : source;
    if (holder.role.is_null()) return Err(invalid_resource(id_, fmt::format("Unable to get IAM role name from '{}' resource.", is_source_subject ? "Destination" : "Source")));
    Json out = Json::object({{"PolicyDocument", Json::object({{"Version", "2012-10-17"}, {"Statement", statements}})}, {"Roles", Json::array({holder.role})}});
    const std::string policy_id = fmt::format("{}Policy{}", id_, suffix);
    add(policy_id, "AWS::IAM::ManagedPolicy", std::move(out));
    // A mapping polls as soon as it exists: its role must be allowed to by then.
    if (is_source_subject) make_mappings_wait(source, destination, policy_id);
    return {};
  }

 private:
  void add(const std::string& logical_id, std::string_view type, Json properties) {
    Json out = resource(type, std::move(properties), declaration_);
    Json metadata = declaration_["Metadata"].is_object() ? declaration_["Metadata"] : Json::object();
    for (const auto& [name, value] : metadata_.as_object()) metadata.set(name, value);
    out.set("Metadata", std::move(metadata));
    copy_members(declaration_, out, {"DependsOn"});
    context_.add(logical_id, std::move(out));
    context_.renamed[id_] = logical_id;  // for those that depend on the connector
  }

  Reply<void> api_permission(const End& source, const Json& given, const End& destination, std::string_view suffix) {
    Json out = Json::object({{"Action", "lambda:InvokeFunction"}, {"FunctionName", destination.arn}, {"Principal", "apigateway.amazonaws.com"}});
    const Json qualifier = given.contains("Qualifier") ? given["Qualifier"] : Json("*");
    out.set("SourceArn", sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SourceResourceId}/${SourceQualifier}",
                             Json::object({{"SourceResourceId", source.id.empty() ? given["ResourceId"] : ref_to(source.id)}, {"SourceQualifier", qualifier}})));
    add(fmt::format("{}WriteLambdaPermission{}", id_, suffix), "AWS::Lambda::Permission", std::move(out));
    return {};
  }

  void make_mappings_wait(const End& source, const End& destination, const std::string& policy_id) {
    for (auto& [name, each] : context_.resources().members()) {
      if (each.text("Type") != "AWS::Lambda::EventSourceMapping") continue;
      const Json& properties = each["Properties"];
      if (properties["FunctionName"] != ref_to(destination.id) && properties["FunctionName"] != destination.arn) continue;
      if (properties["EventSourceArn"] != source.arn && source.type != kTable) continue;
      Json depends_on = each["DependsOn"].is_array() ? each["DependsOn"] : Json::array();
      if (each["DependsOn"].is_string()) depends_on.push_back(each["DependsOn"]);
      for (Json& one : depends_on.elements())
        if (one.as_string() == id_) one = policy_id;  // which the connector became
      if (std::find(depends_on.as_array().begin(), depends_on.as_array().end(), Json(policy_id)) == depends_on.as_array().end()) depends_on.push_back(policy_id);
      each.set("DependsOn", std::move(depends_on));
    }
  }

  Context& context_;
  const std::string id_;
  const Json& declaration_;
  Json metadata_;
};

Json shown_type(Context& context, const Json& end) {
  const std::string& id = end.text("Id");
  if (const Json* serverless = context.serverless.find(id)) return Json::object({{"Type", (*serverless)["Type"]}});
  if (const Json* made = context.resources().find(id)) return Json::object({{"Type", (*made)["Type"]}});
  return Json::object({{"Type", end["Type"]}});
}

Reply<void> expand_pairs(Context& context, const std::string& id, const Json& declaration, const Json& source) {
  const Json& in = declaration["Properties"];
  if (!in["Permissions"].is_array() || in["Permissions"].size() == 0) return Err(invalid_resource(id, "Missing required property 'Permissions'."));
  Connector connector(context, id, declaration);
  const auto each = [&](const Json& destination, std::string_view suffix) {
    return connector.connect(source, destination, in["Permissions"], suffix,
                             Json::object({{"Source", shown_type(context, source)}, {"Destination", shown_type(context, destination)}}));
  };
  if (!in["Destination"].is_array()) return each(in["Destination"], "");
  for (std::size_t i = 0; i < in["Destination"].size(); ++i) TRY(each(in["Destination"].at(i), fmt::format("Destination{}", i)));
  return {};
}

}  // namespace

Reply<void> expand_connector(Context& context, const std::string& id, const Json& declaration) {
  TRY(check_known(id, "AWS::Serverless::Connector", declaration["Properties"], {"Source", "Destination", "Permissions", "SourceReference"}));
  return expand_pairs(context, id, declaration, declaration["Properties"]["Source"]);
}

Reply<void> expand_embedded_connectors(Context& context, const std::string& resource_id, const Json& connectors) {
  for (const auto& [name, connector] : connectors.as_object()) {
    Json source = Json::object({{"Id", resource_id}});
    for (const auto& [key, value] : connector["Properties"]["SourceReference"].as_object()) source.set(key, value);
    Json declaration = connector;
    TRY(expand_pairs(context, resource_id + name, declaration, source));
  }
  return {};
}

}  // namespace reef::cloudformation::sam
