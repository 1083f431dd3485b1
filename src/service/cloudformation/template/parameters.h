// A stack's parameters: what the template declares, what the caller gave, and AWS's checks of the two.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "service/cloudformation/template/template.h"

namespace reef::cloudformation {

struct GivenParameter {
  std::string key;
  std::optional<std::string> value;
  bool use_previous = false;
};

struct Parameter {
  std::string key;
  std::string type;
  std::string value;                    // as given or by default
  std::optional<std::string> resolved;  // for SSM types: the parameter's value
  bool no_echo = false;
  bool is_ssm() const { return type.starts_with("AWS::SSM::Parameter::Value<"); }
  bool is_list() const;
  // What Ref gives: text, or a list of text.
  Json ref_value() const;
};

// In the template's order. `previous` are the values of the stack as it is.
Reply<std::vector<Parameter>> resolve_parameters(const Json& section, const std::vector<GivenParameter>& given,
                                                 const std::map<std::string, std::string>& previous);

}  // namespace reef::cloudformation
