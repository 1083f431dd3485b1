#include "wire/xml.h"

#include <gtest/gtest.h>

namespace reef::wire {
namespace {

TEST(Xml, WalksElementsTextAndAttributes) {
  XmlReader in("<?xml version='1.0'?><!-- c --><a:r xmlns:a='u'><x k=\"1&amp;2\"/>\n<y>t&#x41;&lt;<![CDATA[<z>]]></y><w><v/></w></a:r>\n");
  std::string_view name;
  std::string text;
  ASSERT_TRUE(in.open_root(name));
  EXPECT_EQ(name, "r");
  ASSERT_TRUE(in.next_child(name));
  EXPECT_EQ(name, "x");
  EXPECT_EQ(in.attribute("k"), "1&2");
  ASSERT_TRUE(in.skip());
  ASSERT_TRUE(in.next_child(name));
  ASSERT_TRUE(in.read_text(text));
  EXPECT_EQ(text, "tA<<z>");
  ASSERT_TRUE(in.next_child(name));
  ASSERT_TRUE(in.skip());
  EXPECT_FALSE(in.next_child(name));
  EXPECT_TRUE(in.finish()) << in.error();
}

TEST(Xml, RefusesWhatIsNotWellFormedOrDangerous) {
  for (const char* text : {"", "x", "<a>", "<a></b>", "<a><b></a></b>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&x;</a>", "<a/><b/>",
                           "<a b=c/>", "<a b='<'/>", "<a>\xFF</a>", "<a>&#0;</a>", "<a><!ELEMENT x></a>"}) {
    XmlReader in(text);
    std::string_view name;
    if (in.open_root(name)) in.skip();
    EXPECT_FALSE(in.finish()) << text;
  }
}

}  // namespace
}  // namespace reef::wire
