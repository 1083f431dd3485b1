// Finds the first rule, by priority, that a request meets. Compiled once, then read by every loop without locks; the
// cost of a lookup does not grow with the number of rules as long as hosts or paths tell them apart.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "base/text.h"

namespace reef::edge {

// A block of addresses: "10.0.0.0/8", "2001:db8::/32".
class AddressBlock {
 public:
  static Result<AddressBlock, Failure> parse(std::string_view text);
  bool contains(std::string_view address) const;

 private:
  unsigned char bytes_[16] = {};
  int family_ = 0, bits_ = 0;
};

// Regular expressions of a condition, instead of values with wildcards. Shared: rules are copied, expressions compiled once.
struct RuleExpression {
  std::string text;
  std::shared_ptr<const Pattern> pattern;
};
using RuleExpressions = std::vector<RuleExpression>;

// All conditions of a rule must be met; of each condition's values, one. Empty vectors are no condition.
struct RuleConditions {
  struct Header {
    std::string name;                  // lower case
    std::vector<std::string> values;   // wildcards, case ignored
    RuleExpressions expressions;
  };
  struct QueryPair {
    std::string key, value;            // wildcards, case ignored; an empty key is any
  };
  std::vector<std::vector<std::string>> hosts;   // wildcards, case ignored
  std::vector<std::vector<std::string>> paths;   // wildcards, case kept
  std::vector<std::vector<std::string>> methods; // exact
  std::vector<Header> headers;
  std::vector<std::vector<QueryPair>> queries;
  std::vector<std::vector<AddressBlock>> sources;
  std::vector<RuleExpressions> host_expressions;  // case ignored
  std::vector<RuleExpressions> path_expressions;
};

// What a rule looks at.
struct RuleRequest {
  std::string_view method, host, path, query;   // host without port
  std::string_view source;                      // address without port
  // Calls `visit` for each header of that name, until it returns true; whether one did.
  virtual bool any_header(std::string_view lower_name, const std::function<bool(std::string_view)>& visit) const = 0;

 protected:
  ~RuleRequest() = default;
};

// `*` any run, `?` any one character; ASCII case ignored.
bool matches_wildcard_any_case(std::string_view pattern, std::string_view text);
bool meets(const RuleConditions& conditions, const RuleRequest& request);

class RuleIndex {
 public:
  RuleIndex() = default;
  // Rules in order of priority; an index into this vector is what `find` gives.
  explicit RuleIndex(std::vector<RuleConditions> rules);
  ~RuleIndex();
  RuleIndex(RuleIndex&&) noexcept;
  RuleIndex& operator=(RuleIndex&&) noexcept;

  static constexpr std::size_t kNone = SIZE_MAX;
  std::size_t find(const RuleRequest& request) const;
  std::size_t size() const { return rules_.size(); }

 private:
  struct Prefixes;
  using Bucket = std::vector<std::uint32_t>;  // rules, ascending
  void scan(const Bucket& bucket, const RuleRequest& request, std::size_t& best) const;

  std::vector<RuleConditions> rules_;
  TextMap<Bucket> hosts_;                 // by exact host, lower case
  std::unique_ptr<Prefixes> host_ends_;   // by what follows the first wildcard of a host, reversed
  std::unique_ptr<Prefixes> paths_;       // by what precedes the first wildcard of a path
  Bucket others_;
};

}  // namespace reef::edge
