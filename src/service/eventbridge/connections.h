// Connections (how to sign in somewhere) and API destinations (where events are sent over HTTP), and the sending.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/parts.h"
#include "http/client.h"
#include "service/eventbridge/book.h"

namespace reef::service::eventbridge {

struct Connection {
  std::string account, region, name, id, description, type, state;  // type: BASIC, API_KEY, OAUTH_CLIENT_CREDENTIALS
  wire::Json auth;                                                  // as it was given, secrets included
  Time created{}, modified{}, authorized{};
  std::string key() const { return account + "/" + region + "/" + name; }
  std::string arn() const { return "arn:aws:events:" + region + ":" + account + ":connection/" + name + "/" + id; }
};

struct ApiDestination {
  std::string account, region, name, id, description, connection, endpoint, method;  // connection: its ARN
  std::int64_t rate = 300;
  Time created{}, modified{};
  std::string key() const { return account + "/" + region + "/" + name; }
  std::string arn() const { return "arn:aws:events:" + region + ":" + account + ":api-destination/" + name + "/" + id; }
};

class Connections {
 public:
  explicit Connections(Parts& parts);
  void forget() { tokens_.clear(); }

  std::optional<Connection> find(const std::string& key) const;
  std::optional<ApiDestination> find_destination(const std::string& key) const;
  // Of an ARN; nothing when there is none any more, or another of that name.
  std::optional<Connection> find_by_arn(std::string_view arn) const;
  std::optional<ApiDestination> find_destination_by_arn(std::string_view arn) const;
  void put(const Connection& connection);
  void put(const ApiDestination& destination);
  void remove(const Connection& connection);
  void remove(const ApiDestination& destination);
  std::vector<Connection> list(const std::string& scope) const;
  std::vector<ApiDestination> list_destinations(const std::string& scope) const;

  // Sends `input` there; `event` is what the target's HttpParameters may name parts of. Errors that a retry may mend have
  // status 500.
  Task<Reply<void>> send(const model::Target& target, std::string event, std::string input);

 private:
  struct Token {
    std::string value;
    Time until{};
  };
  Task<Reply<std::string>> token(Connection connection);
  http::Client& client();
  std::string trusted_;  // certificates besides the system's
  std::unique_ptr<http::Client> client_;
  std::map<std::string, Token> tokens_;  // by the connection's ARN
};

// The parameters without what is secret, as DescribeConnection shows them.
wire::Json shown_auth(const wire::Json& auth);
// What is wrong with an endpoint: https, or this machine.
Reply<void> check_endpoint(std::string_view parameter, const std::string& endpoint);

}  // namespace reef::service::eventbridge
