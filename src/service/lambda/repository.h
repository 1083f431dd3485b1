// What Lambda knows, as records of the control shard: functions, versions, aliases, layers and the rest. Values are
// JSON in the model's member names.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/models/lambda.h"
#include "service/lambda/names.h"
#include "wire/json.h"

namespace reef::service::lambda {

namespace model = aws::lambda;
namespace errors = aws::lambda::errors;
using aws::Call;
template <class T>
using Reply = aws::Reply<T>;
using Tags = std::map<std::string, std::string, std::less<>>;

// Code and configuration together: $LATEST or a published version.
struct StoredVersion {
  model::FunctionConfiguration config;
  std::string code;      // folder of the unpacked package, below the function engine's folder
  std::string code_zip;  // the package as it was uploaded
  std::string layers;    // folder of the merged layers, empty when none
  std::string build;     // another whenever what runs is another: environments of an earlier one are of no use
};

struct StoredFunction {
  StoredVersion latest;
  Tags tags;
  std::optional<std::int32_t> reserved;
  std::int64_t last_version = 0;
  std::string published_description;  // of $LATEST when that version was published
};

struct StoredUrl {
  std::string id;
  model::FunctionUrlConfig config;
  std::string qualifier;
};

struct StoredPolicy {
  std::string revision;
  wire::Json statements = wire::Json::array();
};

struct StoredLayer {
  model::GetLayerVersionResponse version;
  std::string folder, zip;
  StoredPolicy policy;
};

struct StoredMapping {
  model::EventSourceMappingConfiguration config;
  std::string account, region;
  bool enabled = true;
  Tags tags;
};

class Repository {
 public:
  // Every change bumps it: what is derived from records and cached compares it.
  std::uint64_t generation() const { return generation_; }
  void invalidate() { ++generation_; }

  std::optional<StoredFunction> function(const FunctionName& name) const;
  void put(const FunctionName& name, const StoredFunction& function);
  // With its versions, aliases, URLs, policies and invoke configurations.
  void erase(const FunctionName& name);
  // In name order, those of one account and region.
  std::vector<std::pair<FunctionName, StoredFunction>> functions(const std::string& account, const std::string& region) const;

  std::optional<StoredVersion> version(const FunctionName& name, const std::string& number) const;
  void put_version(const FunctionName& name, const std::string& number, const StoredVersion& version);
  bool erase_version(const FunctionName& name, const std::string& number);
  std::vector<StoredVersion> versions(const FunctionName& name) const;  // published ones, oldest first

  std::optional<model::AliasConfiguration> alias(const FunctionName& name, const std::string& alias) const;
  void put_alias(const FunctionName& name, const model::AliasConfiguration& alias);
  bool erase_alias(const FunctionName& name, const std::string& alias);
  std::vector<model::AliasConfiguration> aliases(const FunctionName& name) const;

  std::optional<StoredUrl> url(const FunctionName& name) const;  // of name.qualifier
  std::optional<std::pair<FunctionName, StoredUrl>> url_by_id(const std::string& id) const;
  void put_url(const FunctionName& name, const StoredUrl& url);
  bool erase_url(const FunctionName& name);
  std::vector<StoredUrl> urls(const FunctionName& name) const;

  StoredPolicy policy(const FunctionName& name) const;
  void put_policy(const FunctionName& name, const StoredPolicy& policy);  // one without statements is erased

  std::optional<model::FunctionEventInvokeConfig> event_config(const FunctionName& name) const;
  void put_event_config(const FunctionName& name, const model::FunctionEventInvokeConfig& config);
  bool erase_event_config(const FunctionName& name);
  std::vector<model::FunctionEventInvokeConfig> event_configs(const FunctionName& name) const;

  std::optional<StoredLayer> layer(const LayerName& name) const;
  void put_layer(const LayerName& name, const StoredLayer& layer);
  bool erase_layer(const LayerName& name);
  std::int64_t next_layer_version(const LayerName& name);
  std::vector<StoredLayer> layer_versions(const LayerName& name) const;  // newest first
  std::vector<std::string> layer_names(const std::string& account, const std::string& region) const;

  std::optional<StoredMapping> mapping(const std::string& account, const std::string& region, const std::string& uuid) const;
  void put_mapping(const StoredMapping& mapping);
  void erase_mapping(const StoredMapping& mapping);
  std::vector<StoredMapping> mappings(const std::string& prefix) const;  // "" or "<account>/<region>/"

  // Every folder and archive that a function, version or layer needs.
  std::set<std::string> used_packages() const;

 private:
  void put(const std::string& key, const wire::Json& value);
  bool erase(const std::string& key);
  std::uint64_t generation_ = 1;
};

}  // namespace reef::service::lambda
