#include "engine/sandbox/trust.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "engine/sandbox/mounts.h"

namespace reef::sandbox {
namespace {

// Where distributions keep what they trust: Debian and Alpine, Fedora and Amazon Linux, SUSE.
constexpr const char* kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

const char* system_bundle() {
  for (const char* path : kSystemBundles)
    if (::access(path, R_OK) == 0) return path;
  return nullptr;
}

std::string read_file(const char* path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::string out(in ? static_cast<std::size_t>(in.tellg()) : 0, '\0');
  in.seekg(0);
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  return out;
}

// Whether the bundle is of this authority and what the machine trusts now, as far as sizes and times tell.
bool is_fresh(const std::string& bundle, const char* system, std::size_t authority_bytes) {
  struct stat ours{}, theirs{};
  if (::stat(bundle.c_str(), &ours) < 0 || (system && ::stat(system, &theirs) < 0)) return false;
  return ours.st_size == theirs.st_size + static_cast<off_t>(authority_bytes) && (!system || ours.st_mtime > theirs.st_mtime);
}

}  // namespace

Result<void, Failure> write_trust_files(const std::string& folder, const std::string& authority_pem) {
  if (::mkdir(folder.c_str(), 0755) < 0 && errno != EEXIST) return Err(step_failed("mkdir " + folder));
  const std::string authority = folder + "/authority.pem", bundle = folder + "/bundle.pem";
  const char* const system = system_bundle();
  if (is_fresh(bundle, system, authority_pem.size()) && read_file(authority.c_str()) == authority_pem) return {};
  TRY(write_file(bundle, (system ? read_file(system) : std::string()) + authority_pem));
  return write_file(authority, authority_pem);   // last: without it nothing is fresh
}

bool has_system_trust() { return system_bundle() != nullptr; }

std::vector<std::pair<std::string, std::string>> trust_environment(const std::string& folder) {
  const std::string bundle = folder + "/bundle.pem";
  return {{"NODE_EXTRA_CA_CERTS", folder + "/authority.pem"}, {"SSL_CERT_FILE", bundle}, {"REQUESTS_CA_BUNDLE", bundle}, {"AWS_CA_BUNDLE", bundle}};
}

}  // namespace reef::sandbox
