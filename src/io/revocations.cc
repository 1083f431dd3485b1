#include "io/revocations.h"

#include "io/openssl.h"

namespace reef::io {

Result<int, Failure> count_revoked(std::string_view pem) {
  using List = std::unique_ptr<X509_CRL, openssl::Freed<X509_CRL, X509_CRL_free>>;
  constexpr std::string_view kBegin = "-----BEGIN X509 CRL-----";
  int lists = 0, marked = 0, revoked = 0;
  for (auto at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at + 1)) ++marked;
  const openssl::Bio bio = openssl::bio_of(pem);
  while (const List list{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)}) {
    ++lists;
    revoked += std::max(0, sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list.get())));
  }
  ERR_clear_error();
  if (lists == 0 || lists != marked) return Err(Failure{"the text holds no certificate revocation list, or one that cannot be read"});
  return revoked;
}

}  // namespace reef::io
