#include "gateway/gateway.h"

#include <algorithm>
#include <cerrno>
#include <deque>

#include <fmt/format.h>

#include "aws/protocol/codec.h"
#include "aws/unmodelled_errors.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/log.h"
#include "engine/store/shard.h"
#include "engine/telemetry/spans.h"
#include "gateway/body.h"
#include "gateway/query_as_json.h"

namespace reef::gateway {
namespace {

bool has_streaming_input(const aws::OperationModel& operation) {
  if (!operation.input) return false;
  for (std::uint32_t i = 0; i < operation.input->member_count; ++i)
    if (operation.input->members[i].streaming) return true;
  return false;
}

ErrorDialect dialect_of(const Identified& identified) {
  if (identified.protocol == aws::Protocol::kRestXml) return ErrorDialect::kS3;
  if (identified.protocol == aws::Protocol::kQuery || identified.protocol == aws::Protocol::kEc2Query) return ErrorDialect::kQuery;
  return ErrorDialect::kJson;
}

bool is_hex_digest(std::string_view text) { return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

aws::Error body_error(const Failure& failure, bool is_s3, const Identified* found = nullptr) {
  if (failure.code == EMSGSIZE && !is_s3 && found && found->service->service->definition().body_bytes_max)
    return {"RequestEntityTooLargeException", fmt::format("Request must be smaller than {} bytes for the {} operation",
                                                          found->service->service->definition().body_bytes_max, found->operation_name), 413};
  if (failure.code == EMSGSIZE)
    return is_s3 ? aws::Error("MaxMessageLengthExceeded", "Your request was too big.", 400)
                 : aws::Error("RequestEntityTooLargeException", "Request size exceeds the limit of this operation.", 413);
  if (failure.message == "XAmzContentSHA256Mismatch")
    return {"XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400};
  return {is_s3 ? "IncompleteBody" : "RequestTimeout", "The request body did not arrive completely.", 400};
}

// S3 takes headers from a presigned URL's parameters too: whoever signed the URL can say so what the request is to have.
void hoist_headers(http::Request& request, std::deque<std::string>& storage) {
  static constexpr std::string_view kOfSignature[] = {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders",
                                                      "x-amz-signature", "x-amz-security-token", "x-amz-content-sha256"};
  static constexpr std::string_view kPlain[] = {"content-type", "content-md5", "content-disposition", "content-encoding", "content-language",
                                                "cache-control", "if-match", "if-none-match"};
  for (const std::string_view parameter : split(request.query, '&')) {
    const auto equals = parameter.find('=');
    if (equals == parameter.npos) continue;
    std::string name = to_lower(percent_decode(parameter.substr(0, equals)));
    // SDKs for JavaScript put the checksum of an empty body there before the body is known; S3 takes no notice of it.
    if (name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm") continue;
    const bool is_header = (name.starts_with("x-amz-") && std::ranges::find(kOfSignature, name) == std::end(kOfSignature)) || std::ranges::find(kPlain, name) != std::end(kPlain);
    if (!is_header || request.has_header(name)) continue;
    std::string value = percent_decode(parameter.substr(equals + 1));
    if (std::ranges::any_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) continue;  // no header can hold it
    storage.push_back(std::move(name));
    const std::string_view kept = storage.back();
    storage.push_back(std::move(value));
    request.headers.push_back({kept, storage.back()});
  }
}

}  // namespace

// One call on its way through.
struct Gateway::Exchange {
  http::Request& request;
  http::Response response;
  std::string request_id;
  Time now;
  aws::SignatureClaim claim;
  bool has_claim = false;
  std::string claim_trouble;
  std::string body;
  std::string path_storage;
  std::string signed_path;         // before a bucket was moved into it
  std::deque<std::string> hoisted; // headers that came in a presigned URL
  std::optional<Identified> identified;
  std::unique_ptr<http::Body> checked_body, decoded_body;
  bool body_read = false;

  const aws::SignatureClaim* claim_or_null() const { return has_claim ? &claim : nullptr; }
};

Task<http::Response> Gateway::handle(http::Request& request) {
  for (const SideDoor& door : side_doors_)
    if (door.wants(request)) co_return co_await door.serve(request);
  co_return co_await serve_call(request);
}

http::Response Gateway::refuse(const aws::Error& error, const Exchange& exchange) const {
  http::Response response;
  response.headers = exchange.response.headers;  // what a handler set before it refused: CORS
  if (exchange.identified) {
    aws::encode_error(*exchange.identified->service->model, exchange.identified->protocol, error, exchange.request_id, response);
    if (exchange.identified->protocol == aws::Protocol::kQuery && exchange.identified->operation_name.empty()) response.body = "<UnknownOperationException/>\n";
    else if (wants_query_as_json(exchange.request, *exchange.identified->service->model, exchange.identified->protocol)) encode_query_error_as_json(error, exchange.request_id, response);
  } else {
    response.status = error.status;
    response.set("content-type", "application/json");
    response.set("x-amzn-errortype", error.code);
    response.body = wire::Json::object({{"__type", error.code}, {"message", error.message}}).dump();
  }
  if (exchange.identified && exchange.identified->protocol == aws::Protocol::kRestXml) response.set("x-amz-id-2", base64_encode(exchange.request_id));
  response.set("x-amzn-requestid", exchange.request_id);
  if (log::enabled(log::Level::kDebug))
    log::debug("refused", {{"request_id", exchange.request_id}, {"code", error.code}, {"status", error.status}, {"message", error.message}});
  return response;
}

Task<http::Response> Gateway::serve_call(http::Request& request) {
  Exchange exchange{.request = request, .request_id = new_request_id(), .now = store::Shard::current().now()};
  switch (aws::read_signature(request, exchange.claim, exchange.claim_trouble)) {
    case aws::ClaimStatus::kFound: exchange.has_claim = true; break;
    case aws::ClaimStatus::kMalformed:
    case aws::ClaimStatus::kNone: break;
  }
  if (!exchange.has_claim && request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS" && is_foreign_page(request))
    co_return refuse(aws::Error("AccessDenied", "Unsigned requests from pages of other sites are refused.", 403), exchange);
  if (needs_form(request) && !(exchange.has_claim && exchange.claim.service == "s3")) {
    auto body = co_await http::read_all(*request.body, settings_.body_bytes_max);
    if (!body) co_return refuse(body_error(body.error(), false), exchange);
    exchange.body = *std::move(body);
    exchange.body_read = true;
    if (request.header("content-encoding") == "gzip") {
      auto inflated = inflate(exchange.body, settings_.inflated_bytes_max);
      if (!inflated) co_return refuse(body_error(inflated.error(), false), exchange);
      // The signature covers the compressed bytes; their digest is taken before they go.
      if (exchange.has_claim && needs_payload_hash(keys_, &exchange.claim)) exchange.claim_trouble = sha256_hex(exchange.body);
      exchange.body = *std::move(inflated);
    }
  }
  exchange.signed_path = request.path;
  exchange.identified = identify(registry_, request, exchange.claim_or_null(), exchange.body, exchange.path_storage);
  if (!exchange.identified) {
    const std::string name = exchange.has_claim ? exchange.claim.service : std::string(request.header("x-amz-target"));
    co_return refuse(name.empty() ? aws::Error("UnknownOperationException", "The request matches no service.", 404)
                                  : aws::not_implemented("The service '" + name + "'"), exchange);
  }
  const Identified& found = *exchange.identified;
  const auto observer = observers_.begin(found.service->model->name, found.operation ? found.operation->name : "", found.labels, request);
  http::Response response = co_await answer(exchange);
  if (observer) observer->answer(response);
  co_return response;
}

Task<http::Response> Gateway::answer(Exchange& exchange) {
  auto reply = co_await run_call(exchange);
  if (!reply) co_return refuse(reply.error(), exchange);
  const Identified& found = *exchange.identified;
  if (wants_query_as_json(exchange.request, *found.service->model, found.protocol)) encode_query_as_json(*found.operation, reply->get(), exchange.request_id, exchange.response);
  else aws::encode_reply(*found.service->model, *found.operation, found.protocol, reply->get(), exchange.request_id, exchange.response);
  if (found.protocol == aws::Protocol::kRestXml) {
    exchange.response.set("x-amz-request-id", exchange.request_id);
    exchange.response.set("x-amz-id-2", base64_encode(exchange.request_id));
    exchange.response.set("server", "AmazonS3");
  } else {
    exchange.response.set("x-amzn-requestid", exchange.request_id);
  }
  co_return std::move(exchange.response);
}

Task<aws::Reply<aws::Value>> Gateway::run_call(Exchange& exchange) {
  http::Request& request = exchange.request;
  Identified& found = *exchange.identified;
  const ErrorDialect dialect = dialect_of(found);
  const bool is_s3 = dialect == ErrorDialect::kS3;
  if (!exchange.has_claim && !exchange.claim_trouble.empty())
    co_return Err(is_s3 ? aws::Error(request.has_header("authorization") ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError",
                                     exchange.claim_trouble, 400)
                        : aws::Error("IncompleteSignature", exchange.claim_trouble, 400));
  if (!found.operation)
    co_return Err(is_s3 ? aws::Error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
                  : dialect == ErrorDialect::kQuery
                      ? found.operation_name.empty() ? aws::Error("UnknownOperationException", "", 404)
                        : aws::Error("InvalidAction", fmt::format("The action {} is not valid for this endpoint.", found.operation_name), 400)
                      : aws::Error("UnknownOperationException", "", 404));
  const bool streams = has_streaming_input(*found.operation);
  const aws::SignatureClaim* claim = exchange.claim_or_null();
  // The payload as it was signed: S3 says it in a header, or leaves a URL's payload unsigned.
  std::string payload_hash(request.header("x-amz-content-sha256"));
  const bool header_digest = is_hex_digest(payload_hash);
  if (payload_hash.empty() && claim && claim->form != aws::SignatureClaim::Form::kHeader && is_s3) payload_hash = "UNSIGNED-PAYLOAD";
  std::string secret;
  if (!streams && !exchange.body_read) {
    const std::uint64_t own_limit = found.service->service->definition().body_bytes_max;
    auto body = co_await http::read_all(*request.body, own_limit ? own_limit : settings_.body_bytes_max);
    if (!body) co_return Err(body_error(body.error(), is_s3, &found));
    exchange.body = *std::move(body);
    exchange.body_read = true;
    if (needs_payload_hash(keys_, claim) && !is_aws_chunked(request)) {
      const std::string digest = sha256_hex(exchange.body);
      if (payload_hash.empty()) payload_hash = digest;
      else if (header_digest && digest != payload_hash)
        co_return Err(aws::Error("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400));
    }
    if (!exchange.body.empty() && request.header("content-encoding") == "gzip" && !is_s3) {
      auto inflated = inflate(exchange.body, settings_.inflated_bytes_max);
      if (!inflated) co_return Err(body_error(inflated.error(), is_s3));
      exchange.body = *std::move(inflated);
    }
  } else if (exchange.body_read && payload_hash.empty() && needs_payload_hash(keys_, claim)) {
    payload_hash = exchange.claim_trouble.empty() ? sha256_hex(exchange.body) : exchange.claim_trouble;
  }
  const std::string_view effective_path = request.path;
  request.path = exchange.signed_path;
  const Time real_now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  auto who = authenticate(settings_.auth, keys_, request, claim, payload_hash, dialect, real_now);
  request.path = effective_path;
  if (!who) co_return std::unexpected(std::move(who).error());
  if (is_s3 && claim && claim->form != aws::SignatureClaim::Form::kHeader) hoist_headers(request, exchange.hoisted);
  if (!found.served)
    co_return Err(aws::not_implemented(fmt::format("{}:{}", found.service->model->name, found.operation_name)));

  if (streams) {
    if (is_aws_chunked(request)) {
      exchange.decoded_body = decode_aws_chunked(*request.body, request, claim, who->secret);
      request.body = exchange.decoded_body.get();
    } else if (header_digest) {
      exchange.checked_body = check_sha256(*request.body, payload_hash);
      request.body = exchange.checked_body.get();
    }
  } else if (is_aws_chunked(request)) {
    const auto inner = http::make_body(std::move(exchange.body));
    const auto decoder = decode_aws_chunked(*inner, request, claim, who->secret);
    auto decoded = co_await http::read_all(*decoder, settings_.body_bytes_max);
    if (!decoded) co_return Err(body_error(decoded.error(), is_s3));
    exchange.body = *std::move(decoded);
  }

  aws::Call call;
  call.account = who->principal.account;
  call.region = std::move(who->region);
  call.principal = std::move(who->principal);
  call.request_id = exchange.request_id;
  call.now = exchange.now;
  call.deadline = exchange.now + 60s;
  call.service = found.service->model->name;
  call.operation = found.operation->name;
  call.user_agent = request.header("user-agent");
  call.endpoint = std::string(request.is_tls ? "https://" : "http://") + std::string(request.host);
  call.via_query_protocol = found.protocol == aws::Protocol::kQuery;
  call.trace_id = telemetry::TraceContext::read(request.header("x-amzn-trace-id"), request.header("traceparent"), exchange.now).amzn_header();
  call.is_traced = request.has_header("x-amzn-trace-id");
  call.http_request = &request;
  call.http_response = &exchange.response;

  aws::Value input = found.served->make_input();
  aws::MissingMembers missing;
  if (auto decoded = aws::decode_request(*found.service->model, *found.operation, found.protocol, request, found.form.empty() ? exchange.body : found.form,
                                         found.labels, input.get(), &missing); !decoded)
    co_return std::unexpected(std::move(decoded).error());
  co_return co_await dispatcher_.run(*found.service, *found.served, input.get(), missing, call);
}

}  // namespace reef::gateway
