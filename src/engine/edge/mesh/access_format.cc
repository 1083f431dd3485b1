#include "engine/edge/mesh/access_format.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::edge::mesh {
namespace {

constexpr std::size_t kTimeMax = 256;

const std::string& host_name() {
  static const std::string name = [] {
    char buffer[256] = {};
    return ::gethostname(buffer, sizeof buffer - 1) == 0 ? std::string(buffer) : std::string();
  }();
  return name;
}

// As strftime writes it, with Envoy's %f (nanoseconds) and %3f (milliseconds); "2026-01-02T03:04:05.678Z" without a format.
std::string write_time(Time time, const std::string& format) {
  const std::int64_t micros = to_micros(time);
  const std::time_t seconds = micros / 1'000'000;
  const std::int64_t fraction = micros % 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char out[kTimeMax];
  if (format.empty()) {
    const std::size_t n = std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:03}Z", std::string_view(out, n), fraction / 1000);
  }
  std::string filled;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const std::string_view rest = std::string_view(format).substr(i);
    if (rest.starts_with("%f")) filled += fmt::format("{:09}", fraction * 1000), i += 1;
    else if (rest.size() > 2 && rest[0] == '%' && rest[1] >= '1' && rest[1] <= '9' && rest[2] == 'f') filled += fmt::format("{:09}", fraction * 1000).substr(0, static_cast<std::size_t>(rest[1] - '0')), i += 2;
    else if (rest.starts_with("%%")) filled += "%%", i += 1;
    else filled += rest[0];
  }
  const std::size_t n = std::strftime(out, sizeof out, filled.c_str(), &parts);
  return std::string(out, n);
}

std::string_view find(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

std::string_view request_value(const AccessFacts& facts, std::string_view name) {
  if (name == ":method") return facts.method;
  if (name == ":path") return facts.path;
  if (name == ":authority") return facts.authority;
  return find(facts.request_headers, name);
}

std::string grpc_name(int status) {
  constexpr std::string_view kNames[] = {"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted",
                                         "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"};
  return status >= 0 && status < static_cast<int>(std::size(kNames)) ? std::string(kNames[status]) : std::to_string(status);
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else out += c;
  }
  out += '"';
}

}  // namespace

Result<AccessFormat::Piece, Failure> AccessFormat::read_operator(std::string_view text) {
  constexpr std::pair<std::string_view, Operator> kPlain[] = {
      {"START_TIME", Operator::kStartTime}, {"PROTOCOL", Operator::kProtocol}, {"RESPONSE_CODE", Operator::kStatus}, {"RESPONSE_CODE_DETAILS", Operator::kDetails},
      {"RESPONSE_FLAGS", Operator::kFlags}, {"BYTES_RECEIVED", Operator::kReceived}, {"BYTES_SENT", Operator::kSent}, {"DURATION", Operator::kDuration},
      {"RESPONSE_DURATION", Operator::kReplyDuration}, {"UPSTREAM_HOST", Operator::kUpstreamHost}, {"UPSTREAM_CLUSTER", Operator::kUpstreamCluster}, {"ROUTE_NAME", Operator::kRoute},
      {"DOWNSTREAM_REMOTE_ADDRESS", Operator::kDownstream}, {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamIp}, {"DOWNSTREAM_LOCAL_ADDRESS", Operator::kLocal},
      {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::kLocalIp}, {"DOWNSTREAM_LOCAL_PORT", Operator::kLocalPort}, {"REQUESTED_SERVER_NAME", Operator::kRequestedName},
      {"HOSTNAME", Operator::kHostName}, {"GRPC_STATUS", Operator::kGrpcStatus}, {"GRPC_STATUS_NUMBER", Operator::kGrpcNumber}, {"LOCAL_REPLY_BODY", Operator::kOwnBody}};
  Piece out;
  const auto open = text.find('(');
  const std::string_view name = text.substr(0, std::min(open, text.find(':')));
  if (open == std::string_view::npos) {
    for (const auto& [known, what] : kPlain)
      if (text == known) {
        out.what = what;
        return out;
      }
    return Err(Failure{fmt::format("the operator %{}% of an access log format", text)});
  }
  const auto close = text.rfind(')');
  if (close == std::string_view::npos || close < open) return Err(Failure{fmt::format("the operator %{}% of an access log format", text)});
  const std::string_view inside = text.substr(open + 1, close - open - 1), after = text.substr(close + 1);
  if (name == "START_TIME" && after.empty()) {
    out.what = Operator::kStartTime;
    out.text = inside;
    return out;
  }
  const bool is_header = name == "REQ" || name == "REQ_WITHOUT_QUERY" || name == "RESP" || name == "TRAILER";
  const auto length = after.starts_with(':') ? parse_int<std::size_t>(after.substr(1)) : std::nullopt;
  if (!is_header || inside.empty() || (!after.empty() && (!length || *length == 0))) return Err(Failure{fmt::format("the operator %{}% of an access log format", text)});
  out.what = name == "REQ" ? Operator::kRequest : name == "REQ_WITHOUT_QUERY" ? Operator::kRequestNoQuery : name == "RESP" ? Operator::kReply : Operator::kTrailer;
  const auto question = inside.find('?');
  out.text = to_lower(inside.substr(0, question));
  if (question != std::string_view::npos) out.otherwise = to_lower(inside.substr(question + 1));
  out.length_max = length.value_or(0);
  return out;
}

Result<AccessFormat::Pieces, Failure> AccessFormat::compile(std::string_view format) {
  Pieces out;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) out.push_back({.what = Operator::kLiteral, .text = std::exchange(literal, {}), .otherwise = {}});
  };
  while (!format.empty()) {
    if (format[0] != '%') {
      literal += format[0];
      format.remove_prefix(1);
      continue;
    }
    if (format.starts_with("%%")) {
      literal += '%';
      format.remove_prefix(2);
      continue;
    }
    // A time's format has percent signs of its own, within its parentheses.
    std::size_t end = 1;
    for (int depth = 0; end < format.size() && (depth > 0 || format[end] != '%'); ++end) depth += format[end] == '(' ? 1 : format[end] == ')' ? -1 : 0;
    if (end >= format.size()) return Err(Failure{fmt::format("the operator {} of an access log format, which does not end", format)});
    flush();
    out.push_back(TRY(read_operator(format.substr(1, end - 1))));
    format.remove_prefix(end + 1);
  }
  flush();
  return out;
}

Result<AccessFormat, Failure> AccessFormat::text(std::string_view format) {
  AccessFormat out;
  while (format.ends_with('\n')) format.remove_suffix(1);   // each line ends where it is written
  out.text_ = TRY(compile(format));
  return out;
}

Result<AccessFormat, Failure> AccessFormat::json(const std::vector<std::pair<std::string, std::string>>& members) {
  AccessFormat out;
  out.is_json_ = true;
  for (const auto& [name, format] : members) out.members_.emplace_back(name, TRY(compile(format)));
  return out;
}

AccessFormat AccessFormat::standard() {
  return *text("[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
               "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"");
}

std::string AccessFormat::write(const Piece& piece, const AccessFacts& facts) {
  const auto shown = [](std::string_view text) { return std::string(text.empty() ? "-" : text); };
  const auto without_port = [](std::string_view address) { return address.substr(0, address.rfind(':')); };
  const auto cut = [&](std::string_view value) { return shown(piece.length_max > 0 ? value.substr(0, piece.length_max) : value); };
  const auto millis = [](Duration took) { return std::to_string(took.count() / 1000); };
  switch (piece.what) {
    case Operator::kLiteral: return piece.text;
    case Operator::kStartTime: return write_time(facts.start, piece.text);
    case Operator::kRequest:
    case Operator::kRequestNoQuery: {
      std::string_view value = request_value(facts, piece.text);
      if (value.empty() && !piece.otherwise.empty()) value = request_value(facts, piece.otherwise);
      return cut(piece.what == Operator::kRequest ? value : value.substr(0, value.find('?')));
    }
    case Operator::kReply:
    case Operator::kTrailer: {
      const auto& headers = piece.what == Operator::kReply ? facts.reply_headers : facts.trailers;
      const std::string_view value = find(headers, piece.text);
      return cut(value.empty() && !piece.otherwise.empty() ? find(headers, piece.otherwise) : value);
    }
    case Operator::kProtocol: return shown(facts.protocol);
    case Operator::kStatus: return std::to_string(facts.status);
    case Operator::kDetails: return shown(facts.details);
    case Operator::kFlags: return shown(facts.flags);
    case Operator::kReceived: return std::to_string(facts.received);
    case Operator::kSent: return std::to_string(facts.sent);
    case Operator::kDuration: return millis(facts.took);
    case Operator::kReplyDuration: return facts.until_head ? millis(*facts.until_head) : "-";
    case Operator::kUpstreamHost: return shown(facts.upstream_host);
    case Operator::kUpstreamCluster: return shown(facts.upstream_cluster);
    case Operator::kRoute: return shown(facts.route);
    case Operator::kDownstream: return shown(facts.downstream);
    case Operator::kDownstreamIp: return shown(without_port(facts.downstream));
    case Operator::kLocal: return shown(facts.local);
    case Operator::kLocalIp: return shown(without_port(facts.local));
    case Operator::kLocalPort: {
      const auto colon = facts.local.rfind(':');
      return colon == std::string::npos ? "-" : facts.local.substr(colon + 1);
    }
    case Operator::kRequestedName: return shown(facts.requested_name);
    case Operator::kHostName: return shown(host_name());
    case Operator::kGrpcStatus: return facts.grpc_status ? grpc_name(*facts.grpc_status) : "-";
    case Operator::kOwnBody: return shown(facts.own_body);
    case Operator::kGrpcNumber: return facts.grpc_status ? std::to_string(*facts.grpc_status) : "-";
  }
  return {};
}

std::string AccessFormat::write(const Pieces& pieces, const AccessFacts& facts) {
  std::string out;
  for (const Piece& piece : pieces) out += write(piece, facts);
  return out;
}

// A value that is one operator keeps its type, as Envoy's do: numbers are numbers, and what is absent is null.
std::string AccessFormat::line(const AccessFacts& facts) const {
  if (!is_json_) return write(text_, facts);
  std::string out = "{";
  for (const auto& [name, pieces] : members_) {
    if (out.size() > 1) out += ',';
    append_json_text(out, name);
    out += ':';
    const std::string value = write(pieces, facts);
    const bool is_alone = pieces.size() == 1 && pieces[0].what != Operator::kLiteral;
    const Operator what = is_alone ? pieces[0].what : Operator::kLiteral;
    const bool is_number = what == Operator::kStatus || what == Operator::kReceived || what == Operator::kSent || what == Operator::kDuration || what == Operator::kReplyDuration ||
                           what == Operator::kLocalPort || what == Operator::kGrpcNumber;
    if (is_alone && value == "-") out += "null";
    else if (is_number) out += value;
    else append_json_text(out, value);
  }
  return out + "}";
}

}  // namespace reef::edge::mesh
