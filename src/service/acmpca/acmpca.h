// AWS Private CA: certificate authorities whose keys never leave, and what they sign. Records on the control shard; active
// authorities are in edge::PrivateAuthorities for whoever needs certificates by them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/models/acmpca.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/edge/authority.h"
#include "engine/edge/private_authorities.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::aws {
struct ResourceType;
}

namespace reef::service::acmpca {

namespace model = aws::acmpca;
namespace errors = aws::acmpca::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct StoredAuthority {
  model::CertificateAuthority value;
  std::string key_pem, csr_pem, certificate_pem, chain_pem;
  std::string token;
  std::vector<model::Tag> tags;
  const std::string& arn() const { return *value.arn; }
};

// By ARN: "<authority's ARN>/certificate/<serial in hexadecimal>".
struct StoredCertificate {
  std::string arn, authority, certificate_pem, chain_pem, token;
  bool revoked = false;
};

struct AcmPca {
  explicit AcmPca(Parts& parts) : local(parts.get<edge::Authority>()), active(parts.get<edge::PrivateAuthorities>()) {}
  void start();
  void reset();
  void save(const StoredAuthority& authority);
  void save(const StoredCertificate& certificate);
  auto committed() { return store::Shard::control().committed(); }

  edge::Authority& local;
  edge::PrivateAuthorities& active;
  std::map<std::string, StoredAuthority, std::less<>> authorities;
  std::map<std::string, StoredCertificate, std::less<>> certificates;
};

namespace operations {
#define ACMPCA_OPERATIONS(V)                                                                                                              \
  V(CreateCertificateAuthority) V(DescribeCertificateAuthority) V(ListCertificateAuthorities) V(DeleteCertificateAuthority)              \
  V(RestoreCertificateAuthority) V(GetCertificateAuthorityCsr) V(GetCertificateAuthorityCertificate)                                     \
  V(ImportCertificateAuthorityCertificate) V(UpdateCertificateAuthority) V(IssueCertificate) V(GetCertificate) V(RevokeCertificate)      \
  V(TagCertificateAuthority) V(UntagCertificateAuthority) V(ListTags)
#define ACMPCA_OPERATION(Name) Task<Reply<model::Name##Output>> Name(AcmPca& pca, const model::Name##Input& in, const Call& call);
ACMPCA_OPERATIONS(ACMPCA_OPERATION)
#undef ACMPCA_OPERATION
}  // namespace operations

// The authority that an ARN names, or the errors for what names none.
Reply<StoredAuthority*> find_authority(AcmPca& pca, const std::string& arn, Time now);
// When something that was made now is to end. https://docs.aws.amazon.com/privateca/latest/APIReference/API_Validity.html
Reply<Time> end_of(const model::Validity& validity, Time now);

namespace resources {
extern const aws::ResourceType kCertificateAuthority, kCertificate, kCertificateAuthorityActivation;
}

}  // namespace reef::service::acmpca
