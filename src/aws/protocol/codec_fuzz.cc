// The first byte chooses an operation, the rest is its request's body.
#include <cstddef>
#include <cstdint>

#include "aws/models/dynamodb.h"
#include "aws/models/iam.h"
#include "aws/models/lambda.h"
#include "aws/models/s3.h"
#include "aws/models/sqs.h"
#include "aws/protocol/codec.h"
#include "aws/protocol/uri_router.h"
#include "aws/validate.h"
#include "base/check.h"

using namespace reef::aws;

template <class In>
static void run(const ServiceModel& service, const OperationModel& operation, Protocol protocol, std::string_view body) {
  In in{};
  MissingMembers missing;
  reef::http::Request request;
  if (!decode_request(service, operation, protocol, request, body, {}, &in, &missing)) return;
  (void)validate(service, operation, &in, missing);
  // What was understood survives the store.
  const std::string stored = to_json_text(in);
  const auto back = from_json_text<In>(stored);
  CHECK(back && to_json_text(*back) == stored);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0: run<sqs::SendMessageBatchInput>(sqs::kModel, sqs::ops::kSendMessageBatch, Protocol::kJson10, body); break;
    case 1: run<sqs::SendMessageBatchInput>(sqs::kModel, sqs::ops::kSendMessageBatch, Protocol::kQuery, body); break;
    case 2: run<dynamodb::TransactWriteItemsInput>(dynamodb::kModel, dynamodb::ops::kTransactWriteItems, Protocol::kJson10, body); break;
    case 3: run<iam::CreateRoleInput>(iam::kModel, iam::ops::kCreateRole, Protocol::kQuery, body); break;
    case 4: run<lambda::CreateFunctionInput>(lambda::kModel, lambda::ops::kCreateFunction, Protocol::kRestJson, body); break;
    case 5: run<s3::PutBucketLifecycleConfigurationInput>(s3::kModel, s3::ops::kPutBucketLifecycleConfiguration, Protocol::kRestXml, body); break;
    case 6: run<sqs::CreateQueueInput>(sqs::kModel, sqs::ops::kCreateQueue, Protocol::kRpcV2Cbor, body); break;
    default: {
      static const UriRouter router(s3::kModel);
      const std::size_t mark = body.find('?');
      router.match("PUT", body.substr(0, mark), mark == std::string_view::npos ? std::string_view{} : body.substr(mark + 1));
    }
  }
  return 0;
}
