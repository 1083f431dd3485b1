// Certificate signing requests, and authorities that sign them. PEM texts, as in certificates.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/certificates.h"

namespace reef::io {

// "CN" or an object identifier, and its value.
using SubjectParts = std::vector<std::pair<std::string, std::string>>;

// An unencrypted PKCS #8 key. RSA keys take some 100 ms.
Result<std::string, Failure> make_key_pem(KeyKind kind);
Result<std::string, Failure> make_csr(const std::string& key_pem, const SubjectParts& subject);
// Whether it can be read and is signed by the key that it holds.
Result<void, Failure> check_csr(std::string_view csr_pem);

struct SignRequest {
  std::string csr_pem;
  SubjectParts subject;                 // instead of the request's, when not empty
  std::vector<std::string> names, uris; // alternative names instead of the request's, when there are any
  Time not_before{}, not_after{};
  bool is_authority = false;
  int path_length = -1;                 // of an authority; -1: any
  bool for_servers = true, for_clients = true, for_code = false;
  std::string digest = "SHA256";
};
// Signed by `key_pem`; self-signed when `authority_pem` is empty.
Result<std::string, Failure> sign_csr(const std::string& authority_pem, const std::string& key_pem, const SignRequest& request);

}  // namespace reef::io
