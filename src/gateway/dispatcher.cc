#include "gateway/dispatcher.h"

#include "aws/protocol/codec.h"
#include "aws/protocol/json_value.h"
#include "aws/resource.h"
#include "aws/unmodelled_errors.h"
#include "aws/validate.h"
#include "base/random.h"
#include "engine/store/shard.h"

namespace reef::gateway {

std::string new_request_id() { return make_uuid(thread_random()); }

Task<aws::Reply<aws::Value>> Dispatcher::run(const ServiceEntry& service, const aws::Operation& operation,
                                             const void* input, const aws::MissingMembers& missing, aws::Call& call) {
  if (auto valid = aws::validate(*service.model, *operation.model, input, missing); !valid)
    co_return std::unexpected(std::move(valid).error());
  telemetry::TraceContext trace = telemetry::TraceContext::read(call.trace_id, {}, call.now);
  const std::int64_t began = io::monotonic_micros();
  telemetry::Span span{.trace = trace.root, .id = telemetry::new_span_id(), .parent = trace.parent,
                       .account = call.account, .region = call.region, .start = call.now};
  trace.parent = span.id;
  call.trace_id = trace.amzn_header();
  void* const state = service.service->state();
  aws::Reply<aws::Value> reply = Err(aws::internal_failure());
  if (service.service->definition().placement == aws::Placement::kControl) {
    reply = co_await store::on(store::Shard::control(), [&] { return operation.invoke(state, input, call); });
  } else {
    reply = co_await operation.invoke(state, input, call);
  }
  span.duration = Duration(io::monotonic_micros() - began);
  span.name = service.model->name;
  span.name += '.';
  span.name += operation.model->name;
  span.status = reply ? operation.model->status : reply.error().status;
  if (!reply) span.error = reply.error().code;
  spans_.count_call(service.model->name, operation.model->name, span.status, span.duration);
  spans_.record(std::move(span));
  co_return reply;
}

aws::Call Dispatcher::derived_call(const aws::Call& from, const ServiceEntry& service,
                                   const aws::OperationModel& operation) const {
  aws::Call call = from;
  call.request_id = new_request_id();
  call.now = store::Shard::current().now();
  call.service = service.model->name;
  call.operation = operation.name;
  call.via_query_protocol = false;
  call.http_request = nullptr;
  call.http_response = nullptr;
  if (call.endpoint.empty()) call.endpoint = endpoint_;
  return call;
}

Task<aws::Reply<aws::Value>> Dispatcher::invoke(const aws::Call& from, const aws::OperationModel& model, const void* input) {
  ServiceEntry* service = registry_.owner_of(model);
  const auto found = service ? service->operations.find(model.name) : decltype(service->operations.end()){};
  if (!service || found == service->operations.end() || !found->second.served)
    co_return Err(aws::not_implemented(std::string("The operation ") + model.name));
  aws::Call call = derived_call(from, *service, model);
  http::Response streamed;
  call.http_response = from.http_response ? from.http_response : &streamed;
  call.http_request = from.http_request;
  co_return co_await run(*service, *found->second.served, input, {}, call);
}

Task<aws::Reply<wire::Json>> Dispatcher::invoke_json(const aws::Call& from, std::string_view service_name,
                                                     std::string_view operation, const wire::Json& input) {
  ServiceEntry* service = registry_.by_name(service_name);
  if (!service) co_return Err(aws::not_implemented("The service " + std::string(service_name)));
  const auto found = service->operations.find(operation);
  if (found == service->operations.end() || !found->second.served)
    co_return Err(aws::not_implemented(std::string(service_name) + ":" + std::string(operation)));
  const aws::Operation& served = *found->second.served;
  aws::Value value = served.make_input();
  aws::MissingMembers missing;
  // Templates and state machines write numbers and truths as texts too.
  const std::string text = input.dump();
  wire::JsonReader reader(text);
  CO_TRY(aws::read_json(*served.model->input, reader, value.get(), {.loose_scalars = true, .unknown = aws::UnknownMembers::kRefuse}, &missing));
  aws::Call call = derived_call(from, *service, *served.model);
  const aws::Value out = CO_TRY(co_await run(*service, served, value.get(), missing, call));
  co_return aws::to_json(*served.model->output, out.get());
}

aws::Call Dispatcher::internal_call(std::string account, std::string region) {
  aws::Call call;
  call.principal.account = account;
  call.principal.arn = "arn:aws:iam::" + account + ":root";
  call.principal.user_id = account;
  call.account = std::move(account);
  call.region = std::move(region);
  call.request_id = new_request_id();
  call.now = store::Shard::current().now();
  call.deadline = call.now + 60s;
  call.endpoint = endpoint_;
  return call;
}

void Dispatcher::index_resources() {
  for (const auto& entry : registry_.all())
    for (const aws::ResourceType* type : entry->service->definition().resources) resources_[std::string(type->name)] = type;
}

const aws::ResourceType* Dispatcher::find_resource_type(std::string_view name) {
  const auto found = resources_.find(name);
  return found == resources_.end() ? nullptr : found->second;
}

std::vector<const aws::ResourceType*> Dispatcher::resource_types() {
  std::vector<const aws::ResourceType*> out;
  for (const auto& [name, type] : resources_) out.push_back(type);
  return out;
}

}  // namespace reef::gateway
