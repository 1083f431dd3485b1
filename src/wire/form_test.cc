#include "wire/form.h"

#include <gtest/gtest.h>

#include "wire/cbor.h"
#include "wire/event_stream.h"

namespace reef::wire {
namespace {

TEST(Form, DecodesAndFindsByPath) {
  const Form form("a=1&b.member.10=x&b.member.2=y+z&c=%41%zz&&d&b.member.2.k=1&bb=2");
  EXPECT_EQ(form.value("a"), "1");
  EXPECT_EQ(form.value("c"), "A%zz");
  EXPECT_EQ(form.value("b.member.2"), "y z");
  EXPECT_FALSE(form.find("d")->has_value);
  EXPECT_EQ(form.indices("b.member."), (std::vector<std::uint32_t>{2, 10}));
  EXPECT_TRUE(form.contains("b"));
  EXPECT_FALSE(form.contains("e"));
}

TEST(Cbor, ReadsWhatItWrites) {
  std::string bytes;
  CborWriter out(bytes);
  out.begin_map();
  out.text("a"), out.integer(-70000);
  out.text("b"), out.bytes("\x01\x02");
  out.text("c"), out.epoch(1.5);
  out.text("d"), out.begin_array(), out.boolean(true), out.null(), out.end();
  out.end();
  const auto json = cbor_to_json(bytes);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->dump(), R"({"a":-70000,"b":"AQI=","c":1.5,"d":[true,null]})");
  EXPECT_FALSE(cbor_to_json(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(cbor_to_json(std::string(1000, '\x9F')));
}

TEST(EventStream, ReadsWhatItWritesAndChecksSums) {
  std::string bytes;
  append_event(bytes, {.headers = {{":event-type", EventHeader::Type::kString, "PayloadChunk"}, {"t", EventHeader::Type::kTrue, ""}}, .payload = "abc"});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view part(bytes.data(), size);
    EventMessage message;
    const auto taken = take_event(part, message);
    ASSERT_TRUE(taken);
    EXPECT_FALSE(*taken);
  }
  std::string_view in = bytes;
  EventMessage message;
  ASSERT_TRUE(*take_event(in, message));
  EXPECT_EQ(message.header(":event-type"), "PayloadChunk");
  EXPECT_EQ(message.payload, "abc");
  EXPECT_TRUE(in.empty());
  bytes[bytes.size() - 6] ^= 1;
  in = bytes;
  EXPECT_FALSE(take_event(in, message));
}

}  // namespace
}  // namespace reef::wire
