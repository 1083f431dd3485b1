#include "engine/edge/route_table.h"

#include <gtest/gtest.h>

namespace reef::edge {
namespace {

TEST(RouteTable, PrefersLiteralsThenParametersThenGreedyThenDefault) {
  RouteTable table;
  table.add("GET", "/orders", 1);
  table.add("GET", "/orders/{id}", 2);
  table.add("ANY", "/orders/{id}", 3);
  table.add("GET", "/orders/new", 4);
  table.add("ANY", "/{proxy+}", 5);
  table.add("POST", "/orders/{id}/items/{rest+}", 6);
  EXPECT_EQ(table.match("GET", "/orders")->route, 1u);
  EXPECT_EQ(table.match("GET", "/orders/")->route, 1u);
  EXPECT_EQ(table.match("GET", "/orders/7")->route, 2u);
  EXPECT_EQ(table.match("PUT", "/orders/7")->route, 3u);
  EXPECT_EQ(table.match("GET", "/orders/new")->route, 4u);
  EXPECT_EQ(table.match("DELETE", "/orders")->route, 5u);
  const auto deep = table.match("POST", "/orders/a%20b/items/x/y");
  ASSERT_TRUE(deep);
  EXPECT_EQ(deep->route, 6u);
  EXPECT_EQ(deep->parameters, (std::vector<std::pair<std::string, std::string>>{{"id", "a b"}, {"rest", "x/y"}}));
  EXPECT_FALSE(table.match("GET", "/"));
  table.set_default(9);
  EXPECT_EQ(table.match("GET", "/")->route, 9u);
}

TEST(RouteTable, NamesTheMethodsOfAPath) {
  RouteTable table;
  table.add("GET", "/a", 1);
  table.add("POST", "/a", 2);
  EXPECT_EQ(table.methods_of("/a"), (std::vector<std::string>{"GET", "POST"}));
  EXPECT_TRUE(table.methods_of("/b").empty());
}

}  // namespace
}  // namespace reef::edge
