#include "engine/function/log_lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace reef::function {
namespace {

TEST(LineSplitter, JoinsPiecesAndKeepsBreaksInsideMessages) {
  LineSplitter splitter(true);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  splitter.add("a", take);
  splitter.add("b\nc\rd\r\n\n", take);
  splitter.add("end", take);
  EXPECT_EQ(lines, (std::vector<std::string>{"ab", "c\nd"}));
  splitter.flush(take);
  EXPECT_EQ(lines.back(), "end");
}

TEST(LineSplitter, CutsEndlessLines) {
  LineSplitter splitter(false);
  std::size_t count = 0;
  for (int i = 0; i < 10; ++i) splitter.add(std::string(100'000, 'x'), [&](std::string_view line) { ++count; EXPECT_LE(line.size(), LineSplitter::kLineBytesMax); });
  EXPECT_EQ(count, 3u);
}

TEST(LogTail, KeepsTheLastFourKilobytes) {
  LogTail tail;
  for (int i = 0; i < 100; ++i) tail.add(std::string(99, 'a' + i % 26));
  EXPECT_EQ(tail.text().size(), 4096u);
  EXPECT_EQ(tail.text().back(), '\n');
}

TEST(Report, IsFormattedAsAwsDoes) {
  EXPECT_EQ(report_line({.request_id = "r", .duration = 1234us, .memory_mib = 128, .used_bytes = 41 << 20}),
            "REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 41 MB\t\n");
  EXPECT_EQ(report_line({.request_id = "r", .duration = 3s, .init = 100ms, .memory_mib = 128, .status = "timeout"}),
            "REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3100 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\tInit Duration: 100.00 ms\tStatus: timeout\t\n");
}

}  // namespace
}  // namespace reef::function
