// What makes programs inside trust the local certificate authority, as programs on AWS trust Amazon's: two files and the
// variables by which the usual TLS libraries find them. A program that sets one of these itself keeps its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace reef::sandbox {

inline constexpr const char* kTrustFolder = "/var/trust";   // where the files are inside

// Writes <folder>/authority.pem (the authority alone) and <folder>/bundle.pem (it after what this machine trusts).
Result<void, Failure> write_trust_files(const std::string& folder, const std::string& authority_pem);

// Whether this machine has a bundle of its own, so that bundle.pem alone is enough to reach the public internet.
bool has_system_trust();

// For Node, OpenSSL (Python, Ruby, Go, curl), Requests and the AWS tools. Java has its own store (see `atoll trust`).
std::vector<std::pair<std::string, std::string>> trust_environment(const std::string& folder);

}  // namespace reef::sandbox
