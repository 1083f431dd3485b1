// What the files that call OpenSSL share; included by no other.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::io::openssl {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* p) const { Free(p); }
};
struct BioFreed {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, BioFreed>;

// What a memory BIO holds.
inline std::string read_bio(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

inline Bio bio_of(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// Asked for a passphrase, there is none: an encrypted key is no key to us.
inline int no_passphrase(char*, int, int, void*) { return 0; }

// Null for what is none.
inline Certificate read_certificate(std::string_view pem) {
  Certificate out(PEM_read_bio_X509(bio_of(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return out;
}
inline Key read_key(std::string_view pem) {
  Key out(PEM_read_bio_PrivateKey(bio_of(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return out;
}

// Adds an extension in OpenSSL's own notation: "critical,CA:TRUE".
inline bool extend(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  if (!extension) return false;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return true;
}

// OpenSSL's newest error as a Failure; its queue is empty afterwards.
inline Failure last_error(std::string what) {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return {what + ": " + text};
}

}  // namespace reef::io::openssl
