// Custom domain names: a host of one's own, whose paths lead to stages of REST APIs. On the control shard; served as sites of kind "domain".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html
#pragma once

#include <map>
#include <string>
#include <vector>

#include "aws/call.h"
#include "aws/models/apigateway.h"
#include "engine/edge/sites.h"

namespace reef::service::apigateway {

namespace model = aws::apigateway;

struct StoredDomain {
  model::DomainName domain;
  std::string account, region;
  std::map<std::string, model::BasePathMapping, std::less<>> mappings;  // by base path, "(none)" for all others
};

inline constexpr std::string_view kNoBasePath = "(none)";

class Domains {
 public:
  explicit Domains(edge::Sites& sites) : sites_(sites) {}
  void load();
  void clear();

  StoredDomain* find(const aws::Call& call, std::string_view name);
  bool is_taken(std::string_view name) const { return domains_.contains(name); }
  std::vector<const StoredDomain*> all(const aws::Call& call) const;
  StoredDomain& add(StoredDomain domain);
  void changed(const StoredDomain& domain);  // stores and publishes
  void remove(const std::string& name);

 private:
  edge::Sites& sites_;
  std::map<std::string, StoredDomain, std::less<>> domains_;
};

}  // namespace reef::service::apigateway
