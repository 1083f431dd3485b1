#include "aws/call.h"

namespace reef::aws {

std::string Call::arn(std::string_view service_name, std::string_view resource) const {
  std::string out = "arn:";
  out += partition;
  out += ':';
  out += service_name;
  out += ':';
  out += region;
  out += ':';
  out += account;
  out += ':';
  out += resource;
  return out;
}

}  // namespace reef::aws
