#include "engine/edge/mesh/keyring.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::edge::mesh {

bool is_wanted(const std::vector<std::string>& has, const std::vector<std::string>& wanted, const std::vector<std::string>& trust) {
  const auto is_domain = [](const std::string& one) { return one.starts_with("spiffe://"); };
  if (std::any_of(trust.begin(), trust.end(), is_domain) &&
      std::none_of(has.begin(), has.end(), [&](const std::string& one) {
        return std::any_of(trust.begin(), trust.end(), [&](const std::string& domain) { return is_domain(domain) && one.starts_with(domain + "/"); });
      }))
    return false;
  return wanted.empty() || std::any_of(has.begin(), has.end(), [&](const std::string& one) { return std::find(wanted.begin(), wanted.end(), one) != wanted.end(); });
}

Result<Secret, Failure> Keyring::ask(const std::string& name, Time now) {
  if (!source_.certificate) return Err(Failure{"nobody issues certificates here"});
  ++issued_;
  return source_.certificate(name, now);
}

// A clock that was set back would keep a certificate that is not valid yet.
const std::shared_ptr<io::TlsContext>* Keyring::find(const std::string& key, Time now) const {
  const auto found = contexts_.find(key);
  return found != contexts_.end() && now < found->second.renew_at && now >= found->second.made_at ? &found->second.context : nullptr;
}

Result<std::shared_ptr<io::TlsContext>, Failure> Keyring::server(const ServerTlsPlan& plan, Time now) {
  const std::string key = fmt::format("server\n{}\n{}", plan.certificate, plan.trust);
  if (const auto* const known = find(key, now)) return *known;
  Secret secret = TRY(ask(plan.certificate, now));
  io::ServerTls settings{.certificates = {std::move(secret.pair)}, .ciphers = {}, .offers_http2 = false, .trusted_pem = {}};
  if (!plan.trust.empty()) {
    settings.clients = io::ServerTls::Clients::kVerified;
    settings.trusted_pem = TRY(source_.trust(plan.trust));
  }
  std::shared_ptr<io::TlsContext> made = TRY(io::TlsContext::server(settings));
  contexts_[key] = {made, now, secret.renew_at};
  return made;
}

Result<std::shared_ptr<io::TlsContext>, Failure> Keyring::client(const ClientTlsPlan& plan, Time now) {
  const std::string key = fmt::format("client\n{}\n{}", plan.certificate, join(plan.trust, "\n"));
  if (const auto* const known = find(key, now)) return *known;
  io::ClientTls settings;
  // What is trusted may change, too.
  Time renew_at = now + 60s;
  if (!plan.certificate.empty()) {
    Secret secret = TRY(ask(plan.certificate, now));
    settings.certificate = std::move(secret.pair);
    renew_at = secret.renew_at;
  }
  for (const std::string& name : plan.trust) settings.trusted_pem += TRY(source_.trust(name)) + "\n";
  std::shared_ptr<io::TlsContext> made = TRY(io::TlsContext::client(settings));
  contexts_[key] = {made, now, renew_at};
  return made;
}

}  // namespace reef::edge::mesh
