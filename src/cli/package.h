// Templates and the local code they name: read, packed into zip archives, uploaded, and pointed at the uploads.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cli/client.h"
#include "wire/json.h"

namespace reef::cli {

// The template at `path` (YAML or JSON) with every local CodeUri, ContentUri and Code replaced by the S3 object that it
// was uploaded as. `progress` is told what is being packed.
Result<wire::Json, std::string> package_template(const Target& target, const std::string& path,
                                                 const std::function<void(const std::string&)>& progress);

// A zip archive of a folder's files (or of one file), the same bytes for the same contents; executable bits are kept.
Result<std::string, std::string> zip_folder(const std::string& path);

}  // namespace reef::cli
