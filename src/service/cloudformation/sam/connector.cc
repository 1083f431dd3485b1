#include "service/cloudformation/sam/context.h"
namespace reef::cloudformation::sam {
Reply<void> expand_connector(Context&, const std::string& id, const Json&) {
  return Err(invalid_resource(id, "Resources of type AWS::Serverless::Connector are not supported by this version of Atoll."));
}
}  // namespace reef::cloudformation::sam
