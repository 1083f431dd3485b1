// Every registered service, ready to be found: by name, target prefix, query version, signing name or path.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/protocol/uri_router.h"
#include "aws/service.h"
#include "base/text.h"

namespace reef::gateway {

struct ServiceEntry {
  std::unique_ptr<aws::Service> service;
  const aws::ServiceModel* model;
  // By name; `served` is null for an operation that is modelled and not served.
  struct Found {
    const aws::OperationModel* model;
    const aws::Operation* served;
  };
  TextMap<Found> operations;
  std::unique_ptr<aws::UriRouter> router;  // REST protocols
};

class Registry {
 public:
  explicit Registry(std::vector<std::unique_ptr<aws::Service>> services);

  ServiceEntry* by_name(std::string_view name);
  ServiceEntry* by_target_prefix(std::string_view prefix);
  // Query protocols share signing names; version and action tell them apart.
  ServiceEntry* by_query(std::string_view version, std::string_view action);
  const std::vector<ServiceEntry*>& by_signing_name(std::string_view name);
  std::vector<std::unique_ptr<ServiceEntry>>& all() { return entries_; }
  ServiceEntry* owner_of(const aws::OperationModel& operation);

 private:
  std::vector<std::unique_ptr<ServiceEntry>> entries_;
  TextMap<ServiceEntry*> by_name_, by_target_;
  TextMap<std::vector<ServiceEntry*>> by_signing_;
  std::unordered_map<const aws::OperationModel*, ServiceEntry*> owners_;
};

}  // namespace reef::gateway
