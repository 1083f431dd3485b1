// API keys and the usage plans they are in, on the control shard; and whether a key may make one more request.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
#pragma once

#include <map>
#include <string>
#include <vector>

#include "aws/call.h"
#include "aws/models/apigateway.h"
#include "engine/edge/rate_limit.h"
#include "service/apigateway/usage.h"

namespace reef::service::apigateway {

namespace model = aws::apigateway;

struct StoredKey {
  model::ApiKey key;
  std::string account, region;
};

struct StoredPlan {
  model::UsagePlan plan;
  std::string account, region, created_day;
  std::vector<std::string> keys;                            // ids, in the order of their adding
  std::map<std::string, KeyUsage, std::less<>> usage;       // by key
  std::map<std::string, edge::RateLimit, std::less<>> buckets;  // by key, and by key and method; forgotten when the daemon ends
};

enum class KeyVerdict { kPasses, kUnknown, kThrottled, kExhausted };

class KeyRing {
 public:
  void load();   // from the records
  void clear();

  std::vector<const StoredKey*> keys(const aws::Call& call) const;
  StoredKey* find_key(const aws::Call& call, std::string_view id);
  const StoredKey* find_value(std::string_view account, std::string_view region, std::string_view value) const;
  StoredKey& add(StoredKey key);
  void changed(const StoredKey& key);
  void remove_key(const std::string& id);  // from its plans, too

  std::vector<const StoredPlan*> plans(const aws::Call& call) const;
  StoredPlan* find_plan(const aws::Call& call, std::string_view id);
  StoredPlan& add(StoredPlan plan);
  void changed(const StoredPlan& plan);
  void usage_changed(const StoredPlan& plan, const std::string& key);
  void remove_plan(const std::string& id);
  // A stage that is gone is in no plan.
  void forget_stage(const std::string& api, const std::string* stage);

  // One request with a key to a method ("/orders/{id}/GET") of a stage: counts it if it passes. `key_id` gets who it is.
  struct Asked {
    std::string account, region, api, stage, method, value;
  };
  KeyVerdict admit(const Asked& asked, Time now, std::string& key_id);

 private:
  std::map<std::string, StoredKey, std::less<>> keys_;
  std::map<std::string, StoredPlan, std::less<>> plans_;
};

}  // namespace reef::service::apigateway
