#include "engine/edge/balancer/head.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace reef::edge {
namespace {

using wire::Http1Field;
using wire::Http1Head;

std::string_view name_of(std::string_view bytes, const Http1Field& field) { return bytes.substr(field.name_at, field.name_size); }
std::string_view value_of(std::string_view bytes, const Http1Field& field) { return bytes.substr(field.value_at, field.value_size); }

bool is(std::string_view name, std::string_view lower) { return equals_ignoring_case(name, lower); }

// Concern one connection only, or are the balancer's to set. Sizes first: most names are none of these.
bool is_replaced(std::string_view name, bool is_upgrade, bool keeps_forwarded_for) {
  switch (name.size()) {
    case 2: return is(name, "te");
    case 4: return is(name, "host");
    case 7: return is(name, "upgrade") && !is_upgrade;
    case 10: return is(name, "connection") || is(name, "keep-alive");
    case 15: return (is(name, "x-forwarded-for") && !keeps_forwarded_for) || is(name, "x-amzn-trace-id");
    case 16: return is(name, "x-forwarded-port") || is(name, "proxy-connection");
    case 17: return is(name, "x-forwarded-proto");
    case 18: return is(name, "x-amzn-tls-version");
    case 23: return is(name, "x-amzn-tls-cipher-suite");
    default: return false;
  }
}

bool is_certificate(std::string_view name) { return name.size() >= 22 && is(name.substr(0, 22), "x-amzn-mtls-clientcert"); }

bool is_changed(std::string_view name, const ReplyChanges& changes) {
  if (!changes.shows_server && is(name, "server")) return true;
  return std::any_of(changes.headers.begin(), changes.headers.end(), [&](const auto& header) { return equals_ignoring_case(name, header.first); });
}

bool is_plain_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

// Unless it is preserved, the Host loses a usual port and gains that of a listener at another one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#host-header-preservation
void append_host(std::string& out, const RequestFacts& facts, bool preserves, std::string_view listener_port) {
  if (facts.host_is_rewritten) return append_field(out, "Host", facts.host);
  if (preserves && facts.host_headers > 0) return append_field(out, "Host", facts.host_header);
  std::string_view host = facts.host;
  const auto colon = host.rfind(':'), bracket = host.rfind(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  const bool is_usual = listener_port == "80" || listener_port == "443";
  if (is_usual && has_port && (host.substr(colon) == ":80" || host.substr(colon) == ":443")) host = host.substr(0, colon);
  out += "Host: ";
  out += host;
  if (!is_usual && !has_port && !host.empty()) {
    out += ':';
    out += listener_port;
  }
  out += "\r\n";
}

// Copies the lines of all fields but those that `drops` names, in runs: lines follow each other in the bytes.
template <class Drops>
void append_lines(std::string& out, std::string_view bytes, const Http1Head& head, const Drops& drops) {
  std::size_t run = std::string_view::npos;
  for (const Http1Field& field : head.fields) {
    if (!drops(name_of(bytes, field))) {
      if (run == std::string_view::npos) run = field.name_at;
      continue;
    }
    if (run != std::string_view::npos) out.append(bytes, run, field.name_at - run);
    run = std::string_view::npos;
  }
  // The head ends with an empty line.
  if (run != std::string_view::npos) out.append(bytes, run, bytes.size() - 2 - run);
}

void append_hex(std::string& out, std::uint64_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
}

}  // namespace

RequestFacts read_facts(std::string_view bytes, const Http1Head& head) {
  RequestFacts out;
  out.target = bytes.substr(head.target_at, head.target_size);
  for (const Http1Field& field : head.fields) {
    const std::string_view name = name_of(bytes, field);
    switch (name.size()) {
      case 4:
        if (is(name, "host")) {
          out.host = out.host_header = value_of(bytes, field);
          ++out.host_headers;
        }
        break;
      case 6:
        if (out.cookie.empty() && is(name, "cookie")) out.cookie = value_of(bytes, field);
        break;
      case 7:
        if (is(name, "upgrade")) out.upgrade = value_of(bytes, field);
        break;
      case 12:
        if (is(name, "content-type")) out.is_grpc = value_of(bytes, field).starts_with("application/grpc");
        break;
      case 15:
        if (is(name, "x-amzn-trace-id")) out.trace = value_of(bytes, field);
        else if (!out.has_forwarded_for && is(name, "x-forwarded-for")) {
          out.forwarded_for = value_of(bytes, field);
          out.has_forwarded_for = true;
        }
        break;
      default: break;
    }
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!out.target.starts_with(scheme)) continue;
    const auto slash = out.target.find('/', scheme.size());
    out.host = out.target.substr(scheme.size(), slash == std::string_view::npos ? slash : slash - scheme.size());
    out.target = slash == std::string_view::npos ? std::string_view("/") : out.target.substr(slash);
  }
  return out;
}

void append_balancer_fields(std::string& out, const RequestFacts& facts, const HeadSettings& settings, const HeadContext& context, std::string_view trace) {
  if (settings.forwarded_for == ForwardedFor::kAppend) {
    out += "X-Forwarded-For: ";
    if (facts.has_forwarded_for) {
      out += facts.forwarded_for;
      out += ", ";
    }
    out += context.client_ip;
    if (settings.forwards_client_port) {
      out += ':';
      out += context.client_port;
    }
    out += "\r\n";
  }
  out += context.is_tls ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n";
  append_field(out, "X-Forwarded-Port", context.listener_port);
  append_host(out, facts, settings.preserves_host, context.listener_port);
  append_field(out, "X-Amzn-Trace-Id", trace);
  out += context.identity;
  if (context.is_upgrade) out += "Connection: upgrade\r\n";
}

bool passes(std::string_view name, const HeadSettings& settings, const HeadContext& context) {
  return !is_replaced(name, context.is_upgrade, settings.forwarded_for == ForwardedFor::kPreserve) && !(settings.drops_invalid_names && !is_plain_name(name)) &&
         !(settings.tells_certificates && is_certificate(name));
}

void append_request_head(std::string& out, std::string_view bytes, const Http1Head& head, const RequestFacts& facts, const HeadSettings& settings,
                         const HeadContext& context, std::string_view trace) {
  out.append(bytes, 0, head.method_size);
  out += ' ';
  out += facts.target;
  out += " HTTP/1.1\r\n";
  append_balancer_fields(out, facts, settings, context, trace);
  append_lines(out, bytes, head, [&](std::string_view name) { return !passes(name, settings, context); });
  out += "\r\n";
}

std::string make_trace(std::string_view given, std::int64_t seconds, std::uint64_t random_high, std::uint64_t random_low) {
  std::string own = "1-";
  append_hex(own, static_cast<std::uint64_t>(seconds), 8);
  own += '-';
  append_hex(own, random_high, 8);
  append_hex(own, random_low, 16);
  if (given.empty()) return "Root=" + own;
  std::string out = "Self=" + own;
  // What is passed on keeps its Root; an earlier balancer's Self is replaced.
  bool has_root = false;
  for (const std::string_view part : split(given, ';')) {
    const std::string_view piece = trim(part);
    if (piece.empty() || piece.starts_with("Self=")) continue;
    has_root = has_root || piece.starts_with("Root=");
    out += ';';
    out += piece;
  }
  if (!has_root) out.replace(0, 5, "Root=");
  return out;
}

void append_reply_head(std::string& out, std::string_view bytes, const Http1Head& head, const ReplyHead& how, std::string_view date) {
  // "HTTP/1.x 200 OK\r\n", always in our own version.
  const std::size_t first_field = head.fields.empty() ? bytes.size() - 2 : head.fields.front().name_at;
  out += "HTTP/1.1";
  out.append(bytes, 8, first_field - 8);
  bool has_date = head.status < 200;
  append_lines(out, bytes, head, [&](std::string_view name) {
    if (how.changes && is_changed(name, *how.changes)) return true;
    switch (name.size()) {
      case 4: has_date = has_date || is(name, "date"); return false;
      case 7: return is(name, "upgrade") && !how.is_upgrade;
      case 10: return is(name, "connection") || is(name, "keep-alive");
      case 16: return is(name, "proxy-connection");
      case 17: return how.unchunk && is(name, "transfer-encoding");
      default: return false;
    }
  });
  if (!has_date) append_field(out, "Date", date);
  out += how.extra;
  if (how.changes && head.status >= 200) out += how.changes->lines;
  if (how.chunk) out += "Transfer-Encoding: chunked\r\n";
  if (how.is_upgrade) out += "Connection: upgrade\r\n";
  else if (head.status >= 200) out += how.keeps_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  out += "\r\n";
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Not Allowed";
    case 408: return "Request Time-out";
    case 413: return "Request Entity Too Large";
    case 414: return "Request-URI Too Large";
    case 429: return "Too Many Requests";
    case 460: return "Client Closed Connection";
    case 463: return "Bad Request";
    case 464: return "Incompatible Protocol Versions";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Temporarily Unavailable";
    case 504: return "Gateway Time-out";
    case 505: return "HTTP Version Not Supported";
    case 561: return "Unauthorized";
    default: return status < 300 ? "OK" : status < 400 ? "Found" : status < 500 ? "Bad Request" : "Internal Server Error";
  }
}

void append_answer(std::string& out, int status, std::string_view content_type, std::string_view body, std::string_view extra, bool keeps_alive,
                   bool without_body, std::string_view date, bool shows_server) {
  char number[24];
  out += "HTTP/1.1 ";
  out.append(number, std::to_chars(number, number + sizeof number, status).ptr);
  out += ' ';
  out += reason_of(status);
  out += shows_server ? "\r\nServer: awselb/2.0\r\n" : "\r\n";
  append_field(out, "Date", date);
  if (!content_type.empty()) append_field(out, "Content-Type", content_type);
  out += "Content-Length: ";
  out.append(number, std::to_chars(number, number + sizeof number, body.size()).ptr);
  out += keeps_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n";
  out += extra;
  out += "\r\n";
  if (!without_body) out += body;
}

std::string error_page(int status) {
  const std::string title = std::to_string(status) + " " + std::string(reason_of(status));
  return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n</body>\r\n</html>\r\n";
}

}  // namespace reef::edge
