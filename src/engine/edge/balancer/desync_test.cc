#include "engine/edge/balancer/desync.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

std::string told(const std::string& head) {
  wire::Http1Head parsed;
  const auto result = wire::parse_request_head(head, 65536, parsed);
  const DesyncVerdict verdict = result.status == wire::Http1Status::kComplete ? classify(head, parsed) : repair(head).verdict;
  return std::string(name_of(verdict.of)) + " " + std::string(verdict.reason);
}
std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }
std::string post(const std::string& fields) { return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }

}  // namespace

TEST(Desync, ClassifiesAsDocumented) {
  EXPECT_EQ(told(get("")), "Compliant ");
  EXPECT_EQ(told(post("Content-Length: 5\r\n")), "Compliant ");
  EXPECT_EQ(told(get("Content-Length: 0\r\n")), "Acceptable GetHeadZeroContentLength");
  EXPECT_EQ(told(get("X: \xC3\xA4\r\n")), "Acceptable NonCompliantHeader");
  EXPECT_EQ(told(get("X: a\x01\r\n")), "Acceptable NonCompliantHeader");
  EXPECT_EQ(told("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), "Acceptable SpaceInUri");
  EXPECT_EQ(told("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), "Acceptable NonCompliantVersion");
  EXPECT_EQ(told(get("Content-Length: 5\r\n")), "Ambiguous UndefinedContentLengthSemantics");
  EXPECT_EQ(told(get("Transfer-Encoding: chunked\r\n")), "Ambiguous UndefinedTransferEncodingSemantics");
  EXPECT_EQ(told(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), "Ambiguous BothTeClPresent");
  EXPECT_EQ(told(post("Content-Length: 5\r\nContent-Length: 5\r\n")), "Ambiguous DuplicateContentLength");
  EXPECT_EQ(told(post("Transfer_Encoding: chunked\r\n")), "Ambiguous SuspiciousHeader");
  EXPECT_EQ(told(post("Transfer-Encoding : chunked\r\n")), "Ambiguous SuspiciousHeader");
  EXPECT_EQ(told(get(": x\r\n")), "Ambiguous EmptyHeader");
  EXPECT_EQ(told("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"), "Ambiguous AmbiguousUri");
  EXPECT_EQ(told(post("Content-Length: 5\r\nContent-Length: 6\r\n")), "Severe MultipleContentLength");
  EXPECT_EQ(told(post("Content-Length: +5\r\n")), "Severe BadContentLength");
  EXPECT_EQ(told(post("Transfer-Encoding: xchunked\r\n")), "Severe BadTransferEncoding");
  EXPECT_EQ(told(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), "Severe MultipleTransferEncodingChunked");
  EXPECT_EQ(told(get(std::string("X: a\0b\r\n", 8))), "Severe BadHeader");
  EXPECT_EQ(told(get(" folded\r\n")), "Severe BadHeader");
  EXPECT_EQ(told("G@T / HTTP/1.1\r\nHost: a\r\n\r\n"), "Severe BadMethod");
  EXPECT_EQ(told("GET / HTPP/1.1\r\nHost: a\r\n\r\n"), "Severe BadVersion");
}

TEST(Desync, ModesBlockWhatTheyShould) {
  using enum DesyncClass;
  for (const auto& [of, monitor, defensive, strictest] : {std::tuple(kCompliant, false, false, false), std::tuple(kAcceptable, false, false, true),
                                                          std::tuple(kAmbiguous, false, false, true), std::tuple(kSevere, false, true, true)}) {
    EXPECT_EQ(is_blocked(of, DesyncMode::kMonitor), monitor);
    EXPECT_EQ(is_blocked(of, DesyncMode::kDefensive), defensive);
    EXPECT_EQ(is_blocked(of, DesyncMode::kStrictest), strictest);
  }
}

TEST(Desync, WhatIsForwardedHasOneFraming) {
  EXPECT_EQ(*repair(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nA: b\r\n")).clean, "POST / HTTP/1.1\r\nHost: a\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(*repair(post("Content-Length: 5\r\nContent-Length: 5\r\n")).clean, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(*repair("GET /a b HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\n").clean, "GET /a%20b HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(repair(post("Content-Length: 5\r\nContent-Length: 6\r\n")).clean);
}

}  // namespace reef::edge
