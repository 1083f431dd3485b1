// The local certificate authority: made at the first start and kept in the data folder, it signs what ACM issues and
// the daemon's own certificate. Thread-safe once opened.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "io/certificates.h"
#include "io/pool.h"

namespace reef::edge {

using io::CertificateDetails;
using io::KeyKind;
using io::PemPair;
// What services need of X.509; see io/certificates.h.
using io::chain_fits;
using io::check_key;
using io::describe_certificate;
using io::encrypt_key;
using io::key_matches;
using io::split_certificates;

class Authority {
 public:
  // Loads <folder>/authority.pem and <folder>/authority.key (mode 0600), or makes them.
  static Result<std::unique_ptr<Authority>, Failure> open(const std::string& folder, Time now);

  const std::string& certificate_pem() const { return pair_.certificate; }
  // Valid for 13 months from `now`. Slow keys are made on a thread of their own; comes back to the calling loop.
  Task<Result<PemPair, Failure>> issue(std::vector<std::string> names, KeyKind key, Time now);
  // The same for an existing key.
  Result<PemPair, Failure> renew(std::vector<std::string> names, const std::string& key_pem, Time now);
  // At once, with a P-256 key.
  Result<PemPair, Failure> issue_now(std::vector<std::string> names, Time now);
  // An unencrypted key; slow ones are made on a thread of their own.
  Task<Result<std::string, Failure>> make_key(KeyKind key);
  // For a workload ("spiffe://shop/orders"), valid for `life` from `now`. At once.
  Result<PemPair, Failure> issue_identity(const std::string& uri, Duration life, Time now);

 private:
  explicit Authority(PemPair pair) : pair_(std::move(pair)), pool_("certificates", 1) {}
  io::LeafRequest request_for(std::vector<std::string> names, KeyKind key, Time now) const;

  PemPair pair_;
  io::Pool pool_;
};

}  // namespace reef::edge
