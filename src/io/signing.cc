#include "io/signing.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "io/openssl.h"

namespace reef::io {
namespace {

using openssl::Bio;
using openssl::Certificate;
using openssl::extend;
using openssl::Freed;
using openssl::Key;
using openssl::last_error;
using openssl::bio_of;
using openssl::no_passphrase;
using openssl::read_bio;
using openssl::read_certificate;
using openssl::read_key;
using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ, X509_REQ_free>>;

Request read_request(std::string_view pem) {
  const Bio bio = bio_of(pem);
  Request out(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return out;
}

bool fill_name(X509_NAME* name, const SubjectParts& parts) {
  for (const auto& [part, value] : parts)
    if (X509_NAME_add_entry_by_txt(name, part.c_str(), MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()), -1, 0) != 1) return false;
  return true;
}

// The values go into OpenSSL's configuration language: nothing but the characters of names and addresses may.
bool is_plain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == '*' || c == ':' || c == '/' || c == '%' || c == '+';
  });
}

bool is_address(const std::string& name) {
  unsigned char raw[16];
  return ::inet_pton(AF_INET, name.c_str(), raw) == 1 || ::inet_pton(AF_INET6, name.c_str(), raw) == 1;
}

// Those asked for, else the request's own.
Result<void, Failure> add_alternatives(X509* certificate, X509_REQ* asked, const SignRequest& request) {
  std::string text;
  const auto add = [&](std::string_view kind, const std::string& value) {
    text.append(text.empty() ? "" : ",").append(kind).append(value);
    return is_plain(value);
  };
  for (const std::string& name : request.names)
    if (!add(is_address(name) ? "IP:" : "DNS:", name)) return Err(Failure{"'" + name + "' is no name for a certificate"});
  for (const std::string& uri : request.uris)
    if (!add("URI:", uri)) return Err(Failure{"'" + uri + "' is no URI for a certificate"});
  if (!text.empty()) {
    if (!extend(certificate, certificate, NID_subject_alt_name, text)) return Err(last_error("alternative names"));
    return {};
  }
  STACK_OF(X509_EXTENSION)* const all = X509_REQ_get_extensions(asked);
  const int at = all ? X509v3_get_ext_by_NID(all, NID_subject_alt_name, -1) : -1;
  if (at >= 0) X509_add_ext(certificate, X509v3_get_ext(all, at), -1);
  sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
  ERR_clear_error();
  return {};
}

void set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  RAND_bytes(bytes, sizeof bytes);
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);   // positive, and of full length
  BIGNUM* const number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

Key make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kRsa1024: return Key(EVP_RSA_gen(1024));
    case KeyKind::kRsa2048: return Key(EVP_RSA_gen(2048));
    case KeyKind::kRsa3072: return Key(EVP_RSA_gen(3072));
    case KeyKind::kRsa4096: return Key(EVP_RSA_gen(4096));
    case KeyKind::kP256: return Key(EVP_EC_gen("P-256"));
    case KeyKind::kP384: return Key(EVP_EC_gen("P-384"));
    case KeyKind::kP521: return Key(EVP_EC_gen("P-521"));
  }
  return nullptr;
}

}  // namespace

Result<std::string, Failure> make_key_pem(KeyKind kind) {
  const Key key = make_key(kind);
  if (!key) return Err(last_error("make key"));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) return Err(last_error("write key"));
  return read_bio(bio.get());
}

Result<std::string, Failure> make_csr(const std::string& key_pem, const SubjectParts& subject) {
  const Key key = read_key(key_pem);
  if (!key) return Err(Failure{"the key cannot be read"});
  const Request request(X509_REQ_new());
  X509_REQ_set_version(request.get(), 0);
  if (!fill_name(X509_REQ_get_subject_name(request.get()), subject) || X509_REQ_set_pubkey(request.get(), key.get()) != 1 || X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0)
    return Err(last_error("make request"));
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  return read_bio(bio.get());
}

Result<void, Failure> check_csr(std::string_view csr_pem) {
  const Request request = read_request(csr_pem);
  if (!request) return Err(Failure{"this is no certificate signing request"});
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  if (!key || X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return Err(Failure{"the request is not signed by its key"});
  }
  return {};
}

Result<std::string, Failure> sign_csr(const std::string& authority_pem, const std::string& key_pem, const SignRequest& request) {
  TRY(check_csr(request.csr_pem));
  const Request asked = read_request(request.csr_pem);
  const Key key = read_key(key_pem);
  const Certificate issuer = authority_pem.empty() ? nullptr : read_certificate(authority_pem);
  if (!key || (!authority_pem.empty() && !issuer)) return Err(Failure{"the certificate authority cannot be read"});
  const Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  set_random_serial(made.get());
  ASN1_TIME_set(X509_getm_notBefore(made.get()), static_cast<time_t>(to_seconds(request.not_before)));
  ASN1_TIME_set(X509_getm_notAfter(made.get()), static_cast<time_t>(to_seconds(request.not_after)));
  X509_set_pubkey(made.get(), X509_REQ_get0_pubkey(asked.get()));
  if (request.subject.empty()) X509_set_subject_name(made.get(), X509_REQ_get_subject_name(asked.get()));
  else if (!fill_name(X509_get_subject_name(made.get()), request.subject)) return Err(last_error("subject"));
  X509* const by = issuer ? issuer.get() : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  std::string constraints = request.is_authority ? "critical,CA:TRUE" : "CA:FALSE";
  if (request.is_authority && request.path_length >= 0) constraints += ",pathlen:" + std::to_string(request.path_length);
  std::string purposes;
  for (const auto& [wanted, name] : {std::pair(request.for_servers, "serverAuth"), std::pair(request.for_clients, "clientAuth"), std::pair(request.for_code, "codeSigning")})
    if (wanted) purposes += (purposes.empty() ? "" : ",") + std::string(name);
  const bool is_rsa = EVP_PKEY_is_a(X509_REQ_get0_pubkey(asked.get()), "RSA");
  const std::string usage = request.is_authority ? "critical,digitalSignature,keyCertSign,cRLSign" : is_rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
  TRY(add_alternatives(made.get(), asked.get(), request));
  const EVP_MD* const digest = request.digest == "SHA384" ? EVP_sha384() : request.digest == "SHA512" ? EVP_sha512() : EVP_sha256();
  if (!extend(made.get(), by, NID_basic_constraints, constraints) || !extend(made.get(), by, NID_key_usage, usage) ||
      (!request.is_authority && !purposes.empty() && !extend(made.get(), by, NID_ext_key_usage, purposes)) || !extend(made.get(), by, NID_subject_key_identifier, "hash") ||
      !extend(made.get(), by, NID_authority_key_identifier, "keyid") || X509_sign(made.get(), key.get(), digest) == 0)
    return Err(last_error("make certificate"));
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), made.get());
  return read_bio(bio.get());
}

}  // namespace reef::io
