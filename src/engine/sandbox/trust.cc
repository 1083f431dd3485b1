#include "engine/sandbox/trust.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "engine/sandbox/mounts.h"

namespace reef::sandbox {
namespace {

// Where distributions keep what they trust: Debian and Alpine, Fedora and Amazon Linux, SUSE.
constexpr const char* kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

std::string system_bundle() {
  for (const char* path : kSystemBundles)
    if (std::ifstream in(path); in) return {std::istreambuf_iterator<char>(in), {}};
  return {};
}

}  // namespace

Result<void, Failure> write_trust_files(const std::string& folder, const std::string& authority_pem) {
  if (::mkdir(folder.c_str(), 0755) < 0 && errno != EEXIST) return Err(step_failed("mkdir " + folder));
  TRY(write_file(folder + "/authority.pem", authority_pem));
  return write_file(folder + "/bundle.pem", system_bundle() + authority_pem);
}

std::vector<std::pair<std::string, std::string>> trust_environment(const std::string& folder) {
  const std::string bundle = folder + "/bundle.pem";
  return {{"NODE_EXTRA_CA_CERTS", folder + "/authority.pem"}, {"SSL_CERT_FILE", bundle}, {"REQUESTS_CA_BUNDLE", bundle}, {"AWS_CA_BUNDLE", bundle}};
}

}  // namespace reef::sandbox
