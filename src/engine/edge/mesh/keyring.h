// Who is who in a mesh: certificates that workloads show each other, and whom they trust, made into TLS contexts. Workload
// identities are short-lived and made anew by the clock; connections that are open keep what they began with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/tls.h"

namespace reef::edge::mesh {

// What a node's listener shows and asks for.
struct ServerTlsPlan {
  enum class Mode { kDisabled, kPermissive, kStrict } mode = Mode::kDisabled;
  std::string certificate;                  // the name of a secret: "spiffe://shop/orders", an ARN
  std::string trust;                        // of clients; empty: they need no certificate
  std::vector<std::string> names;           // that clients may have; empty: any
  bool operator==(const ServerTlsPlan&) const = default;
};

// What a caller does towards a service.
struct ClientTlsPlan {
  bool enforced = true;                     // else TLS is spoken with nodes that offer it
  std::vector<int> ports;                   // of the nodes; empty: all
  std::string certificate;                  // empty: none is shown
  std::vector<std::string> trust;           // names of secrets
  std::vector<std::string> names;           // that servers may have; empty: any
  bool operator==(const ClientTlsPlan&) const = default;
};

struct Secret {
  io::PemPair pair;
  Time renew_at{};   // to be asked for again then
};

// Where secrets come from. A Failure says why there is none.
struct SecretSource {
  std::function<Result<Secret, Failure>(const std::string& name, Time now)> certificate;
  std::function<Result<std::string, Failure>(const std::string& name)> trust;
};

class Keyring {
 public:
  void set_source(SecretSource source) { source_ = std::move(source); }
  Result<std::shared_ptr<io::TlsContext>, Failure> server(const ServerTlsPlan& plan, Time now);
  Result<std::shared_ptr<io::TlsContext>, Failure> client(const ClientTlsPlan& plan, Time now);
  void clear() { contexts_.clear(); }
  // How often certificates were made, since the beginning.
  std::uint64_t issued() const { return issued_; }

 private:
  struct Made {
    std::shared_ptr<io::TlsContext> context;
    Time made_at{}, renew_at{};
  };
  Result<Secret, Failure> ask(const std::string& name, Time now);
  const std::shared_ptr<io::TlsContext>* find(const std::string& key, Time now) const;
  SecretSource source_;
  std::map<std::string, Made, std::less<>> contexts_;
  std::uint64_t issued_ = 0;
};

// Whether a peer with these names is one of those wanted (empty: any), and of a trust domain ("spiffe://shop") when one of
// `trust` is one.
bool is_wanted(const std::vector<std::string>& has, const std::vector<std::string>& wanted, const std::vector<std::string>& trust);

}  // namespace reef::edge::mesh
