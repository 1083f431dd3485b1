#include "engine/session/channel.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace reef::session {
namespace {

using wire::Json;
using wire::SessionMessage;
using wire::SessionPayload;

// A client and what it was told.
struct World {
  Time now = from_seconds(1000);
  int ids = 0;
  std::string typed, printed;
  bool has_started = false, has_ended = false, is_deaf = false;
  int rows = 0, columns = 0, terminated = 0;
  std::int64_t next_in = 0, next_out = 0;
  std::vector<std::string> types;  // of everything that came
  Channel channel{"s-1", "secret",
                  {.on_start = [this] { has_started = true; },
                   .on_typed = [this](std::string_view bytes) { typed += bytes; },
                   .on_resized =
                       [this](std::uint16_t r, std::uint16_t c) {
                         rows = r;
                         columns = c;
                       },
                   .on_terminate = [this] { ++terminated; }},
                  [this] { return std::string(15, 'i') + static_cast<char>('a' + ids++ % 26); }};

  void send(SessionPayload type, std::string payload, std::int64_t sequence) {
    channel.receive(wire::encode_session_message({.type = "input_stream_data", .sequence = sequence, .id = std::string(16, 'c'), .payload_type = type, .payload = std::move(payload)}), now);
  }
  void send(SessionPayload type, std::string payload) { send(type, std::move(payload), next_out++); }
  void take() {
    for (int round = 0; round < 100; ++round) {
      const auto all = channel.take(now);
      if (all.empty()) return;
      for (const std::string& bytes : all) {
        const auto message = wire::parse_session_message(bytes);
        ASSERT_TRUE(message);
        types.push_back(message->type);
        if (message->type == "channel_closed") has_ended = true;
        if (message->type != "output_stream_data" || is_deaf || message->sequence > next_in) continue;
        channel.receive(wire::encode_session_message({.type = "acknowledge", .id = std::string(16, 'd'), .payload = Json::object({{"AcknowledgedMessageSequenceNumber", message->sequence}}).dump()}), now);
        if (message->sequence < next_in) continue;
        ++next_in;
        if (message->payload_type == SessionPayload::kHandshakeRequest) send(SessionPayload::kHandshakeResponse, "{}");
        if (message->payload_type == SessionPayload::kOutput) printed += message->payload;
      }
    }
  }
  void open() {
    ASSERT_TRUE(channel.open(R"({"TokenValue":"secret"})", now));
    take();
  }
};

TEST(Channel, ShakesHandsThenTypesAndPrints) {
  World world;
  world.channel.print("early ", world.now);
  EXPECT_FALSE(world.has_started);
  world.open();
  EXPECT_TRUE(world.has_started);
  world.send(SessionPayload::kOutput, "ls\r");
  world.send(SessionPayload::kSize, R"({"rows":40,"cols":132})");
  world.channel.print("file\r\n", world.now);
  world.take();
  EXPECT_EQ(world.typed, "ls\r");
  EXPECT_EQ(world.printed, "early file\r\n");
  EXPECT_EQ(world.rows, 40);
  EXPECT_EQ(world.columns, 132);
  EXPECT_FALSE(world.channel.waits());
  world.channel.end("", 3, world.now);
  world.take();
  EXPECT_TRUE(world.has_ended && world.channel.is_over());
}

TEST(Channel, OpensForItsTokenAlone) {
  World world;
  EXPECT_FALSE(world.channel.open(R"({"TokenValue":"other"})", world.now));
  EXPECT_FALSE(world.channel.open("no json", world.now));
  world.send(SessionPayload::kHandshakeResponse, "{}");
  EXPECT_FALSE(world.has_started);
  world.take();
  EXPECT_TRUE(world.types.empty());
}

TEST(Channel, SendsAgainWhatWasNotHeardAndTypesOnce) {
  World world;
  world.open();
  world.is_deaf = true;
  world.channel.print("hello", world.now);
  world.take();
  EXPECT_TRUE(world.channel.waits());
  EXPECT_EQ(world.printed, "");
  world.is_deaf = false;
  world.channel.resend();
  world.take();
  EXPECT_EQ(world.printed, "hello");
  world.send(SessionPayload::kOutput, "a", 1);
  world.send(SessionPayload::kOutput, "a", 1);
  world.send(SessionPayload::kOutput, "c", 3);  // too early
  world.send(SessionPayload::kOutput, "b", 2);
  world.send(SessionPayload::kOutput, "c", 3);
  EXPECT_EQ(world.typed, "abc");
}

TEST(Channel, SaysItIsOverAfterEverythingPrinted) {
  World world;
  world.open();
  world.is_deaf = true;
  world.channel.print(std::string(100'000, 'x'), world.now);
  world.channel.end("", std::nullopt, world.now);
  world.take();
  EXPECT_FALSE(world.has_ended);
  world.is_deaf = false;
  world.channel.resend();
  world.take();
  EXPECT_EQ(world.printed.size(), 100'000u);
  EXPECT_TRUE(world.has_ended);
}

TEST(Channel, ClientsMayEndIt) {
  World world;
  world.open();
  world.send(SessionPayload::kFlag, std::string("\0\0\0\2", 4));
  EXPECT_EQ(world.terminated, 1);
}

}  // namespace
}  // namespace reef::session
