// SAM's policy templates: a name and a few parameters that stand for statements.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/context.h"

namespace reef::cloudformation::sam {
namespace {

// Statements separated by "|"; each is actions, then "@", then resources, both separated by commas. A resource "name:..." is short for
// arn:partition:name:region:account:..., "s3:..." has neither region nor account, "*" and "${...}" are as they are.
struct PolicyTemplate {
  std::string_view name;
  std::string_view parameters;  // comma-separated
  std::string_view statements;
};

constexpr std::string_view kTableArns = "dynamodb:table/${TableName},dynamodb:table/${TableName}/index/*";

constexpr PolicyTemplate kTemplates[] = {
    {"SQSPollerPolicy", "QueueName", "sqs:ChangeMessageVisibility,sqs:ChangeMessageVisibilityBatch,sqs:DeleteMessage,sqs:DeleteMessageBatch,sqs:GetQueueAttributes,sqs:ReceiveMessage@sqs:${QueueName}"},
    {"SQSSendMessagePolicy", "QueueName", "sqs:SendMessage*@sqs:${QueueName}"},
    {"LambdaInvokePolicy", "FunctionName", "lambda:InvokeFunction@lambda:function:${FunctionName}*"},
    {"DynamoDBCrudPolicy", "TableName", "dynamodb:GetItem,dynamodb:DeleteItem,dynamodb:PutItem,dynamodb:Scan,dynamodb:Query,dynamodb:UpdateItem,dynamodb:BatchWriteItem,dynamodb:BatchGetItem,dynamodb:DescribeTable,dynamodb:ConditionCheckItem@$table"},
    {"DynamoDBReadPolicy", "TableName", "dynamodb:GetItem,dynamodb:Scan,dynamodb:Query,dynamodb:BatchGetItem,dynamodb:DescribeTable@$table"},
    {"DynamoDBWritePolicy", "TableName", "dynamodb:PutItem,dynamodb:UpdateItem,dynamodb:BatchWriteItem@$table"},
    {"DynamoDBReconfigurePolicy", "TableName", "dynamodb:UpdateTable@dynamodb:table/${TableName}"},
    {"DynamoDBStreamReadPolicy", "TableName,StreamName", "dynamodb:DescribeStream,dynamodb:GetRecords,dynamodb:GetShardIterator@dynamodb:table/${TableName}/stream/${StreamName}|dynamodb:ListStreams@dynamodb:table/${TableName}/stream/*"},
    {"DynamoDBBackupFullAccessPolicy", "TableName", "dynamodb:CreateBackup,dynamodb:DescribeContinuousBackups@dynamodb:table/${TableName}|dynamodb:DeleteBackup,dynamodb:DescribeBackup,dynamodb:ListBackups@dynamodb:table/${TableName}/backup/*"},
    {"S3ReadPolicy", "BucketName", "s3:GetObject,s3:ListBucket,s3:GetBucketLocation,s3:GetObjectVersion,s3:GetLifecycleConfiguration@s3:${BucketName},s3:${BucketName}/*"},
    {"S3WritePolicy", "BucketName", "s3:PutObject,s3:PutObjectAcl,s3:PutLifecycleConfiguration@s3:${BucketName},s3:${BucketName}/*"},
    {"S3CrudPolicy", "BucketName", "s3:GetObject,s3:ListBucket,s3:GetBucketLocation,s3:GetObjectVersion,s3:PutObject,s3:PutObjectAcl,s3:GetLifecycleConfiguration,s3:PutLifecycleConfiguration,s3:DeleteObject@s3:${BucketName},s3:${BucketName}/*"},
    {"S3FullAccessPolicy", "BucketName", "s3:GetObject,s3:GetObjectAcl,s3:GetObjectVersion,s3:PutObject,s3:PutObjectAcl,s3:DeleteObject,s3:DeleteObjectTagging,s3:DeleteObjectVersionTagging,s3:GetObjectTagging,s3:GetObjectVersionTagging,s3:PutObjectTagging,s3:PutObjectVersionTagging@s3:${BucketName}/*|s3:ListBucket,s3:GetBucketLocation,s3:GetLifecycleConfiguration,s3:PutLifecycleConfiguration@s3:${BucketName}"},
    {"SSMParameterReadPolicy", "ParameterName", "ssm:DescribeParameters@*|ssm:GetParameters,ssm:GetParameter,ssm:GetParametersByPath@ssm:parameter/${ParameterName}"},
    {"SSMParameterWithSlashPrefixReadPolicy", "ParameterName", "ssm:DescribeParameters@*|ssm:GetParameters,ssm:GetParameter,ssm:GetParametersByPath@ssm:parameter${ParameterName}"},
    {"SNSPublishMessagePolicy", "TopicName", "sns:Publish@sns:${TopicName}"},
    {"SNSCrudPolicy", "TopicName", "sns:ListSubscriptionsByTopic,sns:CreateTopic,sns:SetTopicAttributes,sns:Subscribe,sns:Publish@sns:${TopicName}*"},
    {"KinesisStreamReadPolicy", "StreamName", "kinesis:ListStreams,kinesis:DescribeLimits@kinesis:stream/*|kinesis:DescribeStream,kinesis:DescribeStreamSummary,kinesis:GetRecords,kinesis:GetShardIterator@kinesis:stream/${StreamName}"},
    {"KinesisCrudPolicy", "StreamName", "kinesis:AddTagsToStream,kinesis:CreateStream,kinesis:DecreaseStreamRetentionPeriod,kinesis:DeleteStream,kinesis:DescribeStream,kinesis:DescribeStreamSummary,kinesis:GetShardIterator,kinesis:IncreaseStreamRetentionPeriod,kinesis:ListTagsForStream,kinesis:MergeShards,kinesis:PutRecord,kinesis:PutRecords,kinesis:SplitShard,kinesis:RemoveTagsFromStream@kinesis:stream/${StreamName}"},
    {"StepFunctionsExecutionPolicy", "StateMachineName", "states:StartExecution@states:stateMachine:${StateMachineName}"},
    {"EventBridgePutEventsPolicy", "EventBusName", "events:PutEvents@events:event-bus/${EventBusName}"},
    {"DynamoDBRestoreFromBackupPolicy", "TableName", "dynamodb:RestoreTableFromBackup@dynamodb:table/${TableName}/backup/*|dynamodb:PutItem,dynamodb:UpdateItem,dynamodb:DeleteItem,dynamodb:GetItem,dynamodb:Query,dynamodb:Scan,dynamodb:BatchWriteItem@dynamodb:table/${TableName}"},
    {"EcsRunTaskPolicy", "TaskDefinition", "ecs:RunTask@ecs:task-definition/${TaskDefinition}"},
    {"AcmGetCertificatePolicy", "CertificateArn", "acm:GetCertificate@${CertificateArn}"},
    {"StepFunctionsCallbackPolicy", "StateMachineName", "states:SendTaskFailure,states:SendTaskHeartbeat,states:SendTaskSuccess@states:stateMachine:${StateMachineName}"},
    {"FirehoseCrudPolicy", "DeliveryStreamName", "firehose:CreateDeliveryStream,firehose:DeleteDeliveryStream,firehose:DescribeDeliveryStream,firehose:PutRecord,firehose:PutRecordBatch,firehose:UpdateDestination@firehose:deliverystream/${DeliveryStreamName}"},
    {"ElasticsearchHttpPostPolicy", "DomainName", "es:ESHttpPost,es:ESHttpPut@es:domain/${DomainName}/*"},
    {"AMIDescribePolicy", "", "ec2:DescribeImages@*"},
    {"AWSSecretsManagerRotationPolicy", "FunctionName", "secretsmanager:DescribeSecret,secretsmanager:GetSecretValue,secretsmanager:PutSecretValue,secretsmanager:UpdateSecretVersionStage@secretsmanager:secret:*|secretsmanager:GetRandomPassword@*"},
    {"AWSSecretsManagerGetSecretValuePolicy", "SecretArn", "secretsmanager:GetSecretValue@${SecretArn}"},
    {"KMSDecryptPolicy", "KeyId", "kms:Decrypt@kms:key/${KeyId}"},
    {"KMSEncryptPolicy", "KeyId", "kms:Encrypt@kms:key/${KeyId}"},
    {"FilterLogEventsPolicy", "LogGroupName", "logs:FilterLogEvents@logs:log-group:${LogGroupName}:log-stream:*"},
    {"FirehoseWritePolicy", "DeliveryStreamName", "firehose:PutRecord,firehose:PutRecordBatch@firehose:deliverystream/${DeliveryStreamName}"},
    {"CloudWatchPutMetricPolicy", "", "cloudwatch:PutMetricData@*"},
    {"CloudWatchDashboardPolicy", "", "cloudwatch:GetDashboard,cloudwatch:ListDashboards,cloudwatch:PutDashboard,cloudwatch:ListMetrics@*"},
    {"CloudWatchDescribeAlarmHistoryPolicy", "", "cloudwatch:DescribeAlarmHistory@*"},
    {"CloudFormationDescribeStacksPolicy", "", "cloudformation:DescribeStacks@cloudformation:stack/*"},
    {"VPCAccessPolicy", "", "ec2:CreateNetworkInterface,ec2:DeleteNetworkInterface,ec2:DescribeNetworkInterfaces,ec2:DetachNetworkInterface@*"},
    {"EC2DescribePolicy", "", "ec2:DescribeRegions,ec2:DescribeInstances@*"},
    {"SESCrudPolicy", "IdentityName", "ses:GetIdentityVerificationAttributes,ses:SendEmail,ses:SendRawEmail,ses:VerifyEmailIdentity@ses:identity/${IdentityName}"},
    {"SESSendBouncePolicy", "IdentityName", "ses:SendBounce@ses:identity/${IdentityName}"},
    {"RekognitionDetectOnlyPolicy", "", "rekognition:DetectFaces,rekognition:DetectLabels,rekognition:DetectModerationLabels,rekognition:DetectText@*"},
};

Json resource_of(std::string_view pattern, std::string_view names, const Json& parameters) {
  if (pattern == "*") return "*";
  std::string text;
  if (pattern.starts_with("${")) text = std::string(pattern);
  else if (pattern.starts_with("s3:")) text = fmt::format("arn:${{AWS::Partition}}:s3:::{}", pattern.substr(3));
  else {
    const std::size_t colon = pattern.find(':');
    text = fmt::format("arn:${{AWS::Partition}}:{}:${{AWS::Region}}:${{AWS::AccountId}}:{}", pattern.substr(0, colon), pattern.substr(colon + 1));
  }
  Json variables = Json::object();
  for (const std::string_view name : split(names, ',')) {
    const std::string wanted = fmt::format("${{{}}}", name);
    if (name.empty() || text.find(wanted) == std::string::npos) continue;
    std::string lower(name);
    lower[0] = static_cast<char>(lower[0] + 32);
    text = replace_all(text, wanted, "${" + lower + "}");
    variables.set(lower, parameters[name]);
  }
  return variables.size() == 0 ? sub(text) : sub(text, std::move(variables));
}

}  // namespace

Json destination_policy(std::string_view type, const std::string& logical_id, const Json& destination) {
  const auto statement = [](std::string_view action, Json target) { return Json::object({{"Action", action}, {"Effect", "Allow"}, {"Resource", std::move(target)}}); };
  Json statements = Json::array();
  std::string_view name = type;
  if (type == "S3" || type == "S3Bucket") {
    name = "S3";
    statements.push_back(statement("s3:PutObject", Json::object({{"Fn::Join", Json::array({"/", Json::array({destination, "*"})})}})));
    statements.push_back(statement("s3:ListBucket", destination));
  } else {
    statements.push_back(statement(type == "SQS" ? "sqs:SendMessage" : type == "SNS" ? "sns:publish" : type == "Lambda" ? "lambda:InvokeFunction" : "events:PutEvents", destination));
  }
  return Json::object({{"PolicyName", fmt::format("{}{}Policy", logical_id, name)}, {"PolicyDocument", Json::object({{"Statement", std::move(statements)}})}});
}

Reply<std::optional<Json>> policy_from_template(std::string_view logical_id, const std::string& name, const Json& parameters) {
  const auto found = std::find_if(std::begin(kTemplates), std::end(kTemplates), [&](const PolicyTemplate& each) { return each.name == name; });
  if (found == std::end(kTemplates)) return std::optional<Json>();
  for (const std::string_view parameter : split(found->parameters, ','))
    if (!parameter.empty() && !parameters.contains(parameter))
      return Err(invalid_resource(logical_id, fmt::format("Must specify valid parameter values for policy template '{}'", name)));
  Json statements = Json::array();
  for (const std::string_view statement : split(found->statements, '|')) {
    const std::size_t at = statement.find('@');
    Json actions = Json::array(), resources = Json::array();
    for (const std::string_view action : split(statement.substr(0, at), ',')) actions.push_back(action);
    std::string_view patterns = statement.substr(at + 1);
    if (patterns == "$table") patterns = kTableArns;
    for (const std::string_view pattern : split(patterns, ',')) resources.push_back(resource_of(pattern, found->parameters, parameters));
    statements.push_back(Json::object({{"Effect", "Allow"}, {"Action", actions}, {"Resource", resources.size() == 1 ? resources.at(0) : resources}}));
  }
  if (name == "AWSSecretsManagerRotationPolicy")  // secrets that this function rotates
    statements.elements()[0].set("Condition", Json::object({{"StringEquals", Json::object({{"secretsmanager:resource/AllowRotationLambdaArn", resource_of("lambda:function:${FunctionName}", "FunctionName", parameters)}})}}));
  return std::optional<Json>(Json::object({{"Statement", statements}}));
}

}  // namespace reef::cloudformation::sam
