#include "wire/multipart.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

TEST(Multipart, ReadsFieldsAndFiles) {
  const std::string body =
      "--x1\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na/${filename}\r\n--x1\r\n"
      "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x1\r\n"
      "Content-Disposition: form-data; name=\"file\"; filename=\"my \\\"file\\\".txt\"\r\nContent-Type: text/plain\r\n\r\nline\r\n--x\r\n--x1--\r\n";
  const auto parts = parse_form_data(body, "x1");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[0].name, "key");
  EXPECT_EQ((*parts)[0].content, "a/${filename}");
  EXPECT_FALSE((*parts)[0].file_name);
  EXPECT_EQ((*parts)[1].content, "");
  EXPECT_EQ((*parts)[2].file_name, "my \"file\".txt");
  EXPECT_EQ((*parts)[2].content_type, "text/plain");
  EXPECT_EQ((*parts)[2].content, "line\r\n--x");
}

TEST(Multipart, RefusesWhatHasNoEndOrName) {
  EXPECT_FALSE(parse_form_data("", "x"));
  EXPECT_FALSE(parse_form_data("--x\r\n\r\nbody\r\n--x--", "x"));
  EXPECT_FALSE(parse_form_data("--x\r\nContent-Disposition: form-data; name=a\r\n\r\nbody", "x"));
  EXPECT_FALSE(parse_form_data("--x\r\nContent-Disposition: form-data; name=\"a\r\n\r\nbody\r\n--x--", "x"));
  EXPECT_TRUE(parse_form_data("preamble\r\n--x--", "x"));
}

TEST(Multipart, FindsTheBoundary) {
  EXPECT_EQ(form_data_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(form_data_boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), "a b");
  EXPECT_FALSE(form_data_boundary("multipart/form-data"));
  EXPECT_FALSE(form_data_boundary("text/plain; boundary=abc"));
}

}  // namespace
}  // namespace reef::wire
