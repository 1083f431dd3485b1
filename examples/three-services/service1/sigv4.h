// Signs requests to AWS with Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace service1 {

struct Credentials {
  std::string access_key, secret_key, session_token;
};

std::string sha256(std::string_view bytes);  // 32 bytes
std::string hex(std::string_view bytes);

// The headers to add to a POST to "/" of `host` with `headers` (lower-case names) and `body`.
std::vector<std::pair<std::string, std::string>> sign(const Credentials& credentials, const std::string& region, const std::string& service, const std::string& host,
                                                      std::vector<std::pair<std::string, std::string>> headers, std::string_view body, long now);

}  // namespace service1
