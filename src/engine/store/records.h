// Small durable records held in memory, ordered by key: configuration, definitions, everything that is read far
// more often than it changes. Put and erase are in the journal when `co_await shard.committed()` resumes.
//
// Keys are paths whose first part names the owner: "sqs/queue/000000000000/us-east-1/orders". Values are opaque.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reef::store {

class Journal;

class Records {
 public:
  virtual ~Records() = default;
  virtual void put(std::string_view key, std::string value) = 0;
  virtual bool erase(std::string_view key) = 0;  // whether it was there
  virtual const std::string* find(std::string_view key) const = 0;  // valid until the next put or erase
  // Calls `visit(key, value)` for each key that starts with `prefix`, in key order, from the first key greater
  // than `after`, until it returns false. The visitor must not change the records.
  virtual void scan(std::string_view prefix, std::string_view after,
                    const std::function<bool(std::string_view, const std::string&)>& visit) const = 0;
  void scan(std::string_view prefix, const std::function<bool(std::string_view, const std::string&)>& visit) const {
    scan(prefix, {}, visit);
  }
};

}  // namespace reef::store
