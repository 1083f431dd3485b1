// X.509 certificates by OpenSSL: a local authority, the leaves it signs, and reading what others made. PEM texts
// everywhere, so that nothing else sees OpenSSL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/tls.h"

namespace reef::io {

enum class KeyKind { kRsa1024, kRsa2048, kRsa3072, kRsa4096, kP256, kP384, kP521 };

// A self-signed certificate that signs others: ECDSA P-256, valid for 10 years.
Result<PemPair, Failure> make_authority(const std::string& common_name, Time now);

struct LeafRequest {
  std::vector<std::string> names;  // DNS names (wildcards too) and IP addresses; the first is the common name
  std::vector<std::string> uris;   // "spiffe://..."
  KeyKind key = KeyKind::kP256;
  Time not_before{}, not_after{};
};
// A certificate for TLS servers and clients, signed by `authority`. RSA keys take some 100 ms to make.
Result<PemPair, Failure> issue_leaf(const PemPair& authority, const LeafRequest& request);
// The same names and key, signed anew.
Result<PemPair, Failure> reissue_leaf(const PemPair& authority, const std::string& key_pem, const LeafRequest& request);

struct NamedOid {
  std::string name, oid;  // "TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.1"
};

// What a certificate says, in the words that ACM uses.
struct CertificateDetails {
  std::string subject, issuer;         // "CN=example.com"
  std::string common_name;
  std::vector<std::string> dns_names;  // subject alternative names: DNS names and addresses
  std::string serial;                  // "0a:1b:2c"
  Time not_before{}, not_after{};
  std::string key_algorithm;           // "RSA-2048", "EC-prime256v1"
  std::string signature_algorithm;     // "SHA256WITHRSA"
  std::string sha256_fingerprint;      // hexadecimal
  std::vector<std::string> key_usages; // "DIGITAL_SIGNATURE"
  std::vector<NamedOid> extended_key_usages;
  bool is_authority = false;
};
// Of the first certificate in `pem`.
Result<CertificateDetails, Failure> describe_certificate(std::string_view pem);

// Each certificate of a PEM text, as a PEM text of its own. Fails when there is none or one cannot be read.
Result<std::vector<std::string>, Failure> split_certificates(std::string_view pem);
// An unencrypted private key; the Failure says what is wrong with it.
Result<void, Failure> check_key(std::string_view key_pem);
bool key_matches(std::string_view certificate_pem, std::string_view key_pem);
// Whether each certificate is signed by the next one of `chain_pem` (which may end before a root).
bool chain_fits(std::string_view certificate_pem, std::string_view chain_pem);
// PKCS #8, encrypted with AES-256-CBC.
Result<std::string, Failure> encrypt_key(std::string_view key_pem, const std::string& passphrase);

}  // namespace reef::io
