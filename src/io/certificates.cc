#include "io/certificates.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "base/encoding.h"
#include "base/text.h"
#include "io/openssl.h"

namespace reef::io {
namespace {

using openssl::bio_of;
using openssl::extend;
using openssl::no_passphrase;
using openssl::read_bio;
using openssl::read_certificate;
using openssl::read_key;
using BioHandle = openssl::Bio;
using CertificateHandle = openssl::Certificate;
using KeyHandle = openssl::Key;

Failure crypto_error(std::string what) { return openssl::last_error(std::move(what)); }

std::string pem_of(X509* certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return read_bio(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return read_bio(bio.get());
}

KeyHandle make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kRsa1024: return KeyHandle(EVP_RSA_gen(1024));
    case KeyKind::kRsa2048: return KeyHandle(EVP_RSA_gen(2048));
    case KeyKind::kRsa3072: return KeyHandle(EVP_RSA_gen(3072));
    case KeyKind::kRsa4096: return KeyHandle(EVP_RSA_gen(4096));
    case KeyKind::kP256: return KeyHandle(EVP_EC_gen("P-256"));
    case KeyKind::kP384: return KeyHandle(EVP_EC_gen("P-384"));
    case KeyKind::kP521: return KeyHandle(EVP_EC_gen("P-521"));
  }
  return nullptr;
}

void set_time(ASN1_TIME* to, Time time) { ASN1_TIME_set(to, static_cast<time_t>(to_seconds(time))); }

void set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  RAND_bytes(bytes, sizeof bytes);
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);  // positive, and of full length
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

void add_name_part(X509_NAME* name, const char* part, const std::string& value) {
  X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
}

bool is_address(const std::string& name) {
  unsigned char raw[16];
  return ::inet_pton(AF_INET, name.c_str(), raw) == 1 || ::inet_pton(AF_INET6, name.c_str(), raw) == 1;
}

// The values go into OpenSSL's configuration language: nothing but the characters of names and addresses may.
bool is_plain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == '*' || c == ':' || c == '/' || c == '%' || c == '+';
  });
}

Result<PemPair, Failure> sign_leaf(const PemPair& authority, const LeafRequest& request, EVP_PKEY* key) {
  const CertificateHandle issuer = read_certificate(authority.certificate);
  const KeyHandle issuer_key = read_key(authority.key);
  if (!issuer || !issuer_key) return Err(Failure{"the certificate authority cannot be read"});
  if (request.names.empty() && request.uris.empty()) return Err(Failure{"a certificate needs a name"});
  const CertificateHandle leaf(X509_new());
  X509_set_version(leaf.get(), 2);
  set_random_serial(leaf.get());
  set_time(X509_getm_notBefore(leaf.get()), request.not_before);
  set_time(X509_getm_notAfter(leaf.get()), request.not_after);
  X509_set_pubkey(leaf.get(), key);
  // A common name holds at most 64 characters; a longer one stands among the alternative names alone.
  const auto common = std::find_if(request.names.begin(), request.names.end(), [](const std::string& name) { return name.size() <= 64; });
  if (common != request.names.end()) add_name_part(X509_get_subject_name(leaf.get()), "CN", *common);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer.get()));
  // RFC 5280: without a subject the alternative names are critical. Python 3.13 and others insist.
  std::string alternatives = common == request.names.end() ? "critical" : "";
  const auto add = [&](std::string_view kind, const std::string& value) {
    alternatives += alternatives.empty() ? "" : ",";
    alternatives += kind;
    alternatives += value;
    return is_plain(value);
  };
  for (const std::string& name : request.names)
    if (!add(is_address(name) ? "IP:" : "DNS:", name)) return Err(Failure{"'" + name + "' is no name for a certificate"});
  for (const std::string& uri : request.uris)
    if (!add("URI:", uri)) return Err(Failure{"'" + uri + "' is no URI for a certificate"});
  const bool is_rsa = EVP_PKEY_is_a(key, "RSA");
  if (!extend(leaf.get(), issuer.get(), NID_subject_alt_name, alternatives) ||
      !extend(leaf.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(leaf.get(), issuer.get(), NID_key_usage, is_rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature") ||
      !extend(leaf.get(), issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !extend(leaf.get(), issuer.get(), NID_subject_key_identifier, "hash") ||
      !extend(leaf.get(), issuer.get(), NID_authority_key_identifier, "keyid") ||
      X509_sign(leaf.get(), issuer_key.get(), EVP_sha256()) == 0)
    return Err(crypto_error("make certificate"));
  return PemPair{pem_of(leaf.get()), pem_of(key)};
}

Time time_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return from_seconds(::timegm(&parts));
}

std::string name_text(const X509_NAME* name) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  // Most specific first: "CN=a,O=b"; UTF-8 as it is.
  X509_NAME_print_ex(bio.get(), name, 0, (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SEP_MASK) | XN_FLAG_SEP_COMMA_PLUS);
  return read_bio(bio.get());
}

std::string common_name_of(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  std::string out(reinterpret_cast<char*>(text), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(text);
  return out;
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)), static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      char text[INET6_ADDRSTRLEN];
      const int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
      if (family == AF_INET || ASN1_STRING_length(name->d.iPAddress) == 16)
        if (::inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text)) out.emplace_back(text);
    }
  }
  GENERAL_NAMES_free(names);
  return out;
}

std::string key_algorithm_of(const EVP_PKEY* key) {
  if (!key) return "UNKNOWN";
  if (EVP_PKEY_is_a(key, "RSA")) return "RSA-" + std::to_string(EVP_PKEY_get_bits(key));
  char group[64] = {};
  if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1) return std::string("EC-") + group;
  return EVP_PKEY_get0_type_name(key);
}

std::string signature_algorithm_of(const X509* certificate) {
  int digest = 0, key = 0;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, &key) != 1) return OBJ_nid2sn(X509_get_signature_nid(certificate));
  std::string out = to_upper(OBJ_nid2sn(digest));
  out += "WITH";
  return out + (key == NID_rsaEncryption ? "RSA" : key == NID_X9_62_id_ecPublicKey ? "ECDSA" : to_upper(OBJ_nid2sn(key)));
}

void read_usages(X509* certificate, CertificateDetails& out) {
  static constexpr std::pair<std::uint32_t, const char*> kUsages[] = {
      {KU_DIGITAL_SIGNATURE, "DIGITAL_SIGNATURE"}, {KU_NON_REPUDIATION, "NON_REPUDIATION"}, {KU_KEY_ENCIPHERMENT, "KEY_ENCIPHERMENT"},
      {KU_DATA_ENCIPHERMENT, "DATA_ENCIPHERMENT"}, {KU_KEY_AGREEMENT, "KEY_AGREEMENT"}, {KU_KEY_CERT_SIGN, "CERTIFICATE_SIGNING"},
      {KU_CRL_SIGN, "CRL_SIGNING"}, {KU_ENCIPHER_ONLY, "ENCIPHER_ONLY"}, {KU_DECIPHER_ONLY, "DECIPHER_ONLY"}};
  const std::uint32_t bits = X509_get_key_usage(certificate);
  if (bits == UINT32_MAX) out.key_usages.emplace_back("ANY");
  else
    for (const auto& [bit, name] : kUsages)
      if (bits & bit) out.key_usages.emplace_back(name);
  static constexpr std::pair<int, const char*> kExtended[] = {
      {NID_server_auth, "TLS_WEB_SERVER_AUTHENTICATION"}, {NID_client_auth, "TLS_WEB_CLIENT_AUTHENTICATION"}, {NID_code_sign, "CODE_SIGNING"},
      {NID_email_protect, "EMAIL_PROTECTION"}, {NID_time_stamp, "TIME_STAMPING"}, {NID_OCSP_sign, "OCSP_SIGNING"}, {NID_anyExtendedKeyUsage, "ANY"}};
  auto* list = static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr));
  for (int i = 0; list && i < sk_ASN1_OBJECT_num(list); ++i) {
    const ASN1_OBJECT* object = sk_ASN1_OBJECT_value(list, i);
    char oid[128];
    OBJ_obj2txt(oid, sizeof oid, object, 1);
    NamedOid one{"CUSTOM", oid};
    for (const auto& [id, name] : kExtended)
      if (OBJ_obj2nid(object) == id) one.name = name;
    out.extended_key_usages.push_back(std::move(one));
  }
  sk_ASN1_OBJECT_pop_free(list, ASN1_OBJECT_free);
}

std::string serial_of(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  const std::string hex = hex_encode({reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) out += (i ? ":" : "") + hex.substr(i, 2);
  return out;
}

}  // namespace

Result<PemPair, Failure> make_authority(const std::string& common_name, Time now) {
  const KeyHandle key = make_key(KeyKind::kP256);
  const CertificateHandle certificate(X509_new());
  if (!key || !certificate) return Err(crypto_error("generate key"));
  X509_set_version(certificate.get(), 2);
  set_random_serial(certificate.get());
  set_time(X509_getm_notBefore(certificate.get()), now - std::chrono::days(1));
  set_time(X509_getm_notAfter(certificate.get()), now + std::chrono::days(3652));
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  add_name_part(name, "O", "Atoll");
  add_name_part(name, "CN", common_name);
  X509_set_issuer_name(certificate.get(), name);
  if (!extend(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE") ||
      !extend(certificate.get(), certificate.get(), NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign") ||
      !extend(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0)
    return Err(crypto_error("make authority"));
  return PemPair{pem_of(certificate.get()), pem_of(key.get())};
}

Result<PemPair, Failure> issue_leaf(const PemPair& authority, const LeafRequest& request) {
  const KeyHandle key = make_key(request.key);
  if (!key) return Err(crypto_error("generate key"));
  return sign_leaf(authority, request, key.get());
}

Result<PemPair, Failure> reissue_leaf(const PemPair& authority, const std::string& key_pem, const LeafRequest& request) {
  const KeyHandle key = read_key(key_pem);
  if (!key) return Err(Failure{"the private key cannot be read"});
  return sign_leaf(authority, request, key.get());
}

Result<CertificateDetails, Failure> describe_certificate(std::string_view pem) {
  const CertificateHandle certificate = read_certificate(pem);
  if (!certificate) return Err(Failure{"not a PEM-encoded X.509 certificate"});
  CertificateDetails out;
  out.subject = name_text(X509_get_subject_name(certificate.get()));
  out.issuer = name_text(X509_get_issuer_name(certificate.get()));
  out.common_name = common_name_of(X509_get_subject_name(certificate.get()));
  out.dns_names = alternative_names(certificate.get());
  out.serial = serial_of(certificate.get());
  out.not_before = time_of(X509_get0_notBefore(certificate.get()));
  out.not_after = time_of(X509_get0_notAfter(certificate.get()));
  out.key_algorithm = key_algorithm_of(X509_get0_pubkey(certificate.get()));
  out.signature_algorithm = signature_algorithm_of(certificate.get());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest, &size);
  out.sha256_fingerprint = hex_encode({reinterpret_cast<char*>(digest), size});
  read_usages(certificate.get(), out);
  out.is_authority = X509_check_ca(certificate.get()) == 1;
  ERR_clear_error();
  return out;
}

Result<std::vector<std::string>, Failure> split_certificates(std::string_view pem) {
  std::vector<std::string> out;
  constexpr std::string_view kBegin = "-----BEGIN ";
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos;) {
    const std::size_t next = pem.find(kBegin, at + kBegin.size());
    const CertificateHandle one = read_certificate(pem.substr(at, next == std::string_view::npos ? next : next - at));
    if (!one) return Err(Failure{"not a PEM-encoded X.509 certificate"});
    out.push_back(pem_of(one.get()));
    at = next;
  }
  if (out.empty()) return Err(Failure{"not a PEM-encoded X.509 certificate"});
  return out;
}

Result<void, Failure> check_key(std::string_view key_pem) {
  if (key_pem.find("ENCRYPTED") != std::string_view::npos) return Err(Failure{"the private key is encrypted"});
  if (!read_key(key_pem)) return Err(Failure{"not a PEM-encoded private key"});
  return {};
}

bool key_matches(std::string_view certificate_pem, std::string_view key_pem) {
  const CertificateHandle certificate = read_certificate(certificate_pem);
  const KeyHandle key = read_key(key_pem);
  const bool matches = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

bool chain_fits(std::string_view certificate_pem, std::string_view chain_pem) {
  const auto chain = split_certificates(chain_pem);
  CertificateHandle below = read_certificate(certificate_pem);
  if (!chain || !below) return false;
  for (const std::string& pem : *chain) {
    CertificateHandle above = read_certificate(pem);
    const bool fits = X509_check_issued(above.get(), below.get()) == X509_V_OK && X509_verify(below.get(), X509_get0_pubkey(above.get())) == 1;
    ERR_clear_error();
    if (!fits) return false;
    below = std::move(above);
  }
  return true;
}

Result<std::string, Failure> encrypt_key(std::string_view key_pem, const std::string& passphrase) {
  const KeyHandle key = read_key(key_pem);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!key || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_256_cbc(), passphrase.c_str(), static_cast<int>(passphrase.size()), nullptr, nullptr) != 1)
    return Err(crypto_error("encrypt key"));
  return read_bio(bio.get());
}

}  // namespace reef::io
