// SAM's policy templates: a name and a few parameters that stand for statements.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/context.h"

namespace reef::cloudformation::sam {
namespace {

// Statements separated by "|"; each is actions, then "@", then resources, both separated by commas. A resource "name:..." is short for
// arn:partition:name:region:account:..., "s3:..." and "route53:..." have neither region nor
// account, "*" and "${...}" are as they are. After "?" is what must equal what: "key=resource".
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
    {"AWSSecretsManagerRotationPolicy", "FunctionName", "secretsmanager:DescribeSecret,secretsmanager:GetSecretValue,secretsmanager:PutSecretValue,secretsmanager:UpdateSecretVersionStage@secretsmanager:secret:*?secretsmanager:resource/AllowRotationLambdaArn=lambda:function:${FunctionName}|secretsmanager:GetRandomPassword@*"},
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
    {"AthenaQueryPolicy", "WorkGroupName", "athena:ListWorkGroups,athena:GetExecutionEngine,athena:GetExecutionEngines,athena:GetNamespace,athena:GetCatalogs,athena:GetNamespaces,athena:GetTables,athena:GetTable@*|athena:StartQueryExecution,athena:GetQueryResults,athena:DeleteNamedQuery,athena:GetNamedQuery,athena:ListQueryExecutions,athena:StopQueryExecution,athena:GetQueryResultsStream,athena:ListNamedQueries,athena:CreateNamedQuery,athena:GetQueryExecution,athena:BatchGetNamedQuery,athena:BatchGetQueryExecution,athena:GetWorkGroup@athena:workgroup/${WorkGroupName}"},
    {"CodeCommitCrudPolicy", "RepositoryName", "codecommit:GitPull,codecommit:GitPush,codecommit:CreateBranch,codecommit:DeleteBranch,codecommit:GetBranch,codecommit:ListBranches,codecommit:MergeBranchesByFastForward,codecommit:MergeBranchesBySquash,codecommit:MergeBranchesByThreeWay,codecommit:UpdateDefaultBranch,codecommit:BatchDescribeMergeConflicts,codecommit:CreateUnreferencedMergeCommit,codecommit:DescribeMergeConflicts,codecommit:GetMergeCommit,codecommit:GetMergeOptions,codecommit:BatchGetPullRequests,codecommit:CreatePullRequest,codecommit:DescribePullRequestEvents,codecommit:GetCommentsForPullRequest,codecommit:GetCommitsFromMergeBase,codecommit:GetMergeConflicts,codecommit:GetPullRequest,codecommit:ListPullRequests,codecommit:MergePullRequestByFastForward,codecommit:MergePullRequestBySquash,codecommit:MergePullRequestByThreeWay,codecommit:PostCommentForPullRequest,codecommit:UpdatePullRequestDescription,codecommit:UpdatePullRequestStatus,codecommit:UpdatePullRequestTitle,codecommit:DeleteFile,codecommit:GetBlob,codecommit:GetFile,codecommit:GetFolder,codecommit:PutFile,codecommit:DeleteCommentContent,codecommit:GetComment,codecommit:GetCommentsForComparedCommit,codecommit:PostCommentForComparedCommit,codecommit:PostCommentReply,codecommit:UpdateComment,codecommit:BatchGetCommits,codecommit:CreateCommit,codecommit:GetCommit,codecommit:GetCommitHistory,codecommit:GetDifferences,codecommit:GetObjectIdentifier,codecommit:GetReferences,codecommit:GetTree,codecommit:GetRepository,codecommit:UpdateRepositoryDescription,codecommit:ListTagsForResource,codecommit:TagResource,codecommit:UntagResource,codecommit:GetRepositoryTriggers,codecommit:PutRepositoryTriggers,codecommit:TestRepositoryTriggers,codecommit:GetBranch,codecommit:GetCommit,codecommit:UploadArchive,codecommit:GetUploadArchiveStatus,codecommit:CancelUploadArchive@codecommit:${RepositoryName}"},
    {"CodeCommitReadPolicy", "RepositoryName", "codecommit:GitPull,codecommit:GetBranch,codecommit:ListBranches,codecommit:BatchDescribeMergeConflicts,codecommit:DescribeMergeConflicts,codecommit:GetMergeCommit,codecommit:GetMergeOptions,codecommit:BatchGetPullRequests,codecommit:DescribePullRequestEvents,codecommit:GetCommentsForPullRequest,codecommit:GetCommitsFromMergeBase,codecommit:GetMergeConflicts,codecommit:GetPullRequest,codecommit:ListPullRequests,codecommit:GetBlob,codecommit:GetFile,codecommit:GetFolder,codecommit:GetComment,codecommit:GetCommentsForComparedCommit,codecommit:BatchGetCommits,codecommit:GetCommit,codecommit:GetCommitHistory,codecommit:GetDifferences,codecommit:GetObjectIdentifier,codecommit:GetReferences,codecommit:GetTree,codecommit:GetRepository,codecommit:ListTagsForResource,codecommit:GetRepositoryTriggers,codecommit:TestRepositoryTriggers,codecommit:GetBranch,codecommit:GetCommit,codecommit:GetUploadArchiveStatus@codecommit:${RepositoryName}"},
    {"CodePipelineLambdaExecutionPolicy", "", "codepipeline:PutJobSuccessResult,codepipeline:PutJobFailureResult@*"},
    {"CodePipelineReadOnlyPolicy", "PipelineName", "codepipeline:ListPipelineExecutions@codepipeline:${PipelineName}"},
    {"ComprehendBasicAccessPolicy", "", "comprehend:BatchDetectKeyPhrases,comprehend:DetectDominantLanguage,comprehend:DetectEntities,comprehend:BatchDetectEntities,comprehend:DetectKeyPhrases,comprehend:DetectSentiment,comprehend:BatchDetectDominantLanguage,comprehend:BatchDetectSentiment@*"},
    {"CostExplorerReadOnlyPolicy", "", "ce:GetCostAndUsage,ce:GetDimensionValues,ce:GetReservationCoverage,ce:GetReservationPurchaseRecommendation,ce:GetReservationUtilization,ce:GetTags@*"},
    {"EC2CopyImagePolicy", "ImageId", "ec2:CopyImage@ec2:image/${ImageId}"},
    {"EFSWriteAccessPolicy", "AccessPoint,FileSystem", "elasticfilesystem:ClientMount,elasticfilesystem:ClientWrite@elasticfilesystem:file-system/${FileSystem}?elasticfilesystem:AccessPointArn=elasticfilesystem:access-point/${AccessPoint}"},
    {"EKSDescribePolicy", "", "eks:DescribeCluster,eks:ListClusters@*"},
    {"ElasticMapReduceAddJobFlowStepsPolicy", "ClusterId", "elasticmapreduce:AddJobFlowSteps@elasticmapreduce:cluster/${ClusterId}"},
    {"ElasticMapReduceCancelStepsPolicy", "ClusterId", "elasticmapreduce:CancelSteps@elasticmapreduce:cluster/${ClusterId}"},
    {"ElasticMapReduceModifyInstanceFleetPolicy", "ClusterId", "elasticmapreduce:ModifyInstanceFleet,elasticmapreduce:ListInstanceFleets@elasticmapreduce:cluster/${ClusterId}"},
    {"ElasticMapReduceModifyInstanceGroupsPolicy", "ClusterId", "elasticmapreduce:ModifyInstanceGroups,elasticmapreduce:ListInstanceGroups@elasticmapreduce:cluster/${ClusterId}"},
    {"ElasticMapReduceSetTerminationProtectionPolicy", "ClusterId", "elasticmapreduce:SetTerminationProtection@elasticmapreduce:cluster/${ClusterId}"},
    {"ElasticMapReduceTerminateJobFlowsPolicy", "ClusterId", "elasticmapreduce:TerminateJobFlows@elasticmapreduce:cluster/${ClusterId}"},
    {"KMSEncryptPolicy_v2", "KeyId", "kms:Encrypt,kms:GenerateDataKey,kms:GenerateDataKeyWithoutPlaintext,kms:GenerateDataKeyPair,kms:GenerateDataKeyPairWithoutPlaintext@kms:key/${KeyId}"},
    {"MobileAnalyticsWriteOnlyAccessPolicy", "", "mobileanalytics:PutEvents@*"},
    {"OrganizationsListAccountsPolicy", "", "organizations:ListAccounts@*"},
    {"PinpointEndpointAccessPolicy", "PinpointApplicationId", "mobiletargeting:GetEndpoint,mobiletargeting:UpdateEndpoint,mobiletargeting:UpdateEndpointsBatch@mobiletargeting:apps/${PinpointApplicationId}/endpoints/*"},
    {"PollyFullAccessPolicy", "LexiconName", "polly:GetLexicon,polly:DeleteLexicon@polly:lexicon/${LexiconName}|polly:DescribeVoices,polly:ListLexicons,polly:PutLexicon,polly:SynthesizeSpeech@polly:lexicon/*"},
    {"RekognitionFacesManagementPolicy", "CollectionId", "rekognition:IndexFaces,rekognition:DeleteFaces,rekognition:SearchFaces,rekognition:SearchFacesByImage,rekognition:ListFaces@rekognition:collection/${CollectionId}"},
    {"RekognitionFacesPolicy", "", "rekognition:CompareFaces,rekognition:DetectFaces@*"},
    {"RekognitionLabelsPolicy", "", "rekognition:DetectLabels,rekognition:DetectModerationLabels@*"},
    {"RekognitionNoDataAccessPolicy", "CollectionId", "rekognition:CompareFaces,rekognition:DetectFaces,rekognition:DetectLabels,rekognition:DetectModerationLabels@rekognition:collection/${CollectionId}"},
    {"RekognitionReadPolicy", "CollectionId", "rekognition:ListCollections,rekognition:ListFaces,rekognition:SearchFaces,rekognition:SearchFacesByImage@rekognition:collection/${CollectionId}"},
    {"RekognitionWriteOnlyAccessPolicy", "CollectionId", "rekognition:CreateCollection,rekognition:IndexFaces@rekognition:collection/${CollectionId}"},
    {"Route53ChangeResourceRecordSetsPolicy", "HostedZoneId", "route53:ChangeResourceRecordSets@route53:hostedzone/${HostedZoneId}"},
    {"SESBulkTemplatedCrudPolicy", "IdentityName", "ses:GetIdentityVerificationAttributes,ses:SendEmail,ses:SendRawEmail,ses:SendTemplatedEmail,ses:SendBulkTemplatedEmail,ses:VerifyEmailIdentity@ses:identity/${IdentityName}"},
    {"SESBulkTemplatedCrudPolicy_v2", "IdentityName,TemplateName", "ses:SendEmail,ses:SendRawEmail,ses:SendTemplatedEmail,ses:SendBulkTemplatedEmail@ses:identity/${IdentityName},ses:template/${TemplateName}|ses:GetIdentityVerificationAttributes,ses:VerifyEmailIdentity@*"},
    {"SESEmailTemplateCrudPolicy", "", "ses:CreateTemplate,ses:GetTemplate,ses:ListTemplates,ses:UpdateTemplate,ses:DeleteTemplate,ses:TestRenderTemplate@*"},
    {"SageMakerCreateEndpointConfigPolicy", "EndpointConfigName", "sagemaker:CreateEndpointConfig@sagemaker:endpoint-config/${EndpointConfigName}"},
    {"SageMakerCreateEndpointPolicy", "EndpointName", "sagemaker:CreateEndpoint@sagemaker:endpoint/${EndpointName}"},
    {"ServerlessRepoReadWriteAccessPolicy", "", "serverlessrepo:CreateApplication,serverlessrepo:CreateApplicationVersion,serverlessrepo:UpdateApplication,serverlessrepo:GetApplication,serverlessrepo:ListApplications,serverlessrepo:ListApplicationVersions,serverlessrepo:ListApplicationDependencies@serverlessrepo:applications/*"},
    {"StepFunctionsExecutionPolicy_v2", "StateMachineName", "states:StartExecution,states:StartSyncExecution@states:stateMachine:${StateMachineName}"},
    {"TextractDetectAnalyzePolicy", "", "textract:DetectDocumentText,textract:StartDocumentTextDetection,textract:StartDocumentAnalysis,textract:AnalyzeDocument@*"},
    {"TextractGetResultPolicy", "", "textract:GetDocumentTextDetection,textract:GetDocumentAnalysis@*"},
    {"TextractPolicy", "", "textract:*@*"},
};

Json resource_of(std::string_view pattern, std::string_view names, const Json& parameters) {
  if (pattern == "*") return "*";
  std::string text;
  if (pattern.starts_with("${")) text = std::string(pattern);
  else if (pattern.starts_with("s3:") || pattern.starts_with("route53:")) text = fmt::format("arn:${{AWS::Partition}}:{}:::{}", pattern.substr(0, pattern.find(':')), pattern.substr(pattern.find(':') + 1));
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
    std::string_view patterns = statement.substr(at + 1), condition;
    if (const std::size_t mark = patterns.find('?'); mark != std::string_view::npos) condition = patterns.substr(mark + 1), patterns = patterns.substr(0, mark);
    if (patterns == "$table") patterns = kTableArns;
    for (const std::string_view pattern : split(patterns, ',')) resources.push_back(resource_of(pattern, found->parameters, parameters));
    Json made = Json::object({{"Effect", "Allow"}, {"Action", actions}, {"Resource", resources.size() == 1 ? resources.at(0) : resources}});
    if (const std::size_t equals = condition.find('='); equals != std::string_view::npos)
      made.set("Condition", Json::object({{"StringEquals", Json::object({{std::string(condition.substr(0, equals)), resource_of(condition.substr(equals + 1), found->parameters, parameters)}})}}));
    statements.push_back(std::move(made));
  }
  return std::optional<Json>(Json::object({{"Statement", statements}}));
}

}  // namespace reef::cloudformation::sam
