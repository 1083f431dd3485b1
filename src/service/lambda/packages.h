// Deployment packages on disk: fetched, checked, unpacked once per content, kept under the function engine's folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/call.h"
#include "base/task.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

struct CodeSource {
  std::optional<std::string> zip_file, s3_bucket, s3_key, s3_object_version;
};

struct Package {
  std::string sha256;    // base64, as AWS shows it
  std::int64_t size = 0; // of the archive
  std::string folder;    // "packages/code-<hex>"
  std::string zip;       // "zips/<hex>.zip"
};

// Validates and unpacks.
Task<Reply<Package>> store_package(Lambda& lambda, const CodeSource& source, const Call& call);

// The folder that shows all layers at once, later ones over earlier ones; empty for none.
Task<Reply<std::string>> merge_layers(Lambda& lambda, const std::vector<StoredLayer>& layers);

// Removes packages that nothing refers to any longer. At start, before the first environment.
void sweep_packages(Lambda& lambda);

// Where a package can be downloaded, as GetFunction says.
std::string download_url(const std::string& zip, const Call& call);

}  // namespace reef::service::lambda
