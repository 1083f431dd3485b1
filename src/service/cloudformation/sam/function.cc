// AWS::Serverless::Function.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
#include <algorithm>

#include <fmt/format.h>

#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

constexpr std::string_view kType = "AWS::Serverless::Function";

Json lambda_assume_role_policy() {
  return Json::object({{"Version", "2012-10-17"},
                       {"Statement", Json::array({Json::object({{"Action", Json::array({"sts:AssumeRole"})}, {"Effect", "Allow"},
                                                                {"Principal", Json::object({{"Service", Json::array({"lambda.amazonaws.com"})}})}})})}});
}

void add_unique(Json& list, Json value) {
  for (const Json& each : list.as_array())
    if (each == value) return;
  list.push_back(std::move(value));
}

Json policy(std::string_view name, const Json& actions, const Json& target) {
  return Json::object({{"PolicyName", name},
                       {"PolicyDocument", Json::object({{"Version", "2012-10-17"},
                                                        {"Statement", Json::array({Json::object({{"Action", actions}, {"Effect", "Allow"}, {"Resource", target}})})}})}});
}

// A managed policy by name: those that live under service-role/ are known, everything else is at the top.
Json managed_policy(const Context& context, const Json& value) {
  if (!value.is_string() || value.as_string().starts_with("arn:")) return value;
  static constexpr std::string_view kServiceRoles[] = {
      "AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaKinesisExecutionRole",
      "AWSLambdaDynamoDBExecutionRole", "AWSLambdaRole", "AWSLambdaENIManagementAccess", "AWSLambdaMSKExecutionRole", "AmazonAPIGatewayPushToCloudWatchLogs",
      "AWSLambdaBasicDurableExecutionRolePolicy"};
  const std::string& name = value.as_string();
  const bool is_service_role = std::find(std::begin(kServiceRoles), std::end(kServiceRoles), name) != std::end(kServiceRoles);
  return context.managed_policy_arn(is_service_role ? "service-role/" + name : name);
}

class Function {
 public:
  Function(Context& context, const std::string& logical_id, const Json& declaration)
      : context_(context), id_(logical_id), declaration_(declaration), in_(declaration["Properties"]) {}

  Reply<void> run() {
    TRY(check());
    TRY(add_function());
    if (in_.contains("AutoPublishAlias")) TRY(add_alias());
    TRY(add_url());
    TRY(add_event_invoke_config());
    for (const auto& [event_id, event] : in_["Events"].as_object())
      TRY(expand_event(context_, {id_, invoked_, invoked_ != id_, declaration_}, event_id, event, event_policies_));
    if (!in_.contains("Role")) TRY(add_role());
    else if (intrinsic_of(in_["Role"]) == "Fn::If") return Err(invalid_resource(id_, "A conditional Role is not supported by this version of Atoll."));
    context_.add(id_, std::move(function_));
    return {};
  }

 private:
  Reply<void> check() {
    TRY(check_known(id_, kType, in_,
                    {"FunctionName", "Handler", "Runtime", "CodeUri", "ImageUri", "PackageType", "InlineCode", "DeadLetterQueue", "Description", "MemorySize",
                     "Timeout", "VpcConfig", "Role", "AssumeRolePolicyDocument", "Policies", "RolePath", "PermissionsBoundary", "Environment", "Events",
                     "Tags", "PropagateTags", "Tracing", "KmsKeyArn", "Layers", "ReservedConcurrentExecutions", "ProvisionedConcurrencyConfig",
                     "FileSystemConfigs", "ImageConfig", "CodeSigningConfigArn", "Architectures", "SnapStart", "EphemeralStorage", "FunctionUrlConfig",
                     "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "AutoPublishAlias", "AutoPublishAliasAllProperties",
                     "AutoPublishCodeSha256", "VersionDescription", "VersionDeletionPolicy", "EventInvokeConfig", "DeploymentPreference",
                     "SourceKMSKeyArn"}));
    if (in_.contains("DeploymentPreference") && in_["DeploymentPreference"]["Enabled"].scalar_text() != "false")
      return Err(invalid_resource(id_, "DeploymentPreference (gradual deployments with CodeDeploy) is not supported by this version of Atoll."));
    if (in_.contains("Policies") && in_.contains("Role") && intrinsic_of(in_["Role"]).empty() && in_["Role"].is_null())
      return Err(invalid_resource(id_, "Role must not be empty."));
    return {};
  }

  Reply<Json> code() {
    if (in_.contains("InlineCode")) {
      return Json::object({{"ZipFile", in_["InlineCode"]}});
    }
    if (in_.contains("ImageUri")) return Json::object({{"ImageUri", in_["ImageUri"]}});
    if (!in_.contains("CodeUri")) {
      return Err(invalid_resource(id_, in_.text("PackageType") == "Image" ? "'ImageUri' must be set."
                                                                          : "Missing required property 'CodeUri' or 'InlineCode'."));
    }
    return s3_location(id_, "CodeUri", in_["CodeUri"], "S3Bucket", "S3Key", "S3ObjectVersion");
  }

  Reply<void> add_function() {
    Json out = Json::object();
    Json code_location = TRY(code());
    if (in_.contains("SourceKMSKeyArn")) code_location.set("SourceKMSKeyArn", in_["SourceKMSKeyArn"]);
    out.set("Code", std::move(code_location));
    if (in_.text("PackageType") != "Image") {
      if (!in_.contains("Runtime") || !in_.contains("Handler"))
        return Err(invalid_resource(id_, "Runtime and Handler needs to be present when PackageType is of type `Zip`"));
    }
    copy_members(in_, out, {"FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "PackageType", "Environment", "KmsKeyArn", "Layers",
                            "ReservedConcurrentExecutions", "FileSystemConfigs", "ImageConfig", "CodeSigningConfigArn", "Architectures", "SnapStart",
                            "EphemeralStorage", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop"});
    if (in_.contains("VpcConfig")) out.set("VpcConfig", in_["VpcConfig"]);
    if (is_traced()) out.set("TracingConfig", Json::object({{"Mode", in_["Tracing"]}}));
    if (in_.contains("DeadLetterQueue")) out.set("DeadLetterConfig", Json::object({{"TargetArn", in_["DeadLetterQueue"]["TargetArn"]}}));
    out.set("Role", in_.contains("Role") ? in_["Role"] : get_att(id_ + "Role", "Arn"));
    out.set("Tags", tag_list(in_["Tags"], "lambda:createdBy"));
    function_ = resource("AWS::Lambda::Function", std::move(out), declaration_);
    copy_members(declaration_, function_, {"DependsOn", "Metadata", "UpdatePolicy", "CreationPolicy"});
    return {};
  }

  bool is_traced() const { return in_.contains("Tracing") && context_.resolved(in_["Tracing"]).as_string() != "Disabled"; }

  // The function as it is told apart from its next version: with its role only when that is given, and with the layers that ask for it.
  Json all_properties() const {
    Json out = function_["Properties"];
    if (!in_.contains("Role")) out.erase("Role");
    for (const Json& layer : in_["Layers"].as_array()) {
      const Json* declared = intrinsic_of(layer) == "Ref" ? context_.serverless.find(layer["Ref"].as_string()) : nullptr;
      if (declared && !is_empty((*declared)["Properties"]["PublishLambdaVersion"])) out.set(layer["Ref"].as_string(), (*declared)["Properties"]);
    }
    return out;
  }

  Reply<void> add_alias() {
    const Json name_value = context_.resolved(in_["AutoPublishAlias"]);
    if (!name_value.is_string() || name_value.as_string().empty())
      return Err(invalid_resource(id_, "'AutoPublishAlias' must be a string or a Ref to a template parameter"));
    const std::string& name = name_value.as_string();
    const std::string given_hash = context_.resolved(in_["AutoPublishCodeSha256"]).as_string();
    if (!given_hash.empty()) {
      // A changed description is what makes Lambda publish a version of the same package.
      const Json description = context_.resolved(in_["Description"]);
      Json text = is_empty(description) ? Json(given_hash) : description.is_string() ? Json(description.as_string() + " " + given_hash)
                                                           : Json::object({{"Fn::Join", Json::array({" ", Json::array({description, given_hash})})}});
      function_.find("Properties")->set("Description", std::move(text));
    }
    Json hashed = context_.resolved(function_["Properties"]["Code"]);
    if (in_["AutoPublishAliasAllProperties"].scalar_text() == "true") {
      hashed = all_properties();
    } else {
      for (const auto& [key, value] : in_["Environment"].as_object()) hashed.set(key, value);
      if (in_.contains("MemorySize")) hashed.set("MemorySize", in_["MemorySize"]);
      if (in_["SnapStart"].contains("ApplyOn") && in_["SnapStart"].text("ApplyOn") != "None") hashed.set("SnapStart", in_["SnapStart"]);
    }
    const std::string version_id = given_hash.empty() ? hashed_id(id_ + "Version", hashed) : id_ + "Version" + given_hash.substr(0, 10);
    Json version = Json::object({{"FunctionName", ref_to(id_)}});
    if (in_.contains("VersionDescription")) version.set("Description", in_["VersionDescription"]);
    Json version_resource = resource("AWS::Lambda::Version", std::move(version), declaration_);
    if (!version_resource.contains("DeletionPolicy"))
      version_resource.set("DeletionPolicy", in_.contains("VersionDeletionPolicy") ? in_["VersionDeletionPolicy"] : Json("Retain"));
    context_.add(version_id, std::move(version_resource));
    std::string alias_id = id_ + "Alias";
    for (const char c : name) alias_id += c == '-' ? 'D' : c == '_' ? 'U' : c;
    Json alias = Json::object({{"Name", name}, {"FunctionName", ref_to(id_)}, {"FunctionVersion", get_att(version_id, "Version")}});
    copy_members(in_, alias, {"ProvisionedConcurrencyConfig"});
    context_.add(alias_id, resource("AWS::Lambda::Alias", std::move(alias), declaration_));
    context_.renamed[id_ + ".Version"] = version_id;
    context_.renamed[id_ + ".Alias"] = alias_id;
    invoked_ = alias_id;
    return {};
  }

  Reply<void> add_url() {
    const Json& url = in_["FunctionUrlConfig"];
    if (!url.is_object()) return {};
    const std::string& auth = url["AuthType"].as_string();
    if (intrinsic_of(url["AuthType"]).empty() && auth != "AWS_IAM" && auth != "NONE")
      return Err(invalid_resource(id_, "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE."));
    Json out = Json::object({{"AuthType", url["AuthType"]}, {"TargetFunctionArn", ref_to(invoked_)}});
    copy_members(url, out, {"Cors", "InvokeMode"});
    context_.add(id_ + "Url", resource("AWS::Lambda::Url", std::move(out), declaration_));
    if (auth != "NONE") return {};
    Json permission = Json::object({{"Action", "lambda:InvokeFunctionUrl"}, {"FunctionName", ref_to(invoked_)}, {"Principal", "*"}, {"FunctionUrlAuthType", url["AuthType"]}});
    context_.add(id_ + "UrlPublicPermissions", resource("AWS::Lambda::Permission", std::move(permission), declaration_));
    Json invoke = Json::object({{"Action", "lambda:InvokeFunction"}, {"FunctionName", ref_to(invoked_)}, {"Principal", "*"}, {"InvokedViaFunctionUrl", true}});
    context_.add(id_ + "URLInvokeAllowPublicAccess", resource("AWS::Lambda::Permission", std::move(invoke), declaration_));
    return {};
  }

  Reply<void> add_event_invoke_config() {
    const Json config = context_.resolved(in_["EventInvokeConfig"]);
    if (!config.is_object()) return {};
    Json out = Json::object({{"FunctionName", ref_to(id_)}, {"Qualifier", "$LATEST"}});
    if (invoked_ != id_) out.set("Qualifier", context_.resolved(in_["AutoPublishAlias"]));
    copy_members(config, out, {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"});
    Json destinations = Json::object();
    for (const char* which : {"OnSuccess", "OnFailure"}) {
      const Json& wanted = config["DestinationConfig"][which];
      if (wanted.is_null()) continue;
      if (!wanted.is_object()) return Err(invalid_resource(id_, fmt::format("Property 'EventInvokeConfig.DestinationConfig.{}' should be a map.", which)));
      Json target = TRY(destination_of(wanted, fmt::format("{}EventInvokeConfig{}", id_, which)));
      policies_.push_back(destination_policy(wanted.text("Type"), fmt::format("{}EventInvokeConfig{}", id_, which), target));
      destinations.set(which, Json::object({{"Destination", std::move(target)}}));
    }
    if (destinations.size() > 0) out.set("DestinationConfig", std::move(destinations));
    Json made = resource("AWS::Lambda::EventInvokeConfig", std::move(out), declaration_);
    if (invoked_ != id_) made.set("DependsOn", Json::array({invoked_}));
    context_.add(id_ + "EventInvokeConfig", std::move(made));
    return {};
  }

  // Where a destination is: as given, or a queue or topic made for it, perhaps only where a condition holds.
  Reply<Json> destination_of(const Json& wanted, const std::string& logical_id) {
    const std::string type = wanted.text("Type");
    if (type != "SQS" && type != "SNS" && type != "EventBridge" && type != "Lambda" && type != "S3Bucket")
      return Err(invalid_resource(id_, fmt::format("'Type: {}' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']", wanted.contains("Type") ? type : "None")));
    const Json& given = wanted["Destination"];
    std::string condition;
    Json otherwise;
    if (intrinsic_of(given) == "Fn::If" && given["Fn::If"].is_array() && given["Fn::If"].size() == 3) {
      const Json& branches = given["Fn::If"];
      const bool first = branches.at(1) == ref_to("AWS::NoValue"), second = branches.at(2) == ref_to("AWS::NoValue");
      if (first && !second) {
        condition = branches.at(0).as_string();
        otherwise = branches.at(2);
      } else if (second && !first) {
        condition = "NOT" + branches.at(0).as_string();
        condition += hashed_text_id("", id_ + "EventInvokeConfig");
        object_at(context_.document, "Conditions").set(condition, Json::object({{"Fn::Not", Json::array({Json::object({{"Condition", branches.at(0)}})})}}));
        otherwise = branches.at(1);
      }
    }
    if (!given.is_null() && condition.empty()) return given;
    if (type != "SQS" && type != "SNS") return Err(invalid_resource(id_, "Destination is required if Type is not ['SQS', 'SNS']"));
    const std::string made_id = logical_id + (type == "SQS" ? "Queue" : "Topic");
    Json made = resource(type == "SQS" ? "AWS::SQS::Queue" : "AWS::SNS::Topic", Json::object(), declaration_);
    const std::string own = declaration_.text("Condition");
    if (!condition.empty() && !own.empty()) {
      const std::string both = fmt::format("{}AND{}", own, condition) + hashed_text_id("", id_);
      object_at(context_.document, "Conditions").set(both, Json::object({{"Fn::And", Json::array({Json::object({{"Condition", own}}), Json::object({{"Condition", condition}})})}}));
      made.set("Condition", both);
    } else if (!condition.empty()) {
      made.set("Condition", condition);
    }
    context_.add(made_id, std::move(made));
    context_.renamed[id_ + (type == "SQS" ? ".DestinationQueue" : ".DestinationTopic")] = made_id;
    const Json arn = type == "SQS" ? get_att(made_id, "Arn") : ref_to(made_id);
    return condition.empty() ? arn : Json::object({{"Fn::If", Json::array({condition, arn, otherwise})}});
  }

  // One entry of Policies.
  Reply<void> add_policy(const Json& entry, std::size_t index, Json& managed) {
    const std::string name = fmt::format("{}RolePolicy{}", id_, index);
    if (entry.is_string()) return add_unique(managed, managed_policy(context_, entry)), Reply<void>{};
    if (!entry.is_object()) return Err(invalid_resource(id_, fmt::format("Policy at index {} in the 'Policies' property is not valid", index)));
    if (entry.contains("Statement")) {
      policies_.push_back(Json::object({{"PolicyName", name}, {"PolicyDocument", entry}}));
      return {};
    }
    if (intrinsic_of(entry) == "Fn::If") {
      Json branches = entry["Fn::If"];
      for (std::size_t i = 1; i < 3 && branches.size() == 3; ++i) {  // policy templates inside
        const Json branch = branches.at(i);
        if (!branch.is_object() || branch.size() != 1 || !intrinsic_of(branch).empty() || branch.contains("Statement")) continue;
        const auto& [template_name, parameters] = branch.as_object().front();
        if (auto document = TRY(policy_from_template(id_, template_name, parameters))) branches.elements()[i] = *std::move(document);
      }
      const auto is_document = [](const Json& branch) { return branch.contains("Statement"); };
      Json converted = Json::array({branches.at(0)});
      const bool documents = is_document(branches.at(1)) || is_document(branches.at(2));
      for (std::size_t i = 1; i < 3; ++i) {
        const Json& branch = branches.at(i);
        if (documents && is_document(branch)) converted.push_back(Json::object({{"PolicyName", name}, {"PolicyDocument", branch}}));
        else converted.push_back(documents ? branch : managed_policy(context_, branch));
      }
      Json whole = Json::object({{"Fn::If", converted}});
      if (documents) policies_.push_back(std::move(whole));
      else add_unique(managed, std::move(whole));
      return {};
    }
    if (!intrinsic_of(entry).empty()) return add_unique(managed, entry), Reply<void>{};
    if (entry.size() == 1) {
      const auto& [template_name, parameters] = entry.as_object().front();
      if (auto document = TRY(policy_from_template(id_, template_name, parameters))) {
        policies_.push_back(Json::object({{"PolicyName", name}, {"PolicyDocument", *std::move(document)}}));
        return {};
      }
      return Err(invalid_resource(id_, fmt::format("Policy template {} is not known.", template_name)));
    }
    return Err(invalid_resource(id_, fmt::format("Policy at index {} in the 'Policies' property is not valid", index)));
  }

  Reply<void> add_role() {
    Json managed = Json::array({context_.managed_policy_arn("service-role/AWSLambdaBasicExecutionRole")});
    if (is_traced()) managed.push_back(context_.managed_policy_arn("AWSXrayWriteOnlyAccess"));
    if (in_.contains("VpcConfig")) managed.push_back(context_.managed_policy_arn("service-role/AWSLambdaVPCAccessExecutionRole"));
    const Json queue = in_["DeadLetterQueue"];
    Json before = std::exchange(policies_, Json::array());
    if (queue.is_object()) {
      const std::string type = queue.text("Type");
      if (type != "SQS" && type != "SNS") return Err(invalid_resource(id_, "'DeadLetterQueue' requires Type and TargetArn properties to be specified."));
      policies_.push_back(policy("DeadLetterQueuePolicy", type == "SQS" ? "sqs:SendMessage" : "sns:Publish", queue["TargetArn"]));
    }
    for (const Json& each : before.as_array()) policies_.push_back(each);
    const Json& entries = in_["Policies"];
    if (entries.is_array()) {
      std::size_t index = 0;
      for (const Json& entry : entries.as_array()) TRY(add_policy(entry, index++, managed));
    } else if (entries.is_object() && intrinsic_of(entries).empty() && !entries.contains("Statement")) {
      std::size_t index = 0;  // several templates in one map
      for (const auto& [name, value] : entries.as_object()) TRY(add_policy(Json::object({{name, value}}), index++, managed));
    } else if (!entries.is_null()) {
      TRY(add_policy(entries, 0, managed));
    }
    for (const Json& each : event_policies_.as_array()) {
      if (each.is_string()) {
        add_unique(managed, each);
        continue;
      }
      const auto& all = policies_.as_array();
      if (std::none_of(all.begin(), all.end(), [&](const Json& other) { return other["PolicyDocument"] == each["PolicyDocument"]; })) policies_.push_back(each);
    }
    Json out = Json::object({{"AssumeRolePolicyDocument", in_.contains("AssumeRolePolicyDocument") ? in_["AssumeRolePolicyDocument"] : lambda_assume_role_policy()},
                             {"ManagedPolicyArns", managed}});
    if (policies_.size() > 0) out.set("Policies", policies_);
    if (in_.contains("RolePath")) out.set("Path", in_["RolePath"]);
    copy_members(in_, out, {"PermissionsBoundary"});
    out.set("Tags", tag_list(in_["Tags"], "lambda:createdBy"));
    context_.add(id_ + "Role", resource("AWS::IAM::Role", std::move(out), declaration_));
    return {};
  }

  Context& context_;
  const std::string id_;
  const Json& declaration_;
  const Json& in_;
  Json function_;
  Json policies_ = Json::array();        // inline policies of the role
  Json event_policies_ = Json::array();  // what events need: managed policies, and inline ones
  std::string invoked_ = id_;
};

}  // namespace

Reply<void> expand_function(Context& context, const std::string& logical_id, const Json& declaration) {
  return Function(context, logical_id, declaration).run();
}

}  // namespace reef::cloudformation::sam
