// Access logs as Envoy writes them: a format with operators ("%RESPONSE_CODE%", "%REQ(USER-AGENT):20%"), compiled once. Pure.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace reef::edge::mesh {

// One request, or connection of bytes, that ended. What is empty or absent is shown as "-".
struct AccessFacts {
  Time start{};
  Duration took{0};
  std::optional<Duration> until_head;        // of the reply
  std::string method, path, protocol, authority;
  int status = 0;
  std::string flags, details;
  std::string own_body;                      // of an answer of the mesh itself
  std::uint64_t received = 0, sent = 0;      // bytes of bodies
  std::string upstream_host, upstream_cluster, route, downstream, local, requested_name;
  std::optional<int> grpc_status;
  std::vector<std::pair<std::string, std::string>> request_headers, reply_headers, trailers;   // names in lower case
};

class AccessFormat {
 public:
  // A Failure names the operator that is not known.
  static Result<AccessFormat, Failure> text(std::string_view format);
  static Result<AccessFormat, Failure> json(const std::vector<std::pair<std::string, std::string>>& members);
  // What Envoy writes when nobody says anything else.
  static AccessFormat standard();

  // Without the line's end.
  std::string line(const AccessFacts& facts) const;

 private:
  enum class Operator {
    kLiteral, kStartTime, kRequest, kRequestNoQuery, kReply, kTrailer, kProtocol, kStatus, kDetails, kFlags, kReceived, kSent, kDuration, kReplyDuration, kUpstreamHost, kUpstreamCluster,
    kRoute, kDownstream, kDownstreamIp, kLocal, kLocalIp, kLocalPort, kRequestedName, kHostName, kGrpcStatus, kGrpcNumber, kOwnBody,
  };
  struct Piece {
    Operator what = Operator::kLiteral;
    std::string text, otherwise;      // the literal; the header, and the one that counts when it is absent
    std::size_t length_max = 0;       // 0: all
  };
  using Pieces = std::vector<Piece>;
  static Result<Pieces, Failure> compile(std::string_view format);
  static Result<Piece, Failure> read_operator(std::string_view text);
  static std::string write(const Piece& piece, const AccessFacts& facts);
  static std::string write(const Pieces& pieces, const AccessFacts& facts);

  Pieces text_;
  std::vector<std::pair<std::string, Pieces>> members_;   // of JSON
  bool is_json_ = false;
};

// Where the lines of one task go. On any loop.
using AccessSink = std::function<void(std::string line)>;

}  // namespace reef::edge::mesh
