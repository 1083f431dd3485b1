// Finds the operation that a REST request means: method, path, fixed query parameters, and, where the model leaves
// several with the same path, the required headers and parameters. Built from the model once; a match costs the
// path's length, however many operations there are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/protocol/codec.h"
#include "aws/shape.h"

namespace reef::aws {

struct RouteMatch {
  const OperationModel* operation;
  UriLabels labels;
};

class UriRouter {
 public:
  explicit UriRouter(const ServiceModel& service);
  ~UriRouter();
  UriRouter(UriRouter&&) noexcept;

  // `path` and `query` still percent-encoded. `has_header` tells whether a (lower-case) header was sent; it decides
  // between PutObject and CopyObject.
  std::optional<RouteMatch> match(std::string_view method, std::string_view path, std::string_view query,
                                  const std::function<bool(std::string_view)>& has_header = {}) const;
  std::optional<RouteMatch> match(const http::Request& request) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace reef::aws
