#include "service/lambda/packages.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <algorithm>
#include <memory>
#include <set>

#include "aws/models/s3.h"
#include "aws/unmodelled_errors.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/log.h"
#include "engine/function/package.h"
#include "service/lambda/limits.h"

namespace reef::service::lambda {
namespace {
namespace fs = std::filesystem;

// What went wrong, in AWS's words.
aws::Error package_error(const function::PackageRefused& refused) {
  switch (refused.why) {
    case function::PackageProblem::kNotAZip:
      return invalid_parameter("Could not unzip uploaded file. Please check your file, then try to upload again.");
    case function::PackageProblem::kTooLarge:
      return invalid_parameter(fmt::format("Unzipped size must be smaller than {} bytes", limits::kUnzippedBytesMax));
    case function::PackageProblem::kUnsafe:
      return invalid_parameter("Could not unzip uploaded file: it holds a path that is not allowed: " + refused.detail);
    case function::PackageProblem::kDisk:
      log::error("package not stored", {{"detail", refused.detail}});
      return aws::internal_failure();
  }
  return aws::internal_failure();
}

Task<Reply<std::string>> fetch_from_s3(Lambda& lambda, const CodeSource& source, const Call& call) {
  aws::s3::GetObjectInput in;
  in.bucket = source.s3_bucket.value_or("");
  in.key = source.s3_key.value_or("");
  in.version_id = source.s3_object_version;
  http::Response streamed;
  Call from = call;
  from.http_request = nullptr;
  from.http_response = &streamed;
  auto reply = co_await lambda.caller.call<aws::s3::GetObjectOutput>(from, aws::s3::ops::kGetObject, in);
  if (!reply)
    co_return Err(invalid_parameter(fmt::format("Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}", reply.error().code, reply.error().message)));
  if (streamed.stream) {
    auto body = co_await http::read_all(*streamed.stream, limits::kUnzippedBytesMax);
    if (!body && body.error().code == EMSGSIZE) co_return Err(package_error({function::PackageProblem::kTooLarge, {}}));
    if (!body) co_return Err(invalid_parameter("Error occurred while GetObject: " + body.error().message));
    co_return *std::move(body);
  }
  if (!streamed.body.empty()) co_return std::move(streamed.body);
  if constexpr (requires { reply->body->size(); }) co_return reply->body.value_or("");
  co_return std::string();
}

struct Stored {
  std::optional<function::PackageRefused> refused;
};

// Content-addressed: the same package is unpacked once, whoever uploads it.
Stored unpack_once(const std::string& folder, const std::string& package, const std::string& zip_name, const std::string& zip) {
  std::error_code error;
  const std::string target = folder + "/" + package;
  if (!fs::exists(target, error)) {
    const std::string temporary = fmt::format("{}.new-{}", target, make_token(thread_random(), 8));
    auto size = function::unpack_zip(zip, temporary, limits::kUnzippedBytesMax);
    if (!size) {
      fs::remove_all(temporary, error);
      return {size.error()};
    }
    fs::permissions(temporary, fs::perms(0755), error);
    fs::rename(temporary, target, error);
    if (error) fs::remove_all(temporary, error);  // somebody else was faster
  }
  const std::string archive = folder + "/" + zip_name;
  if (!fs::exists(archive, error)) {
    fs::create_directories(fs::path(archive).parent_path(), error);
    const std::string temporary = fmt::format("{}.new-{}", archive, make_token(thread_random(), 8));
    FILE* file = std::fopen(temporary.c_str(), "wb");
    const bool written = file && std::fwrite(zip.data(), 1, zip.size(), file) == zip.size();
    if (file && std::fclose(file) != 0) return {function::PackageRefused{function::PackageProblem::kDisk, archive}};
    if (!written) return {function::PackageRefused{function::PackageProblem::kDisk, archive + ": " + std::strerror(errno)}};
    fs::rename(temporary, archive, error);
  }
  return {};
}

}  // namespace

Task<Reply<Package>> store_package(Lambda& lambda, const CodeSource& source, const Call& call) {
  if (source.zip_file.has_value() && source.s3_bucket.has_value())
    co_return Err(invalid_parameter("Please do not provide other FunctionCode parameters when providing a ZipFile."));
  std::string zip;
  if (source.zip_file) zip = *source.zip_file;
  else if (source.s3_bucket && source.s3_key) zip = CO_TRY(co_await fetch_from_s3(lambda, source, call));
  else co_return Err(invalid_parameter("Please provide a source for function code."));
  if (zip.empty()) co_return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
  if (source.zip_file && zip.size() > limits::kZipBytesMax) {
    co_return Err(aws::Error("RequestEntityTooLargeException", fmt::format("Zipped size must be smaller than {} bytes", limits::kZipBytesMax), 413));
  }
  const std::string folder = lambda.functions.options().folder;
  struct Work {
    std::string digest;
    Stored stored;
  };
  auto work = co_await lambda.functions.pool().run([&] {
    Work done{sha256(zip), {}};
    const std::string hex = hex_encode(done.digest);
    done.stored = unpack_once(folder, "packages/code-" + hex, "zips/" + hex + ".zip", zip);
    return done;
  });
  if (!work) co_return Err(aws::Error(errors::kTooManyRequestsException, "Rate exceeded"));
  if (work->stored.refused) co_return Err(package_error(*work->stored.refused));
  const std::string hex = hex_encode(work->digest);
  co_return Package{base64_encode(work->digest), static_cast<std::int64_t>(zip.size()), "packages/code-" + hex, "zips/" + hex + ".zip"};
}

Task<Reply<std::string>> merge_layers(Lambda& lambda, const std::vector<StoredLayer>& layers) {
  if (layers.empty()) co_return std::string();
  if (layers.size() == 1) co_return layers[0].folder;
  std::string names;
  for (const StoredLayer& layer : layers) names += layer.folder + "\n";
  const std::string folder = lambda.functions.options().folder, merged = "packages/layers-" + sha256_hex(names);
  auto problem = co_await lambda.functions.pool().run([&]() -> std::string {
    std::error_code error;
    const std::string target = folder + "/" + merged;
    if (fs::exists(target, error)) return {};
    const std::string temporary = fmt::format("{}.new-{}", target, make_token(thread_random(), 8));
    fs::create_directories(temporary, error);
    for (const StoredLayer& layer : layers) {
      const fs::path from = folder + "/" + layer.folder;
      for (auto it = fs::recursive_directory_iterator(from, error); !error && it != fs::end(it); it.increment(error)) {
        const fs::path to = temporary / it->path().lexically_relative(from);
        if (it->is_directory() && !it->is_symlink()) {
          fs::create_directories(to, error);
          continue;
        }
        fs::remove_all(to, error);
        if (it->is_symlink()) fs::copy_symlink(it->path(), to, error);
        else fs::create_hard_link(it->path(), to, error);  // the content is never changed
        if (error) break;
      }
      if (error) break;
    }
    if (error) {
      const std::string message = error.message();
      fs::remove_all(temporary, error);
      return message;
    }
    fs::rename(temporary, target, error);
    return {};
  });
  if (!problem || !problem->empty()) {
    log::error("layers not merged", {{"reason", problem ? *problem : "busy"}});
    co_return Err(aws::internal_failure());
  }
  co_return merged;
}

void sweep_packages(Lambda& lambda) {
  const std::set<std::string> used = lambda.repository.used_packages();
  const fs::path folder = lambda.functions.options().folder;
  std::vector<fs::path> gone;
  std::error_code error;
  for (const char* part : {"packages", "zips"})
    for (auto it = fs::directory_iterator(folder / part, error); !error && it != fs::end(it); it.increment(error)) {
      const std::string name = std::string(part) + "/" + it->path().filename().string();
      if (used.contains(name)) continue;
      // Out of the way now; taken apart later, when it is nobody's name any more.
      const fs::path aside = folder / fmt::format("gone-{}", make_token(thread_random(), 12));
      fs::rename(it->path(), aside, error);
      if (!error) gone.push_back(aside);
    }
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::end(it); it.increment(error))
    if (it->path().filename().string().starts_with("gone-") && std::find(gone.begin(), gone.end(), it->path()) == gone.end()) gone.push_back(it->path());
  if (gone.empty()) return;
  lambda.functions.pool().submit([gone = std::move(gone)] {
    std::error_code ignored;
    for (const fs::path& path : gone) fs::remove_all(path, ignored);
  });
}

std::string download_url(const std::string& zip, const Call& call) {
  return fmt::format("{}/_atoll/lambda/{}", call.endpoint, zip);
}

}  // namespace reef::service::lambda
