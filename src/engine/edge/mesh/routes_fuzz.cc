// Routes with a stranger's expressions over a stranger's request: a route that is found is met by its own words. The
// lines are an expression, a prefix, a header's value, a query and a path.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "engine/edge/mesh/routes.h"

using namespace reef;
using namespace reef::edge;
using namespace reef::edge::mesh;

namespace {

struct Asked final : RouteRequest {
  std::string_view value;
  bool any_header(std::string_view name, const std::function<bool(std::string_view)>& visit) const override {
    return name == "x-test" && visit(value);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto line = [&] {
    const std::string_view out = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(out.size() + 1, bytes.size()));
    return out;
  };
  const std::string expression(line()), prefix(line());
  Asked asked;
  asked.value = line();
  asked.query = line();
  asked.method = "GET";
  asked.path = bytes;
  std::vector<Route> routes;
  const auto add = [&](std::string name, RouteMatch match) {
    Route route;
    route.name = std::move(name);
    route.match = std::move(match);
    routes.push_back(std::move(route));
  };
  const bool is_pattern = check_pattern(expression).has_value();
  if (is_pattern) add("header", {.headers = {{"x-test", {.kind = TextMatch::Kind::kRegex, .text = expression}}}});
  if (is_pattern) add("path", {.path = TextMatch{.kind = TextMatch::Kind::kRegex, .text = expression}});
  add("range", {.headers = {{"x-test", {.kind = TextMatch::Kind::kRange, .from = -5, .to = 5}}}});
  add("query", {.queries = {{"key", prefix}}});
  add("grpc", {.grpc_service = prefix, .grpc_method = "m"});
  add("prefix", {.path = TextMatch{.kind = TextMatch::Kind::kPrefix, .text = prefix}});
  add("every", {});
  const Routes compiled(std::move(routes));
  const Route* found = compiled.find(asked);
  CHECK(found != nullptr && found == compiled.find(asked));
  if (found->name == "prefix") CHECK(asked.path.starts_with(prefix));
  if (found->name == "range") CHECK(asked.value.find_first_of("0123456789") != std::string_view::npos);
  return 0;
}
