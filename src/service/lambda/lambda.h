// What Lambda's handlers may touch.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "aws/access_keys.h"
#include "aws/caller.h"
#include "base/parts.h"
#include "engine/delivery/deliveries.h"
#include "engine/function/functions.h"
#include "engine/metrics/counters.h"
#include "engine/network/networks.h"
#include "engine/telemetry/spans.h"
#include "service/lambda/repository.h"

namespace reef::service::lambda {

class AsyncInvocations;
class Mappings;
class Resolver;
class FunctionUrls;

struct Lambda {
  explicit Lambda(Parts& parts);
  ~Lambda();
  void start();
  void stop();

  function::Functions& functions;
  delivery::Deliveries& deliveries;
  aws::Caller& caller;
  telemetry::Spans& spans;
  metrics::Counters& counters;
  network::Networks& networks;
  aws::AccessKeys& access_keys;
  std::map<std::string, int, std::less<>> running;  // invocations by function key
  Repository repository;
  std::unique_ptr<Resolver> resolver;
  std::unique_ptr<AsyncInvocations> async;
  std::unique_ptr<Mappings> mappings;
  std::unique_ptr<FunctionUrls> urls;
};

}  // namespace reef::service::lambda
