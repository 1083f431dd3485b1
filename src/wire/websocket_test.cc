#include "wire/websocket.h"

#include <gtest/gtest.h>

#include <vector>

namespace reef::wire {
namespace {

std::string masked(std::uint8_t first, std::string_view payload) {
  const std::string mask = "\x37\xfa\x21\x3d";
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size());
  }
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

// The example of RFC 6455, 1.3.
TEST(WebSocket, AcceptsAKey) { EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); }

TEST(WebSocket, ReadsMessagesInPieces) {
  const std::string bytes = masked(0x81, "Hello") + masked(0x02, std::string(300, 'a')) + masked(0x89, "ping") + masked(0x80, "b");
  WebSocketReader reader(1000);
  std::vector<WebSocketMessage> all;
  for (const char byte : bytes) {
    reader.add({&byte, 1});
    while (auto message = reader.next()) all.push_back(*std::move(message));
  }
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].kind, WebSocketKind::kText);
  EXPECT_EQ(all[0].payload, "Hello");
  EXPECT_EQ(all[1].kind, WebSocketKind::kPing);
  EXPECT_EQ(all[2].payload, std::string(300, 'a') + "b");
  EXPECT_FALSE(reader.failed());
}

TEST(WebSocket, RefusesWhatNoClientMaySend) {
  for (const std::string& bad : {std::string("\x81\x01x", 3), masked(0x83, "x"), masked(0x80, "x"), masked(0xC1, "x"), masked(0x09, "x"), masked(0x82, std::string(2000, 'x'))}) {
    WebSocketReader reader(1000);
    reader.add(bad);
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.failed());
  }
}

TEST(WebSocket, WritesEveryLength) {
  EXPECT_EQ(websocket_frame(WebSocketKind::kText, "hi"), "\x81\x02hi");
  EXPECT_EQ(websocket_frame(WebSocketKind::kBinary, std::string(126, 'x')).substr(0, 4), std::string("\x82\x7e\x00\x7e", 4));
  EXPECT_EQ(websocket_frame(WebSocketKind::kBinary, std::string(70000, 'x')).substr(0, 10), std::string("\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70", 10));
}

}  // namespace
}  // namespace reef::wire
