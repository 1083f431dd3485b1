#include "service/eventbridge/connections.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "engine/edge/authority.h"
#include "engine/events/transform.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/eventbridge/http_request.h"
#include "service/eventbridge/targets.h"

namespace reef::service::eventbridge {
namespace {

using wire::Json;

constexpr std::string_view kConnections = "eventbridge/connection/", kDestinations = "eventbridge/api-destination/";
constexpr Duration kPatience = 5s;  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html

store::Records& stored() { return store::Shard::control().records(); }

std::optional<Connection> read_connection(std::string_view key, const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  const BusName name = BusName::from_key(key);
  return Connection{.account = name.account, .region = name.region, .name = name.name, .id = json->text("id"), .description = json->text("description"),
                    .type = json->text("type"), .state = json->text("state"), .auth = (*json)["auth"], .created = read_time((*json)["created"]),
                    .modified = read_time((*json)["modified"]), .authorized = read_time((*json)["authorized"])};
}
std::optional<ApiDestination> read_destination(std::string_view key, const std::string& text) {
  const auto json = Json::parse(text);
  if (!json) return std::nullopt;
  const BusName name = BusName::from_key(key);
  return ApiDestination{.account = name.account, .region = name.region, .name = name.name, .id = json->text("id"), .description = json->text("description"),
                        .connection = json->text("connection"), .endpoint = json->text("endpoint"), .method = json->text("method"),
                        .rate = (*json)["rate"].as_int().value_or(300), .created = read_time((*json)["created"]), .modified = read_time((*json)["modified"])};
}

// "name/id" after the kind.
std::string key_of_arn(std::string_view arn) {
  const auto parts = split(arn_part(arn, 5), '/');
  return parts.size() < 2 ? std::string() : fmt::format("{}/{}/{}", arn_part(arn, 4), arn_part(arn, 3), parts[1]);
}

aws::Error failed(std::string message, int status) { return {"ApiDestinationFailure", std::move(message), status}; }

// For AWS 401 and 407 are retried after a new sign-in, 409 and 429 as 5xx are.
bool is_worth_a_retry(int status) { return status >= 500 || status == 401 || status == 407 || status == 409 || status == 429; }

}  // namespace

Connections::Connections(Parts& parts) : trusted_(parts.get<edge::Authority>().certificate_pem()) {}

http::Client& Connections::client() {
  if (!client_) client_ = std::make_unique<http::Client>(store::Shard::control().reactor(), trusted_);
  return *client_;
}

std::optional<Connection> Connections::find(const std::string& key) const {
  const std::string* text = stored().find(std::string(kConnections) + key);
  return text ? read_connection(key, *text) : std::nullopt;
}
std::optional<ApiDestination> Connections::find_destination(const std::string& key) const {
  const std::string* text = stored().find(std::string(kDestinations) + key);
  return text ? read_destination(key, *text) : std::nullopt;
}
std::optional<Connection> Connections::find_by_arn(std::string_view arn) const {
  auto found = find(key_of_arn(arn));
  return found && found->arn() == arn ? found : std::nullopt;
}
std::optional<ApiDestination> Connections::find_destination_by_arn(std::string_view arn) const {
  auto found = find_destination(key_of_arn(arn));
  return found && found->arn() == arn ? found : std::nullopt;
}

void Connections::put(const Connection& c) {
  tokens_.erase(c.arn());
  stored().put(std::string(kConnections) + c.key(),
               Json::object({{"id", c.id}, {"description", c.description}, {"type", c.type}, {"state", c.state}, {"auth", c.auth}, {"created", to_micros(c.created)},
                             {"modified", to_micros(c.modified)}, {"authorized", to_micros(c.authorized)}}).dump());
}
void Connections::put(const ApiDestination& d) {
  stored().put(std::string(kDestinations) + d.key(),
               Json::object({{"id", d.id}, {"description", d.description}, {"connection", d.connection}, {"endpoint", d.endpoint}, {"method", d.method}, {"rate", d.rate},
                             {"created", to_micros(d.created)}, {"modified", to_micros(d.modified)}}).dump());
}
void Connections::remove(const Connection& connection) {
  tokens_.erase(connection.arn());
  stored().erase(std::string(kConnections) + connection.key());
}
void Connections::remove(const ApiDestination& destination) { stored().erase(std::string(kDestinations) + destination.key()); }

std::vector<Connection> Connections::list(const std::string& scope) const {
  std::vector<Connection> out;
  stored().scan(std::string(kConnections) + scope, [&](std::string_view key, const std::string& text) {
    if (auto one = read_connection(key.substr(kConnections.size()), text)) out.push_back(*std::move(one));
    return true;
  });
  return out;
}
std::vector<ApiDestination> Connections::list_destinations(const std::string& scope) const {
  std::vector<ApiDestination> out;
  stored().scan(std::string(kDestinations) + scope, [&](std::string_view key, const std::string& text) {
    if (auto one = read_destination(key.substr(kDestinations.size()), text)) out.push_back(*std::move(one));
    return true;
  });
  return out;
}

// OAuth 2.0's client credentials grant; the token is kept for as long as it says.
Task<Reply<std::string>> Connections::token(Connection connection) {
  const Time now = store::Shard::control().now();
  if (const auto kept = tokens_.find(connection.arn()); kept != tokens_.end() && kept->second.until > now) co_return kept->second.value;
  auto request = token_request(connection.auth["OAuthParameters"]);
  if (!request) co_return Err(failed("The authorization endpoint is no URL.", 400));
  request->timeout = kPatience;
  auto reply = co_await client().send(*std::move(request));
  if (!reply) co_return Err(failed("The authorization endpoint was not reached: " + reply.error().message, 500));
  std::string body = reply->body;
  if (reply->stream) {
    auto read = co_await http::read_all(*reply->stream, 1 << 20);
    if (!read) co_return Err(failed("The authorization endpoint's answer was cut off.", 500));
    body = *std::move(read);
  }
  const auto json = Json::parse(body);
  const std::string value = json ? json->text("access_token") : "";
  if (reply->status / 100 != 2 || value.empty()) co_return Err(failed(fmt::format("The authorization endpoint answered {} without a token.", reply->status), reply->status >= 500 ? 500 : 400));
  const std::int64_t seconds = (*json)["expires_in"].as_int().value_or(60);
  tokens_[connection.arn()] = {value, now + std::chrono::seconds(seconds)};
  co_return value;
}

Task<Reply<void>> Connections::send(const model::Target& target, std::string event, std::string input) {
  const auto destination = find_destination_by_arn(target.arn);
  const auto connection = destination ? find_by_arn(destination->connection) : std::nullopt;
  if (!connection) co_return Err(aws::Error(errors::kResourceNotFoundException, fmt::format("API destination {} does not exist.", target.arn)));
  if (connection->state != "AUTHORIZED") co_return Err(failed(fmt::format("The connection is {}.", connection->state), 400));
  std::string bearer;
  if (connection->type == "OAUTH_CLIENT_CREDENTIALS") bearer = CO_TRY(co_await token(*connection));
  auto request = destination_request(*destination, *connection, bearer, target, event, std::move(input));
  if (!request) co_return Err(failed("The invocation endpoint is no URL.", 400));
  request->timeout = kPatience;
  auto reply = co_await client().send(*std::move(request));
  if (!reply) co_return Err(failed(reply.error().message, 500));
  const int status = reply->status;
  if (reply->stream) static_cast<void>(co_await http::read_all(*reply->stream, 1 << 20));
  if (status / 100 == 2) co_return Reply<void>();
  if (status == 401 || status == 407) tokens_.erase(connection->arn());
  co_return Err(failed(fmt::format("The endpoint answered {}.", status), is_worth_a_retry(status) ? 500 : 400));
}

}  // namespace reef::service::eventbridge
