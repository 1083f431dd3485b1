// Answers a request through coroutines, for what the connection of the fast path does not do itself: HTTP/2 clients,
// functions, sign-in, targets that speak HTTP/2.
#pragma once

#include <memory>

#include "engine/edge/balancer/loop.h"
#include "http/message.h"

namespace reef::edge {

// A reply to `request` by a target of `group`, streamed both ways. `head` is the request's as HTTP/1.1 bytes; the target that
// answered is noted.
Task<http::Response> forward_http1(BalancerLoop& loop, std::shared_ptr<LoopGroup> group, std::uint64_t sticky, http::Request& request, std::string head,
                                   std::shared_ptr<Target>& chosen_target);

// The same to a target that speaks HTTP/2, gRPC included.
Task<http::Response> forward_http2(BalancerLoop& loop, std::shared_ptr<LoopGroup> group, std::uint64_t sticky, http::Request& request, std::string head,
                                   std::shared_ptr<Target>& chosen_target);

http::Response make_error(int status);

}  // namespace reef::edge
