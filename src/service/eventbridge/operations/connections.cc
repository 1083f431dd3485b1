// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html, API_UpdateConnection, API_DescribeConnection,
// API_ListConnections, API_DeleteConnection, API_DeauthorizeConnection
#include "aws/protocol/codec.h"
#include "aws/unmodelled_errors.h"
#include "base/random.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

using wire::Json;

aws::Error no_connection(const std::string& name) {
  return {errors::kResourceNotFoundException, fmt::format("Failed to describe the connection(s). Connection '{}' does not exist.", name)};
}

Reply<void> check_auth(const std::string& type, const Json& auth) {
  const char* wanted = type == "BASIC" ? "BasicAuthParameters" : type == "API_KEY" ? "ApiKeyAuthParameters" : "OAuthParameters";
  if (!auth.contains(wanted)) return Err(aws::validation_exception(fmt::format("Missing value for parameter(s): {} for the authorization type {}.", wanted, type)));
  if (type == "OAUTH_CLIENT_CREDENTIALS") return check_endpoint("AuthorizationEndpoint", auth["OAuthParameters"].text("AuthorizationEndpoint"));
  return {};
}

template <class Out>
void show_times(const Connection& connection, Out& out) {
  out.connection_arn = connection.arn();
  out.connection_state = connection.state;
  out.creation_time = connection.created;
  out.last_modified_time = connection.modified;
  if constexpr (requires { out.last_authorized_time; }) out.last_authorized_time = given(connection.authorized);
}

}  // namespace

Task<Reply<model::CreateConnectionOutput>> CreateConnection(EventBridge& service, const model::CreateConnectionInput& in, const Call& call) {
  if (in.invocation_connectivity_parameters || in.auth_parameters.connectivity_parameters) co_return Err(aws::not_implemented("Connections into a VPC (ConnectivityParameters)"));
  if (service.connections.find(key_of(call, in.name))) co_return Err(aws::Error(errors::kResourceAlreadyExistsException, fmt::format("Connection {} already exists.", in.name)));
  Connection connection{.account = call.account, .region = call.region, .name = in.name, .id = make_uuid(thread_random()), .description = in.description.value_or(""),
                        .type = in.authorization_type, .state = "AUTHORIZED", .auth = aws::to_json(in.auth_parameters), .created = call.now, .modified = call.now, .authorized = call.now};
  CO_TRY(check_auth(connection.type, connection.auth));
  service.connections.put(connection);
  co_await store::Shard::control().committed();
  model::CreateConnectionOutput out;
  show_times(connection, out);
  co_return out;
}

// What is not given anew stays, block by block.
Task<Reply<model::UpdateConnectionOutput>> UpdateConnection(EventBridge& service, const model::UpdateConnectionInput& in, const Call& call) {
  if (in.invocation_connectivity_parameters) co_return Err(aws::not_implemented("Connections into a VPC (ConnectivityParameters)"));
  auto connection = service.connections.find(key_of(call, in.name));
  if (!connection) co_return Err(no_connection(in.name));
  if (in.description) connection->description = *in.description;
  if (in.authorization_type) connection->type = *in.authorization_type;
  if (in.auth_parameters) {
    const Json changes = aws::to_json(*in.auth_parameters);
    for (const auto& [block, members] : changes.as_object()) {
      Json& mine = connection->auth.contains(block) ? *connection->auth.find(block) : connection->auth.set(block, Json::object());
      for (const auto& [name, value] : members.as_object()) mine.set(name, value);
    }
  }
  CO_TRY(check_auth(connection->type, connection->auth));
  connection->state = "AUTHORIZED";
  connection->modified = connection->authorized = call.now;
  service.connections.put(*connection);
  co_await store::Shard::control().committed();
  model::UpdateConnectionOutput out;
  show_times(*connection, out);
  co_return out;
}

Task<Reply<model::DescribeConnectionOutput>> DescribeConnection(EventBridge& service, const model::DescribeConnectionInput& in, const Call& call) {
  const auto connection = service.connections.find(key_of(call, in.name));
  if (!connection) co_return Err(no_connection(in.name));
  model::DescribeConnectionOutput out;
  show_times(*connection, out);
  out.name = connection->name;
  out.description = given(connection->description);
  out.authorization_type = connection->type;
  out.auth_parameters = CO_TRY(aws::from_json<model::ConnectionAuthResponseParameters>(shown_auth(connection->auth)));
  co_return out;
}

Task<Reply<model::ListConnectionsOutput>> ListConnections(EventBridge& service, const model::ListConnectionsInput& in, const Call& call) {
  std::vector<model::Connection> all;
  for (const Connection& connection : service.connections.list(key_of(call, in.name_prefix.value_or("")))) {
    if (in.connection_state && *in.connection_state != connection.state) continue;
    model::Connection& one = all.emplace_back();
    show_times(connection, one);
    one.name = connection.name;
    one.authorization_type = connection.type;
  }
  model::ListConnectionsOutput out;
  out.connections = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

Task<Reply<model::DeleteConnectionOutput>> DeleteConnection(EventBridge& service, const model::DeleteConnectionInput& in, const Call& call) {
  auto connection = service.connections.find(key_of(call, in.name));
  if (!connection) co_return Err(no_connection(in.name));
  service.connections.remove(*connection);
  connection->state = "DELETING";
  co_await store::Shard::control().committed();
  model::DeleteConnectionOutput out;
  show_times(*connection, out);
  co_return out;
}

Task<Reply<model::DeauthorizeConnectionOutput>> DeauthorizeConnection(EventBridge& service, const model::DeauthorizeConnectionInput& in, const Call& call) {
  auto connection = service.connections.find(key_of(call, in.name));
  if (!connection) co_return Err(no_connection(in.name));
  connection->state = "DEAUTHORIZED";
  connection->modified = call.now;
  service.connections.put(*connection);
  co_await store::Shard::control().committed();
  model::DeauthorizeConnectionOutput out;
  show_times(*connection, out);
  co_return out;
}

}  // namespace reef::service::eventbridge::operations
