#include "engine/edge/mesh/routes.h"

#include <gtest/gtest.h>

namespace reef::edge::mesh {
namespace {

struct Asked final : RouteRequest {
  std::vector<std::pair<std::string, std::string>> headers;
  bool any_header(std::string_view name, const std::function<bool(std::string_view)>& visit) const override {
    for (const auto& [key, value] : headers)
      if (key == name && visit(value)) return true;
    return false;
  }
};

Asked ask(std::string_view method, std::string_view path, std::vector<std::pair<std::string, std::string>> headers = {}) {
  Asked out;
  out.method = method;
  out.path = path.substr(0, path.find('?'));
  out.query = path.find('?') == std::string_view::npos ? std::string_view{} : path.substr(path.find('?') + 1);
  out.headers = std::move(headers);
  return out;
}

Route route(std::string name, RouteMatch match) {
  Route out;
  out.name = std::move(name);
  out.match = std::move(match);
  return out;
}
TextMatch text(TextMatch::Kind kind, std::string value) { return {.kind = kind, .text = std::move(value)}; }
std::string name_of(const Route* found) { return found ? found->name : ""; }

TEST(MeshRoutes, TheFirstThatIsMet) {
  const Routes routes({route("exact", {.path = text(TextMatch::Kind::kExact, "/orders")}), route("prefix", {.path = text(TextMatch::Kind::kPrefix, "/orders/")}),
                       route("regex", {.path = text(TextMatch::Kind::kRegex, "/items/[0-9]+")})});
  EXPECT_EQ(name_of(routes.find(ask("GET", "/orders"))), "exact");
  EXPECT_EQ(name_of(routes.find(ask("GET", "/orders/7"))), "prefix");
  EXPECT_EQ(name_of(routes.find(ask("GET", "/items/77"))), "regex");
  EXPECT_EQ(name_of(routes.find(ask("GET", "/items/a"))), "");
}

TEST(MeshRoutes, MethodHeadersAndQueries) {
  TextMatch not_beta = text(TextMatch::Kind::kExact, "beta");
  not_beta.negated = true;
  const Routes routes({route("range", {.headers = {{"x-age", {.kind = TextMatch::Kind::kRange, .from = 10, .to = 20}}}}),
                       route("post", {.method = "POST"}), route("query", {.queries = {{"v", "2"}}}), route("others", {.headers = {{"x-track", not_beta}}})});
  EXPECT_EQ(name_of(routes.find(ask("GET", "/", {{"x-age", "19"}}))), "range");
  EXPECT_EQ(name_of(routes.find(ask("GET", "/", {{"x-age", "20"}}))), "others");
  EXPECT_EQ(name_of(routes.find(ask("POST", "/"))), "post");
  EXPECT_EQ(name_of(routes.find(ask("GET", "/?a=1&v=2"))), "query");
  EXPECT_EQ(name_of(routes.find(ask("GET", "/", {{"x-track", "beta"}}))), "");
}

TEST(MeshRoutes, GrpcServiceAndMethod) {
  const Routes routes({route("one", {.grpc_service = "shop.Orders", .grpc_method = "Get"}), route("all", {.grpc_service = "shop.Orders"})});
  EXPECT_EQ(name_of(routes.find(ask("POST", "/shop.Orders/Get"))), "one");
  EXPECT_EQ(name_of(routes.find(ask("POST", "/shop.Orders/Put"))), "all");
  EXPECT_EQ(name_of(routes.find(ask("POST", "/shop.Items/Get"))), "");
}

TEST(MeshRoutes, WeightsShareTheRequests) {
  const std::vector<WeightedNode> nodes = {{.node = "a", .weight = 90}, {.node = "b", .weight = 10}, {.node = "c", .weight = 0}};
  int b = 0;
  for (std::uint64_t i = 0; i < 100; ++i) b += choose_node(nodes, i)->node == "b";
  EXPECT_EQ(b, 10);
  EXPECT_EQ(choose_node({{.node = "c", .weight = 0}}, 1), nullptr);
}

TEST(MeshRoutes, RefusesABrokenPattern) {
  EXPECT_FALSE(check_pattern("("));
  EXPECT_TRUE(check_pattern("/v[12]/.*"));
}

}  // namespace
}  // namespace reef::edge::mesh
