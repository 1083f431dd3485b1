// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
#include "base/encoding.h"
#include "service/lambda/invocation.h"
#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "wire/event_stream.h"

namespace reef::service::lambda::operations {
namespace {

std::string chunk_event(std::string_view bytes) {
  std::string out;
  wire::EventMessage message;
  message.headers = {{":event-type", wire::EventHeader::Type::kString, "PayloadChunk"},
                     {":content-type", wire::EventHeader::Type::kString, "application/octet-stream"},
                     {":message-type", wire::EventHeader::Type::kString, "event"}};
  message.payload = bytes;
  wire::append_event(out, message);
  return out;
}

std::string complete_event(const std::string& error_code, const std::string& error_details, const std::string& log_tail) {
  wire::Json body = wire::Json::object();
  if (!error_code.empty()) body.set("ErrorCode", error_code);
  if (!error_details.empty()) body.set("ErrorDetails", error_details);
  if (!log_tail.empty()) body.set("LogResult", base64_encode(log_tail));
  std::string out;
  wire::EventMessage message;
  message.headers = {{":event-type", wire::EventHeader::Type::kString, "InvokeComplete"},
                     {":content-type", wire::EventHeader::Type::kString, "application/json"},
                     {":message-type", wire::EventHeader::Type::kString, "event"}};
  message.payload = body.dump();
  wire::append_event(out, message);
  return out;
}

// Frames what the function streams, then says how it ended.
class InvocationStream final : public http::Body {
 public:
  InvocationStream(function::Outcome outcome, bool wants_log) : outcome_(std::move(outcome)), wants_log_(wants_log) {
    if (outcome_.stream) reader_.emplace(std::move(outcome_.stream));
  }
  Task<Result<std::string_view, Failure>> read() override {
    if (ended_) co_return std::string_view();
    if (!reader_) {
      // Buffered by the function: one chunk.
      ended_ = true;
      const std::string tail = wants_log_ ? outcome_.log_tail : "";
      piece_ = outcome_.failed ? complete_event("Unhandled", outcome_.payload, tail)
                               : chunk_event(outcome_.payload) + complete_event("", "", tail);
      co_return std::string_view(piece_);
    }
    const function::PipePiece piece = co_await reader_->read();
    ended_ = piece.bytes.empty();
    piece_ = ended_ ? complete_event(piece.error_type, piece.error_body, wants_log_ ? piece.log_tail : "") : chunk_event(piece.bytes);
    co_return std::string_view(piece_);
  }

 private:
  function::Outcome outcome_;
  std::optional<function::PipeReader> reader_;
  bool wants_log_, ended_ = false;
  std::string piece_;
};

}  // namespace

Task<Reply<model::InvokeWithResponseStreamOutput>> invoke_with_response_stream(Lambda& lambda, const model::InvokeWithResponseStreamInput& in, const Call& call) {
  const FunctionName name = CO_TRY(parse_reachable_function(in.function_name, in.qualifier, call));
  const std::string payload = in.payload.value_or("");
  CO_TRY(check_payload(payload));
  if (!call.http_response) co_return Err(invalid_parameter("InvokeWithResponseStream can only be called over HTTP."));
  function::Invocation invocation{.request_id = call.request_id, .payload = payload, .client_context = base64_decode(in.client_context.value_or("")).value_or(""),
                                  .trace_id = call.trace_id, .wants_stream = true};
  Answer answer = CO_TRY(co_await invoke_function(lambda, name, std::move(invocation)));
  model::InvokeWithResponseStreamOutput out;
  out.status_code = 200;
  out.executed_version = answer.executed_version;
  out.response_stream_content_type = "application/vnd.amazon.eventstream";
  call.http_response->set("content-type", "application/vnd.amazon.eventstream");
  call.http_response->stream = std::make_unique<InvocationStream>(std::move(answer.outcome), in.log_type == "Tail");
  co_return out;
}

}  // namespace reef::service::lambda::operations
