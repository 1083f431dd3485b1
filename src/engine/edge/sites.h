// What is served on host names and paths besides the AWS APIs: API Gateway's APIs and function URLs, by id. Any loop
// looks a site up; whoever owns it replaces it whole when its configuration changes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/task.h"
#include "base/text.h"
#include "http/message.h"

namespace reef::edge {

// One request to a site.
struct SiteRequest {
  http::Request& http;
  std::string id;
  std::string path;          // below the site, still encoded: "/orders/7"
  std::string stage;         // given by the address form; empty when the path's first part may be the stage
  std::string domain;        // host without port
  bool is_custom_domain = false;  // a custom domain name led here
};

class Site {
 public:
  virtual ~Site() = default;
  virtual Task<http::Response> serve(SiteRequest request) const = 0;
};

class Sites {
 public:
  void put(std::string_view kind, std::string_view id, std::shared_ptr<const Site> site);
  void erase(std::string_view kind, std::string_view id);
  void clear();
  std::shared_ptr<const Site> find(std::string_view kind, std::string_view id) const;

  // The site that a request's host or path names, in all the forms that clients use:
  //   cognito-idp.<region>.amazonaws.com/{pool}/.well-known/..., /{pool}/.well-known/..., {domain}.auth.<region>.amazoncognito.com,
  //   /_aws/cognito-domain/{domain}/...
  //   {id}.execute-api.<anything>, {id}.lambda-url.<anything>, {id}.<region>.elb.<anything>, /_aws/execute-api/{id}/{stage}/..., /restapis/{id}/{stage}/_user_request_/...
  struct Address {
    std::string_view kind;   // "execute-api", "lambda-url", "elb", "domain", "user-pool" or "user-pool-domain"
    std::string id, stage, path;
  };
  static std::optional<Address> address_of(const http::Request& request);
  // The same, and custom domain names ("domain") that have a site.
  std::optional<Address> find_address(const http::Request& request) const;
  // Answers a request that may name a site: 404 when there is none there.
  Task<http::Response> serve(http::Request& request) const;

 private:
  Guarded<TextMap<std::shared_ptr<const Site>>> sites_;
  std::atomic<std::size_t> domains_ = 0;  // that there are: most requests need not be looked up among them
};

}  // namespace reef::edge
