// What a listener does, as data: its rules and their actions. Made by whoever configures the balancer, compiled into
// what the loops read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/edge/balancer/head.h"
#include "engine/edge/balancer/rules.h"
#include "engine/edge/balancer/target.h"
#include "engine/edge/balancer/traffic_log.h"

namespace reef::edge {

struct Redirect {
  // "#{protocol}", "#{host}", "#{port}", "#{path}" and "#{query}" stand for the request's own.
  std::string protocol = "#{protocol}", host = "#{host}", port = "#{port}", path = "/#{path}", query = "#{query}";
  int status = 301;
};
struct FixedAnswer {
  int status = 200;
  std::string content_type, body;
};
struct WeightedGroup {
  std::string group;
  int weight = 1;
};
struct Forward {
  std::vector<WeightedGroup> groups;
  std::optional<Duration> stickiness;   // to a group, by the AWSALBTG cookie
};
struct SignIn;
struct TokenCheck;
struct Rewrites;
struct RuleActions {
  std::string id;                        // for logs
  int priority = 0;                      // 0: the default
  std::shared_ptr<const SignIn> sign_in; // before what follows
  std::shared_ptr<const TokenCheck> token_check;   // the same
  std::shared_ptr<const Rewrites> rewrites;        // what the target is asked instead
  // One of these.
  std::optional<Forward> forward;
  std::optional<Redirect> redirect;
  std::optional<FixedAnswer> fixed;
};

enum class ListenerProtocol { kHttp, kHttps, kTcp, kTls, kUdp, kTcpUdp };

// Whether targets are told who a TLS client is.
enum class ClientCertificates { kNone, kPassedOn, kVerified };

// The names of the headers that tell targets of a client's TLS connection; listeners may give them others.
struct IdentityNames {
  std::string tls_version = "X-Amzn-Tls-Version", tls_cipher = "X-Amzn-Tls-Cipher-Suite";
  std::string certificate = "X-Amzn-Mtls-Clientcert", serial = "X-Amzn-Mtls-Clientcert-Serial-Number", issuer = "X-Amzn-Mtls-Clientcert-Issuer",
              subject = "X-Amzn-Mtls-Clientcert-Subject", validity = "X-Amzn-Mtls-Clientcert-Validity", leaf = "X-Amzn-Mtls-Clientcert-Leaf";
};

// What a rule does, as logs say it: "authenticate,forward".
std::string actions_text(const RuleActions& actions);

struct ListenerPlan {
  std::string id;
  std::string address;                     // "127.64.0.3"
  int port = 80;
  ListenerProtocol protocol = ListenerProtocol::kHttp;
  HeadSettings heads;
  Duration idle_timeout = 60s;             // without a byte in either direction
  Duration client_keep_alive = 3600s;      // a connection's whole life
  bool allows_http2 = true;
  IdentityNames identity_names;
  ReplyChanges replies;
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::shared_ptr<TrafficLog> access_log, connection_log;   // when somebody wants them
  std::string label;                       // the balancer in its logs: "app/web/50dc6c495c0c9188"
  std::vector<std::string> certificates;   // the names of those that TLS has, in the same order
  std::vector<RuleConditions> conditions;  // in order of priority
  std::vector<RuleActions> actions;        // of those conditions, and the default's at the end
};

// "https://host:443/path?query" for a request.
std::string make_location(const Redirect& redirect, std::string_view protocol, std::string_view host, int port, std::string_view path,
                          std::string_view query);

}  // namespace reef::edge
