// Certificate authorities that users made and activated, by name: who owns one puts it here, and whoever needs short-lived
// certificates by it, or trusts it, looks here. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/text.h"
#include "base/time.h"
#include "io/certificates.h"
#include "io/signing.h"

namespace reef::edge {

using io::check_csr;
using io::make_csr;
using io::make_key_pem;
using io::sign_csr;
using io::SignRequest;
using io::SubjectParts;

struct PrivateAuthority {
  std::string certificate_pem, chain_pem, key_pem;   // the chain is what signed it, up to the root; empty for a root
};

class PrivateAuthorities {
 public:
  void put(std::string name, PrivateAuthority authority) {
    all_.write([&](auto& all) { all.insert_or_assign(std::move(name), std::make_shared<const PrivateAuthority>(std::move(authority))); });
  }
  void remove(std::string_view name) {
    all_.write([&](auto& all) {
      if (const auto found = all.find(name); found != all.end()) all.erase(found);
    });
  }
  void clear() {
    all_.write([](auto& all) { all.clear(); });
  }
  // nullptr when there is none, or none that may sign.
  std::shared_ptr<const PrivateAuthority> find(std::string_view name) const {
    return all_.read([&](const auto& all) -> std::shared_ptr<const PrivateAuthority> {
      const auto found = all.find(name);
      return found == all.end() ? nullptr : found->second;
    });
  }
  // What verifies whatever it signed.
  std::string trusted_pem(std::string_view name) const {
    const auto found = find(name);
    return found ? found->certificate_pem + "\n" + found->chain_pem : std::string();
  }
  // A certificate for TLS with a new P-256 key, followed by its chain without the root.
  Result<io::PemPair, Failure> issue(std::string_view name, std::vector<std::string> names, std::vector<std::string> uris, Time not_before, Time not_after) const {
    const auto authority = find(name);
    if (!authority) return Err(Failure{"there is no active certificate authority " + std::string(name)});
    io::PemPair pair = TRY(io::issue_leaf({authority->certificate_pem, authority->key_pem},
                                          {.names = std::move(names), .uris = std::move(uris), .key = io::KeyKind::kP256, .not_before = not_before, .not_after = not_after}));
    if (!authority->chain_pem.empty()) pair.certificate += authority->certificate_pem;
    return pair;
  }

 private:
  Guarded<TextMap<std::shared_ptr<const PrivateAuthority>>> all_;
};

}  // namespace reef::edge
