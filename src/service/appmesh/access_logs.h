// Access logs of virtual nodes and gateways: the format that a file of theirs is to have.
// https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy-logs.html
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/edge/mesh/access_format.h"
#include "service/appmesh/appmesh.h"

namespace reef::service::appmesh {

// A Failure names what is not known of the format.
template <class File>
Result<edge::mesh::AccessFormat, Failure> read_access_format(const File& file) {
  if (file.format && file.format->text) return edge::mesh::AccessFormat::text(*file.format->text);
  if (file.format && file.format->json) {
    std::vector<std::pair<std::string, std::string>> members;
    for (const auto& one : *file.format->json) members.emplace_back(one.key, one.value);
    return edge::mesh::AccessFormat::json(members);
  }
  return edge::mesh::AccessFormat::standard();
}

// The standard streams of Envoy's container are what can be written to: it does not run, so nobody would find its files.
template <class Logging>
Reply<void> check_logging(const std::optional<Logging>& logging) {
  if (!logging || !logging->access_log || !logging->access_log->file) return {};
  const auto& file = *logging->access_log->file;
  if (file.path != "/dev/stdout" && file.path != "/dev/stderr") return Err(aws::not_implemented("logging.accessLog.file.path other than /dev/stdout and /dev/stderr"));
  if (const auto format = read_access_format(file); !format) return Err(aws::not_implemented(format.error().message));
  return {};
}

}  // namespace reef::service::appmesh
