// Heads that pass through a balancer: whatever is accepted must come out as one head that parses, without the headers
// that the balancer owns being the client's.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/edge/balancer/cookies.h"
#include "engine/edge/balancer/head.h"

using namespace reef;
using namespace reef::edge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  wire::Http1Head head;
  if (const auto parsed = wire::parse_request_head(bytes, 65536, head); parsed.status == wire::Http1Status::kComplete) {
    const std::string_view own = bytes.substr(0, parsed.consumed);
    const RequestFacts facts = read_facts(own, head);
    const GroupSettings group{.stickiness = Stickiness::kBalancerCookie};
    read_target_cookie(facts.cookie, group, Time{});
    const std::string trace = make_trace(facts.trace, 1, 2, 3);
    std::string out;
    append_request_head(out, own, head, facts, {.drops_invalid_names = size % 2 == 0}, {.client_ip = "1.2.3.4", .client_port = "5", .listener_port = "6"}, trace);
    wire::Http1Head again;
    const auto result = wire::parse_request_head(out, out.size() + 1, again);
    // One more field than a head may have is all that can go wrong.
    CHECK(result.status == wire::Http1Status::kComplete || head.fields.size() > 120 || head.minor_version == 0);
    if (result.status == wire::Http1Status::kComplete) {
      CHECK(result.consumed == out.size());
      CHECK(again.content_length == head.content_length && again.chunked == head.chunked);
    }
  }
  if (const auto parsed = wire::parse_response_head(bytes, 65536, head); parsed.status == wire::Http1Status::kComplete) {
    std::string out;
    append_reply_head(out, bytes.substr(0, parsed.consumed), head, {.keeps_alive = size % 2 == 0}, "now");
    wire::Http1Head again;
    const auto result = wire::parse_response_head(out, out.size() + 1, again);
    CHECK(result.status == wire::Http1Status::kComplete || head.fields.size() > 120 || head.minor_version == 0);
    CHECK(result.status != wire::Http1Status::kComplete || (result.consumed == out.size() && again.status == head.status));
  }
  return 0;
}
