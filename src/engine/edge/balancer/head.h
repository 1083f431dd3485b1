// The heads that a balancer writes: the request's as the target gets it, the reply's as the client gets it, and its
// own answers. Pure functions on bytes: headers that pass unchanged are copied as they came, run by run.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/edge/balancer/desync.h"
#include "wire/http1.h"

namespace reef::edge {

enum class ForwardedFor { kAppend, kPreserve, kRemove };

struct HeadSettings {
  DesyncMode desync = DesyncMode::kDefensive;
  ForwardedFor forwarded_for = ForwardedFor::kAppend;
  bool forwards_client_port = false;     // routing.http.xff_client_port.enabled
  bool preserves_host = false;
  bool drops_invalid_names = false;      // names with other than letters, digits and '-'
  bool adds_tls_headers = false;
  bool tells_certificates = false;       // X-Amzn-Mtls-*: whatever came under these names is the client's own claim
};

// What the balancer knows of the connection that a request came on.
struct HeadContext {
  std::string_view client_ip, client_port;
  std::string_view listener_port;   // "443"
  bool is_tls = false;
  std::string_view identity;        // complete header lines about the client's TLS connection
  bool is_upgrade = false;          // "Upgrade" and "Connection: upgrade" pass
};

// What a listener changes in every reply, its own answers included.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html
struct ReplyChanges {
  bool shows_server = true;              // the Server header
  std::vector<std::pair<std::string, std::string>> headers;   // instead of what a target sent under these names
  std::string lines;                     // the same as complete header lines
};

// What routing needs of the headers, found on the one pass over them.
struct RequestFacts {
  std::string_view host;            // Host header, or the authority of an absolute target
  std::string_view target;          // "/path?query"
  std::string_view cookie;          // the first Cookie header
  std::string_view upgrade;         // value of Upgrade
  std::string_view trace;           // X-Amzn-Trace-Id as it came
  std::string_view forwarded_for;
  std::string_view host_header;     // as it came, whatever the target
  bool host_is_rewritten = false;   // goes to the target as it is
  int host_headers = 0;
  bool has_forwarded_for = false;
  bool is_grpc = false;
};
RequestFacts read_facts(std::string_view bytes, const wire::Http1Head& head);

// The balancer's own headers, and whether one of the client's goes to the target beside them: for heads that are put together
// from a message rather than rewritten.
void append_balancer_fields(std::string& out, const RequestFacts& facts, const HeadSettings& settings, const HeadContext& context, std::string_view trace);
bool passes(std::string_view name, const HeadSettings& settings, const HeadContext& context);

// Appends the head for the target. `trace` is the X-Amzn-Trace-Id to send.
void append_request_head(std::string& out, std::string_view bytes, const wire::Http1Head& head, const RequestFacts& facts,
                         const HeadSettings& settings, const HeadContext& context, std::string_view trace);

// "Root=1-67891233-abcdef012345678912345678", or with "Self=" before a trace that came with the request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
std::string make_trace(std::string_view given, std::int64_t seconds, std::uint64_t random_high, std::uint64_t random_low);

struct ReplyHead {
  bool keeps_alive = true;          // of the client's connection
  bool chunk = false;               // add Transfer-Encoding: the target's body ends with its connection
  bool unchunk = false;             // drop Transfer-Encoding: the client is sent the decoded body
  bool is_upgrade = false;
  std::string_view extra;           // complete header lines to add
  const ReplyChanges* changes = nullptr;
};
void append_reply_head(std::string& out, std::string_view bytes, const wire::Http1Head& head, const ReplyHead& how, std::string_view date);

// The balancer's own answers: status, reason and a small page, as AWS sends them.
std::string_view reason_of(int status);
void append_answer(std::string& out, int status, std::string_view content_type, std::string_view body, std::string_view extra, bool keeps_alive,
                   bool without_body, std::string_view date, bool shows_server = true);
std::string error_page(int status);

}  // namespace reef::edge
