#include "aws/protocol/codec.h"

#include <gtest/gtest.h>

#include "aws/models/dynamodb.h"
#include "aws/models/iam.h"
#include "aws/models/lambda.h"
#include "aws/models/s3.h"
#include "aws/models/sqs.h"
#include "aws/protocol/json_value.h"
#include "aws/protocol/uri_router.h"
#include "aws/validate.h"

namespace reef::aws {
namespace {

// A request with its pieces, as the gateway hands it over.
struct Sent {
  http::Request request;
  std::string body;
  UriLabels labels;

  Sent(std::string method, std::string_view path, std::string_view query, std::vector<http::HeaderView> headers, std::string text)
      : body(std::move(text)) {
    request.method = std::move(method);
    request.path = path;
    request.query = query;
    request.headers = std::move(headers);
  }
  explicit Sent(std::string text) : Sent("POST", "/", "", {}, std::move(text)) {}
};

template <class In>
Reply<In> decode(const ServiceModel& service, const OperationModel& operation, Protocol protocol, const Sent& sent,
                 MissingMembers* missing = nullptr) {
  In in{};
  TRY(decode_request(service, operation, protocol, sent.request, sent.body, sent.labels, &in, missing));
  return in;
}

template <class Out>
http::Response encode(const ServiceModel& service, const OperationModel& operation, Protocol protocol, const Out& out) {
  http::Response response;
  encode_reply(service, operation, protocol, &out, "rid", response);
  return response;
}

TEST(JsonCodec, ReadsSendMessage) {
  const Sent sent(R"({"MessageBody":"hi","QueueUrl":"u","DelaySeconds":3,"Unknown":[{}],"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AQI="}}})");
  const auto in = decode<sqs::SendMessageInput>(sqs::kModel, sqs::ops::kSendMessage, Protocol::kJson10, sent);
  ASSERT_TRUE(in);
  EXPECT_EQ(in->queue_url, "u");
  EXPECT_EQ(in->message_body, "hi");
  EXPECT_EQ(in->delay_seconds, 3);
  EXPECT_EQ(in->message_attributes->at("a").binary_value, "\x01\x02");
}

TEST(JsonCodec, WordsTypeErrorsAsAwsDoes) {
  const Sent sent(R"({"QueueUrl":1})");
  const auto in = decode<sqs::SendMessageInput>(sqs::kModel, sqs::ops::kSendMessage, Protocol::kJson10, sent);
  ASSERT_FALSE(in);
  EXPECT_EQ(in.error().code, "SerializationException");
  EXPECT_EQ(in.error().message, "NUMBER_VALUE cannot be converted to String");
}

TEST(JsonCodec, TakesScalarsForEachOtherWhenToldSo) {
  const auto read = [](std::string_view text, sqs::SendMessageInput& into) {
    wire::JsonReader reader(text);
    return read_json(shape_of(&into), reader, &into, {.loose_scalars = true}, nullptr);
  };
  sqs::SendMessageInput in;
  ASSERT_TRUE(read(R"({"QueueUrl":true,"MessageBody":1.50,"DelaySeconds":"3"})", in));
  EXPECT_EQ(in.queue_url, "true");
  EXPECT_EQ(in.message_body, "1.50");
  EXPECT_EQ(in.delay_seconds, 3);
  EXPECT_FALSE(read(R"({"DelaySeconds":"soon"})", in));
  EXPECT_FALSE(read(R"({"QueueUrl":["u"]})", in));
}

TEST(JsonCodec, FindsMissingMembersAtAnyDepth) {
  const Sent sent(R"({"Entries":[{"Id":"a","MessageBody":"x"},{"Id":"b"}]})");
  MissingMembers missing;
  ASSERT_TRUE(decode<sqs::SendMessageBatchInput>(sqs::kModel, sqs::ops::kSendMessageBatch, Protocol::kJson10, sent, &missing));
  EXPECT_EQ(missing, (MissingMembers{"entries.2.member.messageBody", "queueUrl"}));
}

TEST(JsonCodec, KeepsDynamoDbValuesExactly) {
  const Sent sent(R"({"TableName":"t","Item":{"a":{"N":"1.50"},"b":{"L":[{"S":"x"},{"NULL":true}]},"c":{"M":{"d":{"BS":["AQ=="]}}}}})");
  const auto in = decode<dynamodb::PutItemInput>(dynamodb::kModel, dynamodb::ops::kPutItem, Protocol::kJson10, sent);
  ASSERT_TRUE(in);
  EXPECT_EQ(in->item.at("a").text(), "1.50");
  dynamodb::GetItemOutput out{.item = in->item};
  EXPECT_EQ(encode(dynamodb::kModel, dynamodb::ops::kGetItem, Protocol::kJson10, out).body,
            R"({"Item":{"a":{"N":"1.50"},"b":{"L":[{"S":"x"},{"NULL":true}]},"c":{"M":{"d":{"BS":["AQ=="]}}}}})");
}

TEST(JsonCodec, NamesErrorsForOldAndNewClients) {
  http::Response response;
  encode_error(sqs::kModel, Protocol::kJson10, Error(sqs::errors::kQueueDoesNotExist, "The specified queue does not exist."), "rid", response);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(*response.find("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
  EXPECT_EQ(response.body, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."})");
}

TEST(QueryCodec, ReadsFlattenedListsAndMaps) {
  const Sent sent("Action=CreateQueue&Version=2012-11-05&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Attribute.2.Name=FifoQueue"
                  "&Attribute.2.Value=true&Tag.1.Key=k&Tag.1.Value=v%20w");
  const auto in = decode<sqs::CreateQueueInput>(sqs::kModel, sqs::ops::kCreateQueue, Protocol::kQuery, sent);
  ASSERT_TRUE(in);
  EXPECT_EQ(in->attributes->at("FifoQueue"), "true");
  EXPECT_EQ(in->attributes->at("DelaySeconds"), "5");
  EXPECT_EQ(in->tags->at("k"), "v w");
}

TEST(QueryCodec, ReadsBatchesOfStructures) {
  const Sent sent("QueueUrl=u&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x&SendMessageBatchRequestEntry.2.Id=b"
                  "&SendMessageBatchRequestEntry.2.MessageBody=y&SendMessageBatchRequestEntry.2.MessageAttribute.1.Name=n"
                  "&SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.DataType=String&SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.StringValue=s");
  const auto in = decode<sqs::SendMessageBatchInput>(sqs::kModel, sqs::ops::kSendMessageBatch, Protocol::kQuery, sent);
  ASSERT_TRUE(in);
  ASSERT_EQ(in->entries.size(), 2u);
  EXPECT_EQ(in->entries[1].message_attributes->at("n").string_value, "s");
}

TEST(QueryCodec, ReadsNestedListsAndBareParametersAsEmptyLists) {
  const auto in = decode<iam::CreateRoleInput>(iam::kModel, iam::ops::kCreateRole, Protocol::kQuery,
                                               Sent("RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=a&Tags.member.1.Value="));
  ASSERT_TRUE(in);
  ASSERT_EQ(in->tags->size(), 1u);
  EXPECT_EQ(in->tags->front().value, "");
  const auto bare = decode<iam::CreateRoleInput>(iam::kModel, iam::ops::kCreateRole, Protocol::kQuery, Sent("RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags="));
  ASSERT_TRUE(bare && bare->tags);
  EXPECT_TRUE(bare->tags->empty());
}

TEST(QueryCodec, RefusesTextThatIsNotUtf8) {
  const auto in = decode<iam::CreateRoleInput>(iam::kModel, iam::ops::kCreateRole, Protocol::kQuery, Sent("RoleName=r&Description=%FF"));
  ASSERT_FALSE(in);
  EXPECT_EQ(in.error().message, "Unable to parse the value of parameter Description.");
}

TEST(QueryCodec, WrapsResultsAndErrors) {
  sqs::ReceiveMessageOutput out;
  out.messages.emplace().push_back({.body = "a<b", .attributes = {{{"SenderId", "me"}}}});
  EXPECT_EQ(encode(sqs::kModel, sqs::ops::kReceiveMessage, Protocol::kQuery, out).body,
            R"(<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult><Message><Body>a&lt;b</Body>)"
            R"(<Attribute><Name>SenderId</Name><Value>me</Value></Attribute></Message></ReceiveMessageResult>)"
            R"(<ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata></ReceiveMessageResponse>)");
  http::Response response;
  encode_error(sqs::kModel, Protocol::kQuery, Error(sqs::errors::kQueueDoesNotExist, "No."), "rid", response);
  EXPECT_NE(response.body.find("<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>No.</Message>"), std::string::npos);
}

TEST(UriRouter, FindsOperationsByPathMethodAndParameters) {
  const UriRouter s3(s3::kModel);
  const auto name = [&](std::string_view method, std::string_view path, std::string_view query, std::string_view header = "") {
    const auto match = s3.match(method, path, query, [&](std::string_view asked) { return asked == header; });
    return match ? std::string(match->operation->name) : std::string("none");
  };
  EXPECT_EQ(name("GET", "/", ""), "ListBuckets");
  EXPECT_EQ(name("PUT", "/b", ""), "CreateBucket");
  EXPECT_EQ(name("PUT", "/b/", ""), "CreateBucket");
  EXPECT_EQ(name("GET", "/b", "list-type=2&prefix=x"), "ListObjectsV2");
  EXPECT_EQ(name("GET", "/b/", "prefix=x"), "ListObjects");
  EXPECT_EQ(name("GET", "/b", "acl"), "GetBucketAcl");
  EXPECT_EQ(name("GET", "/b", "lifecycle"), "GetBucketLifecycleConfiguration");
  EXPECT_EQ(name("GET", "/b", "uploads="), "ListMultipartUploads");
  EXPECT_EQ(name("PUT", "/b/k", ""), "PutObject");
  EXPECT_EQ(name("PUT", "/b/k", "x-id=PutObject"), "PutObject");
  EXPECT_EQ(name("PUT", "/b/k", "", "x-amz-copy-source"), "CopyObject");
  EXPECT_EQ(name("PUT", "/b/k", "partNumber=1&uploadId=u"), "UploadPart");
  EXPECT_EQ(name("PUT", "/b/k", "partNumber=1&uploadId=u", "x-amz-copy-source"), "UploadPartCopy");
  EXPECT_EQ(name("POST", "/b/k", "uploads"), "CreateMultipartUpload");
  EXPECT_EQ(name("POST", "/b/k", "uploadId=u"), "CompleteMultipartUpload");
  EXPECT_EQ(name("DELETE", "/b/k", "uploadId=u"), "AbortMultipartUpload");
  EXPECT_EQ(name("GET", "/b/k", "tagging"), "GetObjectTagging");
  EXPECT_EQ(name("POST", "/b", "delete="), "DeleteObjects");
  const auto nested = s3.match("GET", "/b/dir//a%20b/", "");
  ASSERT_TRUE(nested);
  EXPECT_EQ(*nested->labels.find("Key"), "dir//a b/");

  const UriRouter lambda(lambda::kModel);
  EXPECT_STREQ(lambda.match("GET", "/2015-03-31/functions/", "")->operation->name, "ListFunctions");
  const auto invoke = lambda.match("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", "");
  ASSERT_TRUE(invoke);
  EXPECT_STREQ(invoke->operation->name, "Invoke");
  EXPECT_EQ(*invoke->labels.find("FunctionName"), "arn:aws:lambda");
  EXPECT_FALSE(lambda.match("GET", "/nowhere", ""));
}

TEST(RestJsonCodec, BindsLabelsHeadersAndPayload) {
  Sent sent("POST", "/2015-03-31/functions/f/invocations", "Qualifier=live", {{"x-amz-invocation-type", "Event"}}, "{\"a\":1}");
  sent.labels.values = {{"FunctionName", "f"}};
  const auto in = decode<lambda::InvokeInput>(lambda::kModel, lambda::ops::kInvoke, Protocol::kRestJson, sent);
  ASSERT_TRUE(in);
  EXPECT_EQ(in->function_name, "f");
  EXPECT_EQ(in->qualifier, "live");
  EXPECT_EQ(in->invocation_type, "Event");
  EXPECT_EQ(in->payload, "{\"a\":1}");
  const auto response = encode(lambda::kModel, lambda::ops::kInvoke, Protocol::kRestJson,
                               lambda::InvokeOutput{.status_code = 202, .function_error = "Unhandled", .payload = "x"});
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(*response.find("x-amz-function-error"), "Unhandled");
  EXPECT_EQ(response.body, "x");
}

TEST(RestXmlCodec, WritesListingsAndReadsDocuments) {
  s3::ListObjectsV2Output out;
  out.contents.emplace().push_back({.key = "a&b", .last_modified = from_seconds(0), .etag = "\"e\"", .size = 3});
  out.key_count = 1;
  const auto response = encode(s3::kModel, s3::ops::kListObjectsV2, Protocol::kRestXml, out);
  EXPECT_NE(response.body.find("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Contents><Key>a&amp;b</Key>"
                               "<LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size></Contents>"),
            std::string::npos) << response.body;
  Sent sent("POST", "/b", "delete", {}, "<?xml version=\"1.0\"?><Delete xmlns=\"x\"><Object><Key>a</Key></Object><Object><Key>b</Key>"
                                        "<VersionId>v</VersionId></Object><Quiet>true</Quiet></Delete>");
  sent.labels.values = {{"Bucket", "b"}};
  const auto in = decode<s3::DeleteObjectsInput>(s3::kModel, s3::ops::kDeleteObjects, Protocol::kRestXml, sent);
  ASSERT_TRUE(in);
  ASSERT_EQ(in->delete_.objects.size(), 2u);
  EXPECT_EQ(in->delete_.objects[1].version_id, "v");
  EXPECT_EQ(in->delete_.quiet, true);
  EXPECT_EQ(encode(s3::kModel, s3::ops::kGetBucketLocation, Protocol::kRestXml, s3::GetBucketLocationOutput{.location_constraint = "eu-west-1"}).body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</LocationConstraint>");
}

TEST(RestXmlCodec, CarriesMetadataHeaders) {
  Sent sent("PUT", "/b/k", "", {{"x-amz-meta-colour", "red"}, {"content-type", "text/plain"}}, "");
  sent.labels.values = {{"Bucket", "b"}, {"Key", "k"}};
  const auto in = decode<s3::PutObjectInput>(s3::kModel, s3::ops::kPutObject, Protocol::kRestXml, sent);
  ASSERT_TRUE(in);
  EXPECT_EQ(in->metadata->at("colour"), "red");
  EXPECT_EQ(in->content_type, "text/plain");
  const auto response = encode(s3::kModel, s3::ops::kHeadObject, Protocol::kRestXml,
                               s3::HeadObjectOutput{.last_modified = from_seconds(784111777), .metadata = in->metadata});
  EXPECT_EQ(*response.find("x-amz-meta-colour"), "red");
  EXPECT_EQ(*response.find("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(StoredJson, GivesBackWhatItWasGiven) {
  lambda::FunctionConfiguration in{.function_name = "f", .code_size = 5, .environment = lambda::EnvironmentResponse{.variables = {{{"A", "b"}}}}};
  const auto out = from_json_text<lambda::FunctionConfiguration>(to_json_text(in));
  ASSERT_TRUE(out);
  EXPECT_EQ(*out, in);
}

TEST(Validate, CountsAndWordsViolations) {
  Sent sent("PUT", "/", "", {}, R"({"PackageType":"Tar","Role":"r","Code":{},"MemorySize":5,"Architectures":["X86"]})");
  MissingMembers missing;
  const auto in = decode<lambda::CreateFunctionInput>(lambda::kModel, lambda::ops::kCreateFunction, Protocol::kRestJson, sent, &missing);
  ASSERT_TRUE(in);
  const auto done = validate(lambda::kModel, lambda::ops::kCreateFunction, &*in, missing);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "ValidationException");
  EXPECT_TRUE(done.error().message.starts_with("5 validation errors detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null; "
                                               "Value 'r' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: ")) << done.error().message;
  EXPECT_NE(done.error().message.find("Value 'Tar' at 'packageType' failed to satisfy constraint: Member must satisfy enum value set: ["), std::string::npos);
  EXPECT_NE(done.error().message.find("Value '[X86]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
                                      "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"), std::string::npos) << done.error().message;
  EXPECT_NE(done.error().message.find("Value '5' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"), std::string::npos);
}

TEST(Validate, UnderstandsPatternsAsJavaDoes) {
  iam::CreateRoleInput in{.role_name = "r"};
  in.assume_role_policy_document = "\xC3\xBC";  // U+00FC
  EXPECT_TRUE(validate(iam::kModel, iam::ops::kCreateRole, &in, {}));
  in.assume_role_policy_document = "\xE2\x98\x83";  // U+2603
  const auto done = validate(iam::kModel, iam::ops::kCreateRole, &in, {});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must satisfy regular expression pattern: "), std::string::npos);
}

TEST(Validate, SqsNamesTheMissingParameter) {
  const auto done = validate(sqs::kModel, sqs::ops::kCreateQueue, nullptr, {"queueName"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "The request must contain the parameter QueueName.");
}

}  // namespace
}  // namespace reef::aws
