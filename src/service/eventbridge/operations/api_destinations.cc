// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateApiDestination.html, API_UpdateApiDestination,
// API_DescribeApiDestination, API_ListApiDestinations, API_DeleteApiDestination
#include "base/random.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

aws::Error no_destination(const std::string& name) {
  return {errors::kResourceNotFoundException, fmt::format("Failed to describe the api-destination(s). An api-destination '{}' does not exist.", name)};
}
aws::Error no_such_connection(const std::string& arn) { return {errors::kResourceNotFoundException, fmt::format("Connection '{}' does not exist.", arn)}; }

template <class Out>
void show(EventBridge& service, const ApiDestination& destination, Out& out) {
  const auto connection = service.connections.find_by_arn(destination.connection);
  out.api_destination_arn = destination.arn();
  out.api_destination_state = connection && connection->state == "AUTHORIZED" ? "ACTIVE" : "INACTIVE";
  out.creation_time = destination.created;
  out.last_modified_time = destination.modified;
  if constexpr (requires { out.invocation_endpoint; }) {
    out.name = destination.name;
    out.connection_arn = destination.connection;
    out.invocation_endpoint = destination.endpoint;
    out.http_method = destination.method;
    out.invocation_rate_limit_per_second = static_cast<std::int32_t>(destination.rate);
  }
}

}  // namespace

Task<Reply<model::CreateApiDestinationOutput>> CreateApiDestination(EventBridge& service, const model::CreateApiDestinationInput& in, const Call& call) {
  if (service.connections.find_destination(key_of(call, in.name)))
    co_return Err(aws::Error(errors::kResourceAlreadyExistsException, fmt::format("An api-destination '{}' already exists.", in.name)));
  if (!service.connections.find_by_arn(in.connection_arn)) co_return Err(no_such_connection(in.connection_arn));
  CO_TRY(check_endpoint("InvocationEndpoint", in.invocation_endpoint));
  const ApiDestination destination{.account = call.account, .region = call.region, .name = in.name, .id = make_uuid(thread_random()), .description = in.description.value_or(""),
                                   .connection = in.connection_arn, .endpoint = in.invocation_endpoint, .method = in.http_method,
                                   .rate = in.invocation_rate_limit_per_second.value_or(300), .created = call.now, .modified = call.now};
  service.connections.put(destination);
  co_await store::Shard::control().committed();
  model::CreateApiDestinationOutput out;
  show(service, destination, out);
  co_return out;
}

Task<Reply<model::UpdateApiDestinationOutput>> UpdateApiDestination(EventBridge& service, const model::UpdateApiDestinationInput& in, const Call& call) {
  auto destination = service.connections.find_destination(key_of(call, in.name));
  if (!destination) co_return Err(no_destination(in.name));
  if (in.connection_arn && !service.connections.find_by_arn(*in.connection_arn)) co_return Err(no_such_connection(*in.connection_arn));
  if (in.invocation_endpoint) CO_TRY(check_endpoint("InvocationEndpoint", *in.invocation_endpoint));
  destination->description = in.description.value_or(destination->description);
  destination->connection = in.connection_arn.value_or(destination->connection);
  destination->endpoint = in.invocation_endpoint.value_or(destination->endpoint);
  destination->method = in.http_method.value_or(destination->method);
  destination->rate = in.invocation_rate_limit_per_second.value_or(static_cast<std::int32_t>(destination->rate));
  destination->modified = call.now;
  service.connections.put(*destination);
  co_await store::Shard::control().committed();
  model::UpdateApiDestinationOutput out;
  show(service, *destination, out);
  co_return out;
}

Task<Reply<model::DescribeApiDestinationOutput>> DescribeApiDestination(EventBridge& service, const model::DescribeApiDestinationInput& in, const Call& call) {
  const auto destination = service.connections.find_destination(key_of(call, in.name));
  if (!destination) co_return Err(no_destination(in.name));
  model::DescribeApiDestinationOutput out;
  show(service, *destination, out);
  out.description = given(destination->description);
  co_return out;
}

Task<Reply<model::ListApiDestinationsOutput>> ListApiDestinations(EventBridge& service, const model::ListApiDestinationsInput& in, const Call& call) {
  std::vector<model::ApiDestination> all;
  for (const ApiDestination& destination : service.connections.list_destinations(key_of(call, in.name_prefix.value_or(""))))
    if (!in.connection_arn || *in.connection_arn == destination.connection) show(service, destination, all.emplace_back());
  model::ListApiDestinationsOutput out;
  out.api_destinations = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

Task<Reply<model::DeleteApiDestinationOutput>> DeleteApiDestination(EventBridge& service, const model::DeleteApiDestinationInput& in, const Call& call) {
  const auto destination = service.connections.find_destination(key_of(call, in.name));
  if (!destination) co_return Err(no_destination(in.name));
  service.connections.remove(*destination);
  co_await store::Shard::control().committed();
  co_return model::DeleteApiDestinationOutput();
}

}  // namespace reef::service::eventbridge::operations
