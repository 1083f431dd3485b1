#include "wire/http1.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

Http1Status status_of(std::string_view text) {
  Http1Head head;
  return parse_request_head(text, 4096, head).status;
}

TEST(Http1Request, ReadsTheHead) {
  const std::string text = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5 \r\nExpect: 100-continue\r\n\r\nhello";
  Http1Head head;
  const auto result = parse_request_head(text, 4096, head);
  ASSERT_EQ(result.status, Http1Status::kComplete);
  EXPECT_EQ(text.substr(result.consumed), "hello");
  EXPECT_EQ(text.substr(head.target_at, head.target_size), "/a?b=c");
  EXPECT_EQ(head.content_length, 5u);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
}

TEST(Http1Request, EveryPrefixIsIncomplete) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
  for (std::size_t i = 0; i < text.size(); ++i)
    EXPECT_EQ(status_of(text.substr(0, i)), Http1Status::kIncomplete) << i;
}

TEST(Http1Request, RefusesWhatCouldBeSmuggled) {
  for (const char* text : {
           "GET / HTTP/1.1\nHost: x\n\n",
           "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length:\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
           "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
           "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
           "GET / HTTP/1.1\r\n folded: x\r\n\r\n",
           "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
           "GET / HTTP/1.1\r\nA: \x01\r\n\r\n",
           "GET  / HTTP/1.1\r\n\r\n",
           " GET / HTTP/1.1\r\n\r\n",
           "\r\nGET / HTTP/1.1\r\n\r\n",
       })
    EXPECT_EQ(status_of(text), Http1Status::kBad) << text;
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), Http1Status::kUnsupported);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n\r\n"), Http1Status::kVersion);
  EXPECT_EQ(status_of("GET /" + std::string(5000, 'a')), Http1Status::kTooLarge);
}

TEST(Http1Request, KeepAliveFollowsVersionAndConnection) {
  Http1Head head;
  parse_request_head("GET / HTTP/1.0\r\n\r\n", 4096, head);
  EXPECT_FALSE(head.keep_alive);
  parse_request_head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 4096, head);
  EXPECT_TRUE(head.keep_alive);
  parse_request_head("GET / HTTP/1.1\r\nConnection: foo, close\r\n\r\n", 4096, head);
  EXPECT_FALSE(head.keep_alive);
}

struct Decoded {
  std::string body;
  ChunkedDecoder::Event last;
  std::string rest;
};
Decoded decode(std::string_view text, std::size_t step, ChunkedDecoder& decoder) {
  Decoded out{.body = {}, .last = ChunkedDecoder::Event::kNeedMore, .rest = {}};
  while (!text.empty()) {
    std::string_view piece = text.substr(0, step);
    const std::size_t given = piece.size();
    std::string_view data;
    do {
      data = {};
      out.last = decoder.next(piece, data);
      out.body += data;
    } while (out.last == ChunkedDecoder::Event::kData);
    text.remove_prefix(given - piece.size());
    if (out.last != ChunkedDecoder::Event::kNeedMore) break;
  }
  out.rest = text;
  return out;
}

TEST(ChunkedDecoder, JoinsChunksAndReadsTrailersAtAnySplit) {
  for (std::size_t step : {1, 2, 3, 7, 1000}) {
    ChunkedDecoder decoder;
    const auto out = decode("4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\nGET", step, decoder);
    EXPECT_EQ(out.body, "Wikipedia");
    EXPECT_EQ(out.last, ChunkedDecoder::Event::kEnd);
    EXPECT_TRUE(out.rest.starts_with("GET") || step > 3);
    ASSERT_EQ(decoder.trailers().size(), 2u);
    EXPECT_EQ(decoder.trailers()[1], (std::pair<std::string, std::string>("x-b", "2")));
  }
}

TEST(ChunkedDecoder, RefusesMalformedSizes) {
  for (const char* text : {"\r\n", "g\r\n", "4\nWiki", "4\r\nWikiX\r\n", "1000000000000000\r\n", " 4\r\n", "4 \r\n"}) {
    ChunkedDecoder decoder;
    EXPECT_EQ(decode(text, 100, decoder).last, ChunkedDecoder::Event::kBad) << text;
  }
}

}  // namespace
}  // namespace reef::wire
