#include "engine/edge/balancer/head.h"

#include <gtest/gtest.h>

#include "engine/edge/balancer/plan.h"

namespace reef::edge {
namespace {

std::string forwarded(std::string_view bytes, HeadSettings settings = {}, bool is_upgrade = false) {
  wire::Http1Head head;
  EXPECT_EQ(wire::parse_request_head(bytes, 65536, head).status, wire::Http1Status::kComplete);
  std::string out;
  append_request_head(out, bytes, head, read_facts(bytes, head), settings,
                      {.client_ip = "10.0.0.7", .client_port = "1234", .listener_port = "443", .is_tls = true,
                       .identity = settings.adds_tls_headers ? "X-Amzn-Tls-Version: TLSv1.3\r\nX-Amzn-Tls-Cipher-Suite: X\r\n" : "", .is_upgrade = is_upgrade},
                      "Root=1-a-b");
  return out;
}

std::string replied(std::string_view bytes, ReplyHead how = {}) {
  wire::Http1Head head;
  EXPECT_EQ(wire::parse_response_head(bytes, 65536, head).status, wire::Http1Status::kComplete);
  std::string out;
  append_reply_head(out, bytes, head, how, "now");
  return out;
}

TEST(Head, ARequestKeepsItsHeadersAndGainsTheBalancers) {
  EXPECT_EQ(forwarded("GET /a?b HTTP/1.1\r\nHost: h\r\nX-One:  1 \r\nConnection: close\r\nX-Two: 2\r\nTE: trailers\r\n\r\n"),
            "GET /a?b HTTP/1.1\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nHost: h\r\nX-Amzn-Trace-Id: Root=1-a-b\r\n"
            "X-One:  1 \r\nX-Two: 2\r\n\r\n");
}

TEST(Head, WhatAClientClaimsOfTheBalancerIsReplaced) {
  const std::string out = forwarded("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Port: 1\r\nX-Amzn-Tls-Version: none\r\n\r\n",
                                    {.adds_tls_headers = true});
  EXPECT_NE(out.find("X-Forwarded-For: 1.1.1.1, 10.0.0.7\r\n"), std::string::npos);
  EXPECT_NE(out.find("X-Amzn-Tls-Version: TLSv1.3\r\n"), std::string::npos);
  for (const char* gone : {"gopher", "Port: 1\r", "none"}) EXPECT_EQ(out.find(gone), std::string::npos) << gone;
}

TEST(Head, ForwardedForInEachMode) {
  const char* request = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n";
  EXPECT_NE(forwarded(request, {.forwarded_for = ForwardedFor::kPreserve}).find("X-Forwarded-For: 1.1.1.1\r\n"), std::string::npos);
  EXPECT_EQ(forwarded(request, {.forwarded_for = ForwardedFor::kRemove}).find("X-Forwarded-For"), std::string::npos);
  EXPECT_NE(forwarded(request, {.forwards_client_port = true}).find("X-Forwarded-For: 1.1.1.1, 10.0.0.7:1234\r\n"), std::string::npos);
}

TEST(Head, OddNamesAreDroppedOnRequest) {
  const char* request = "GET / HTTP/1.1\r\nHost: h\r\nX_Odd: 1\r\nX-Even: 2\r\n\r\n";
  EXPECT_NE(forwarded(request).find("X_Odd"), std::string::npos);
  EXPECT_EQ(forwarded(request, {.drops_invalid_names = true}).find("X_Odd"), std::string::npos);
}

TEST(Head, UpgradesPassWhenTheyAreMeant) {
  const char* request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  EXPECT_EQ(forwarded(request).find("websocket"), std::string::npos);
  const std::string out = forwarded(request, {}, true);
  EXPECT_NE(out.find("Upgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(out.find("Connection: upgrade\r\n"), std::string::npos);
}

TEST(Head, AbsoluteTargetsNameTheHost) {
  wire::Http1Head head;
  const std::string_view bytes = "GET http://other:81/x HTTP/1.1\r\nHost: h\r\n\r\n";
  wire::parse_request_head(bytes, 65536, head);
  const RequestFacts facts = read_facts(bytes, head);
  EXPECT_EQ(facts.host, "other:81");
  EXPECT_EQ(facts.target, "/x");
}

TEST(Head, RepliesLoseWhatConcernsTheConnection) {
  EXPECT_EQ(replied("HTTP/1.0 418 Teapot\r\nConnection: close\r\nKeep-Alive: 5\r\nA: 1\r\nDate: then\r\n\r\n"),
            "HTTP/1.1 418 Teapot\r\nA: 1\r\nDate: then\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(replied("HTTP/1.1 200 OK\r\n\r\n", {.keeps_alive = false, .chunk = true, .extra = "X: y\r\n"}),
            "HTTP/1.1 200 OK\r\nDate: now\r\nX: y\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(replied("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n", {.unchunk = true}), "HTTP/1.1 200 OK\r\nA: b\r\nDate: now\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Head, Traces) {
  EXPECT_EQ(make_trace({}, 0x67891233, 0xabcdef01, 0x2345678912345678), "Root=1-67891233-abcdef012345678912345678");
  EXPECT_EQ(make_trace("Root=1-x-y; Self=1-old ;CalledFrom=app", 1, 2, 3), "Self=1-00000001-000000020000000000000003;Root=1-x-y;CalledFrom=app");
  EXPECT_EQ(make_trace("CalledFrom=app", 1, 2, 3), "Root=1-00000001-000000020000000000000003;CalledFrom=app");
}

TEST(Plan, Locations) {
  const Redirect secure{.protocol = "HTTPS", .port = "443"};
  EXPECT_EQ(make_location(secure, "http", "h", 80, "/a/b", "c=d"), "https://h:443/a/b?c=d");
  EXPECT_EQ(make_location(secure, "http", "h", 80, "/", ""), "https://h:443/");
  const Redirect moved{.host = "www.#{host}", .path = "/v2/#{path}/#{other}", .query = "from=#{protocol}&#{query}"};
  EXPECT_EQ(make_location(moved, "http", "h", 8080, "/x", "y"), "http://www.h:8080/v2/x/#{other}?from=http&y");
  EXPECT_EQ(make_location({.path = "/#{path"}, "http", "h", 80, "/x", ""), "http://h:80/#{path");
}

TEST(Head, TheHostTellsAnUnusualPortUnlessItIsPreserved) {
  const auto host = [](std::string_view bytes, bool preserves) {
    wire::Http1Head head;
    EXPECT_EQ(wire::parse_request_head(bytes, 65536, head).status, wire::Http1Status::kComplete);
    std::string out;
    append_request_head(out, bytes, head, read_facts(bytes, head), {.preserves_host = preserves}, {.client_ip = "10.0.0.7", .client_port = "1", .listener_port = "8080"}, "t");
    const auto at = out.find("Host: ") + 6;
    return out.substr(at, out.find('\r', at) - at);
  };
  EXPECT_EQ(host("GET / HTTP/1.1\r\nHost: h\r\n\r\n", false), "h:8080");
  EXPECT_EQ(host("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true), "h");
  EXPECT_EQ(host("GET / HTTP/1.1\r\nHost: h:1\r\n\r\n", false), "h:1");
  EXPECT_EQ(host("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", false), "[::1]:8080");
  EXPECT_EQ(host("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", false), "other:8080");
  EXPECT_EQ(host("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", true), "h");
}

TEST(Head, ARepliesHeadersAreReplacedByTheListeners) {
  const ReplyChanges changes{.shows_server = false, .headers = {{"X-Frame-Options", "DENY"}}, .lines = "X-Frame-Options: DENY\r\n"};
  EXPECT_EQ(replied("HTTP/1.1 200 OK\r\nServer: x\r\nDate: d\r\nx-frame-options: no\r\nA: b\r\nContent-Length: 0\r\n\r\n", {.changes = &changes}),
            "HTTP/1.1 200 OK\r\nDate: d\r\nA: b\r\nContent-Length: 0\r\nX-Frame-Options: DENY\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace reef::edge
