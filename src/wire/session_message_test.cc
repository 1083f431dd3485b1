#include "wire/session_message.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

SessionMessage example() {
  return {.type = "input_stream_data", .created_ms = 1503434274948, .sequence = 2, .flags = 3, .id = "0123456789abcdef", .payload_type = SessionPayload::kOutput, .payload = "ls\n"};
}

TEST(SessionMessage, IsReadAsItWasWritten) {
  const std::string bytes = encode_session_message(example());
  EXPECT_EQ(bytes.size(), 120u + 3);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\0\0\0\x74", 4));
  EXPECT_EQ(bytes.substr(4, 32), "input_stream_data               ");
  EXPECT_EQ(bytes.substr(64, 16), "89abcdef01234567");
  const auto back = parse_session_message(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->type, "input_stream_data");
  EXPECT_EQ(back->created_ms, 1503434274948u);
  EXPECT_EQ(back->sequence, 2);
  EXPECT_EQ(back->flags, 3u);
  EXPECT_EQ(back->id, "0123456789abcdef");
  EXPECT_EQ(back->payload_type, SessionPayload::kOutput);
  EXPECT_EQ(back->payload, "ls\n");
}

TEST(SessionMessage, WhatIsNotWholeIsRefused) {
  const std::string bytes = encode_session_message(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse_session_message(bytes.substr(0, size))) << size;
  EXPECT_FALSE(parse_session_message(bytes + "x"));
  std::string other = bytes;
  other.back() = '!';
  EXPECT_FALSE(parse_session_message(other));
  other = bytes;
  other[0] = '\x7f';
  EXPECT_FALSE(parse_session_message(other));
}

TEST(SessionMessage, NamesItsId) { EXPECT_EQ(session_message_id_text(std::string("\xdb\x2f\x1d\xd7\x6f\x1f\x4a\xbc\x80\x01\x02\x03\x04\x05\x06\x07", 16)), "db2f1dd7-6f1f-4abc-8001-020304050607"); }

}  // namespace
}  // namespace reef::wire
