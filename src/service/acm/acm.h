// ACM: certificates from the local authority, and imported ones. On the control shard; each certificate is a record with
// its PEM texts, and whoever ends TLS finds it in edge::Certificates.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/acm.h"
#include "aws/service.h"
#include "engine/edge/authority.h"
#include "engine/edge/certificates.h"
#include "engine/edge/private_authorities.h"
#include "engine/naming/zones.h"
#include "engine/store/shard.h"

namespace reef::service::acm {

namespace model = aws::acm;
namespace errors = aws::acm::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct StoredCertificate {
  model::CertificateDetail detail;
  std::string certificate_pem, chain_pem, key_pem;  // empty until issued
  std::string idempotency_token;
  std::vector<model::Tag> tags;
  bool exported = false;
};

struct Acm {
  explicit Acm(Parts& parts);
  void start();
  void stop();
  void reset();

  std::optional<StoredCertificate> load(std::string_view arn) const;
  // Also makes it (un)available to whoever ends TLS, and looks when the next renewal is due.
  void save(const StoredCertificate& certificate);
  void erase(std::string_view arn);
  std::vector<StoredCertificate> load_all(std::string_view prefix) const;
  auto committed() { return store::Shard::control().committed(); }

  edge::Authority& authority;
  edge::Certificates& certificates;
  naming::Zones& zones;
  edge::PrivateAuthorities& private_authorities;

 private:
  void publish(const StoredCertificate& certificate);
  void schedule_renewal();
  void renew_due();
  void look_at_pending();
  Task<void> issue_validated(std::string arn);
  std::set<std::string> pending_;  // certificates that wait for their records
  store::Shard& shard() const { return store::Shard::control(); }
  io::Reactor::TimerId timer_ = 0;
  bool stopped_ = false;
};

// "acm/certificate/<account>/<region>/" and "acm/certificate/<account>/<region>/<id>"; empty for what is no ARN of ours.
std::string key_prefix(std::string_view account, std::string_view region);
std::string key_of(std::string_view arn);

// The certificate that `arn` names, or ACM's errors for what names none.
Reply<StoredCertificate> find(const Acm& acm, const Call& call, const std::string& arn);

// --- issuing (issuing.cc) -------------------------------------------------------------------------------------------
edge::KeyKind key_kind(std::string_view algorithm);
// The record that proves control of `domain`, the same for each request of an account.
model::ResourceRecord validation_record(std::string_view account, std::string_view domain);
// Has the authority sign it, keeping its key when there is one. Does not save.
// Whether the records that prove control are there. A domain that no zone here holds needs none: nobody could ask.
bool is_validated(const Acm& acm, const StoredCertificate& certificate);
Task<Reply<void>> issue(Acm& acm, StoredCertificate& certificate, Time now);
Reply<void> renew(Acm& acm, StoredCertificate& certificate, Time now);
// Fills the members of the detail that the certificate itself says.
void describe_from_pem(StoredCertificate& certificate);

namespace operations {
#define ACM_OPERATIONS(V)                                                                                                    \
  V(RequestCertificate) V(DescribeCertificate) V(ListCertificates) V(GetCertificate) V(ImportCertificate) V(DeleteCertificate) \
  V(AddTagsToCertificate) V(ListTagsForCertificate) V(RemoveTagsFromCertificate) V(RenewCertificate)                         \
  V(UpdateCertificateOptions) V(ExportCertificate) V(RevokeCertificate) V(ResendValidationEmail)                             \
  V(GetAccountConfiguration) V(PutAccountConfiguration) V(SearchCertificates)
#define ACM_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Acm& acm, const model::Name##Input& in, const Call& call);
ACM_OPERATIONS(ACM_OPERATION)
#undef ACM_OPERATION
}  // namespace operations

namespace resources {
extern const aws::ResourceType kCertificate;
}

}  // namespace reef::service::acm
