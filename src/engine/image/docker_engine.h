// Images of a Docker engine on this machine: what is built there can be run here without an export. Blocking: on a pool.
// https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageGet
#pragma once

#include <string>

#include "base/result.h"

namespace reef::image {

// Where the engine listens: DOCKER_HOST when it names a Unix socket, the usual place otherwise; "" when nothing is there.
std::string docker_socket();
// Writes the archive of an image to a file. ENOENT: the engine has no such image.
Result<void, Failure> save_from_docker(const std::string& socket, const std::string& name, const std::string& into);

}  // namespace reef::image
