// SSM's parameter store. On the control shard; each parameter is a record with all its versions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/models/ssm.h"
#include "aws/service.h"
#include "base/time.h"
#include "engine/events/publisher.h"

namespace reef::service::ssm {

namespace model = aws::ssm;
namespace errors = aws::ssm::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct Ssm {
  explicit Ssm(Parts& parts) : publisher(parts.get<events::Publisher>()) {}
  const events::Publisher& publisher;
};

struct Version {
  std::int64_t number = 0;
  std::string value, type, key_id, description, allowed_pattern, tier, data_type, user;
  Time modified{};
  std::vector<std::string> labels;
};

struct StoredParameter {
  std::string name;
  std::vector<Version> versions;   // oldest first; at most 100
  std::map<std::string, std::string> tags;
  const Version& latest() const { return versions.back(); }
};

std::optional<StoredParameter> load(const Call& call, std::string_view name);
void save(const Call& call, const StoredParameter& parameter);
bool erase(const Call& call, std::string_view name);
// In order of name, those that start with `prefix`.
std::vector<StoredParameter> load_all(const Call& call, std::string_view prefix);

std::string parameter_arn(const Call& call, std::string_view name);
// "name", "name:3", "name:label" or an ARN: the name and what selects the version.
struct Reference {
  std::string name, selector;  // selector with its colon, as replies show it
};
Reference parse_reference(std::string_view text);
// "Parameter Store Change" on the event bus: Create, Update, Delete or LabelParameterVersion.
void tell(const Ssm& ssm, const Call& call, const StoredParameter& parameter, std::string_view operation);
// The version that the selector means.
Reply<const Version*> select(const StoredParameter& parameter, std::string_view selector);
model::Parameter to_model(const Call& call, const StoredParameter& parameter, const Version& version, bool decrypt);

namespace operations {
#define SSM_OPERATIONS(V)                                                                                            \
  V(PutParameter) V(GetParameter) V(GetParameters) V(GetParametersByPath) V(DeleteParameter) V(DeleteParameters)     \
  V(DescribeParameters) V(GetParameterHistory) V(LabelParameterVersion) V(UnlabelParameterVersion)                   \
  V(AddTagsToResource) V(RemoveTagsFromResource) V(ListTagsForResource)
#define SSM_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Ssm& ssm, const model::Name##Input& in, const Call& call);
SSM_OPERATIONS(SSM_OPERATION)
#undef SSM_OPERATION
}  // namespace operations

}  // namespace reef::service::ssm
