// Where resources that something outside finishes hear of it: the response URLs of custom resources and the handles of
// wait conditions. Both are URLs whose secret part nobody can guess; a JSON text is PUT there.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/resource.h"
#include "http/message.h"

namespace reef::cloudformation {

// Lives on the control shard.
class Signals final : public aws::Signals {
 public:
  // `is_isolated`: sandboxes have a network of their own, in which AWS's names lead here.
  explicit Signals(bool is_isolated) : is_isolated_(is_isolated) {}

  void load();    // the durable ones
  void reset() { boxes_.clear(); }

  std::string open(const aws::Call& call, Kind kind, std::string_view label) override;
  Task<std::optional<std::string>> next(std::string url, std::size_t seen, Time until, std::function<bool()> given_up) override;
  void close(std::string_view url) override;

  // The side of whoever sends a signal: PUT (or POST) of at most kBytesMax.
  static bool wants(const http::Request& request);
  Task<http::Response> take(http::Request& request);

 private:
  struct Box {
    bool durable = false;
    std::vector<std::string> received;
  };
  void save(const std::string& token, const Box& box);
  Box* find(std::string_view url);

  bool is_isolated_;
  std::map<std::string, Box, std::less<>> boxes_;   // by token
};

}  // namespace reef::cloudformation
