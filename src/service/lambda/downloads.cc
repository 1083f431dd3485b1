#include "service/lambda/downloads.h"

#include <sys/stat.h>

namespace reef::service::lambda {
namespace {
constexpr std::string_view kDownloads = "/_atoll/lambda/zips/";
}

bool wants_download(const http::Request& request) { return request.path.starts_with(kDownloads); }

Task<http::Response> serve_download(std::string folder, http::Request& request) {
  http::Response response;
  response.status = 404;
  const std::string_view name = request.path.substr(kDownloads.size());
  // "<sha256>.zip" and nothing else.
  if (name.size() != 68 || !name.ends_with(".zip") || name.substr(0, 64).find_first_not_of("0123456789abcdef") != std::string_view::npos) co_return response;
  const std::string path = folder + "/zips/" + std::string(name);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) co_return response;
  auto body = http::make_file_body(path, 0, static_cast<std::uint64_t>(info.st_size));
  if (!body) co_return response;
  response.status = 200;
  response.set("content-type", "application/zip");
  response.stream = *std::move(body);
  co_return response;
}

}  // namespace reef::service::lambda
