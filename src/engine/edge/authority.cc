#include "engine/edge/authority.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "io/signing.h"
#include "io/socket.h"

namespace reef::edge {
namespace {

constexpr auto kValidity = std::chrono::days(395);  // ACM's 13 months

Result<void, Failure> write_file(const std::string& path, const std::string& text, int mode) {
  const std::string fresh = path + ".new";
  const io::Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file || ::fchmod(file.get(), static_cast<mode_t>(mode)) != 0 || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0)
    return Err(io::last_error("write " + path));
  return {};
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Result<std::unique_ptr<Authority>, Failure> Authority::open(const std::string& folder, Time now) {
  const std::string certificate_path = folder + "/authority.pem", key_path = folder + "/authority.key";
  if (PemPair kept{read_file(certificate_path), read_file(key_path)}; !kept.certificate.empty() && !kept.key.empty()) {
    if (!io::key_matches(kept.certificate, kept.key))
      return Err(Failure{certificate_path + " and " + key_path + " do not belong together: remove both, and a new authority is made"});
    return std::unique_ptr<Authority>(new Authority(std::move(kept)));
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Err(Failure{"create " + folder + ": " + error.message(), error.value()});
  ::chmod(folder.c_str(), 0700);
  PemPair made = TRY(io::make_authority("Atoll local authority " + make_token(thread_random(), 6), now));
  // The key first: a certificate without its key would never be trusted again.
  TRY(write_file(key_path, made.key, 0600));
  TRY(write_file(certificate_path, made.certificate, 0644));
  return std::unique_ptr<Authority>(new Authority(std::move(made)));
}

io::LeafRequest Authority::request_for(std::vector<std::string> names, KeyKind key, Time now) const {
  // Clients check with the real time, users may have moved theirs: valid by both.
  const Time real = io::SystemClock().now();
  return {.names = std::move(names), .uris = {}, .key = key, .not_before = std::min(now, real) - std::chrono::minutes(5), .not_after = now + kValidity};
}

Task<Result<PemPair, Failure>> Authority::issue(std::vector<std::string> names, KeyKind key, Time now) {
  const io::LeafRequest request = request_for(std::move(names), key, now);
  if (key == KeyKind::kP256) co_return io::issue_leaf(pair_, request);
  auto made = co_await pool_.run([this, &request] { return io::issue_leaf(pair_, request); });
  if (!made) co_return Err(Failure{"too many certificates are being made"});
  co_return *std::move(made);
}

Result<PemPair, Failure> Authority::renew(std::vector<std::string> names, const std::string& key_pem, Time now) {
  return io::reissue_leaf(pair_, key_pem, request_for(std::move(names), KeyKind::kP256, now));
}

Result<PemPair, Failure> Authority::issue_now(std::vector<std::string> names, Time now) {
  return io::issue_leaf(pair_, request_for(std::move(names), KeyKind::kP256, now));
}

Task<Result<std::string, Failure>> Authority::make_key(KeyKind key) {
  if (key == KeyKind::kP256) co_return io::make_key_pem(key);
  auto made = co_await pool_.run([key] { return io::make_key_pem(key); });
  if (!made) co_return Err(Failure{"too many keys are being made"});
  co_return *std::move(made);
}

Result<PemPair, Failure> Authority::issue_identity(const std::string& uri, Duration life, Time now) {
  return io::issue_leaf(pair_, {.names = {}, .uris = {uri}, .key = KeyKind::kP256, .not_before = now - std::chrono::minutes(1), .not_after = now + life});
}

}  // namespace reef::edge
