// Lines about requests and connections, gathered until somebody delivers them, in the formats of AWS's log files.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/time.h"

namespace reef::edge {

// Bounded: what comes when it is full is counted and dropped, as these logs are no complete accounting on AWS either.
class TrafficLog {
 public:
  static constexpr std::size_t kBytesMax = 64 * 1024 * 1024;
  void add(std::string_view line);
  struct Taken {
    std::string text;
    std::uint64_t dropped = 0;
  };
  Taken take();

 private:
  Guarded<Taken> lines_;
};

// What is known of a request when it has ended. Empty texts and negative numbers are what did not happen.
struct AccessEntry {
  std::string_view type = "http";   // https, h2, grpcs, ws, wss
  Time began{};
  std::string balancer;             // "app/web/50dc6c495c0c9188"
  std::string client, target;       // "127.0.0.1:51234"
  std::int64_t began_at = 0, sent_at = -1, replied_at = -1;   // monotonic microseconds
  int status = 0, target_status = -1;
  std::uint64_t received = 0, sent = 0;
  std::string method, url, version; // url: "https://shop.example.com:443/a?b"
  std::string user_agent, cipher, protocol, group, trace, domain, certificate;
  int priority = -1;                // 0: the default rule; -1: none was looked at
  std::string actions, redirect_url, error;
  std::string_view classification, classification_reason;
  std::string connection;           // "TID_..."
};
std::string access_line(const AccessEntry& entry, Time now, std::int64_t now_micros);

struct ConnectionEntry {
  Time began{};
  std::string client_ip, client_port, listener_port, protocol, cipher;
  std::int64_t handshake_micros = -1;
  std::string subject, not_before, not_after, serial;   // of the client's certificate
  std::string_view verified = "-";                      // "Success", "Failed:ClientCertUntrusted"
  std::string connection;
};
std::string connection_line(const ConnectionEntry& entry);

// A connection to a TLS listener of a network balancer that has ended.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
struct TlsEntry {
  Time began{};
  std::string balancer, listener;              // "net/db/50dc6c495c0c9188", "f2f7dc8efc522ab2"
  std::string client, destination;             // "127.0.0.1:51234"
  std::int64_t took_micros = 0, handshake_micros = -1;
  std::uint64_t received = 0, sent = 0;        // after decryption
  std::string certificate, cipher, protocol, domain;   // protocol: "TLSv1.2"
};
std::string tls_line(const TlsEntry& entry, Time now);

struct CheckEntry {
  std::string_view type;   // http, https, h2, grpcs, tcp
  Time at{};
  std::int64_t latency_micros = 0;
  std::string target, group;
  bool passed = false;
  int status = -1;
  std::string_view reason;
};
std::string check_line(const CheckEntry& entry);

// The same for all lines about one connection.
std::string connection_id(std::string_view client, std::string_view listener);

}  // namespace reef::edge
