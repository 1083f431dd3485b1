#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>

#include "base/text.h"
#include "io/openssl.h"

namespace reef::io {
namespace {

using openssl::Bio;
using openssl::Certificate;
using openssl::Key;
using openssl::read_bio;

Failure tls_error(std::string what) { return openssl::last_error(std::move(what)); }

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void*) {
  static const unsigned char kOffer[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOffer, sizeof kOffer - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

// One of a server's further certificates, and the names it is for.
struct TlsContext::Named {
  std::vector<std::string> names;   // lower case; "*.example.com" is for one label
  SSL_CTX* context = nullptr;
  ~Named() { SSL_CTX_free(context); }
};

// Certificates made for the names that clients asked for.
struct TlsContext::Issued {
  static constexpr std::size_t kMax = 256;
  ServerTls settings;
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Named>, std::less<>> by_name;
};

TlsContext::TlsContext(ssl_ctx_st* context) : context_(context) {}

Result<std::unique_ptr<TlsContext>, Failure> TlsContext::server(const std::string& certificate_pem, const std::string& key_pem) {
  return server(ServerTls{.certificates = {{certificate_pem, key_pem}}});
}

Result<std::unique_ptr<TlsContext>, Failure> TlsContext::client(const std::string& more_trusted_pem) {
  std::unique_ptr<TlsContext> context(new TlsContext(SSL_CTX_new(TLS_client_method())));
  SSL_CTX_set_min_proto_version(context->get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context->get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_set_default_verify_paths(context->get()) != 1) return Err(tls_error("system certificates"));
  if (!more_trusted_pem.empty()) {
    const Bio bio(BIO_new_mem_buf(more_trusted_pem.data(), static_cast<int>(more_trusted_pem.size())));
    while (const Certificate trusted{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) X509_STORE_add_cert(SSL_CTX_get_cert_store(context->get()), trusted.get());
    ERR_clear_error();   // the end of the text is an error to the reader
  }
  return context;
}

namespace {

// The chain follows the certificate.
bool use_pair(SSL_CTX* context, const PemPair& pair) {
  const Bio certificates(BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size())));
  const Bio key_bio(BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size())));
  const Certificate leaf(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!leaf || !key || SSL_CTX_use_certificate(context, leaf.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return false;
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) SSL_CTX_add0_chain_cert(context, next);
  ERR_clear_error();   // the end of the text is an error to the reader
  return true;
}

std::vector<std::string> names_of(SSL_CTX* context) {
  std::vector<std::string> out;
  X509* const certificate = SSL_CTX_get0_certificate(context);
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    out.push_back(to_lower({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  GENERAL_NAMES_free(names);
  if (out.empty()) {
    char common[256];
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common, sizeof common) > 0) out.push_back(to_lower(common));
  }
  return out;
}

int accept_any(int, X509_STORE_CTX*) { return 1; }
int accept_expired(int good, X509_STORE_CTX* store) {
  return good || X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_HAS_EXPIRED;
}

// Lists refuse whom they name and nobody else: authorities without one, and lists of any age, are fine.
bool is_about_lists(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED || error == X509_V_ERR_CRL_NOT_YET_VALID;
}
int accept_unlisted(int good, X509_STORE_CTX* store) { return good || is_about_lists(X509_STORE_CTX_get_error(store)); }
int accept_unlisted_expired(int good, X509_STORE_CTX* store) { return accept_expired(good, store) || is_about_lists(X509_STORE_CTX_get_error(store)); }

void revoke(SSL_CTX* context, const std::string& pem) {
  const Bio lists(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  while (X509_CRL* next = PEM_read_bio_X509_CRL(lists.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_crl(store, next);
    X509_CRL_free(next);
  }
  ERR_clear_error();
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

// Whether there was a certificate in the text.
bool trust(SSL_CTX* context, const std::string& pem) {
  const Bio trusted(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (X509* next = PEM_read_bio_X509(trusted.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, next);
    X509_free(next);
    ++count;
  }
  ERR_clear_error();
  return count > 0;
}

bool apply(SSL_CTX* context, const ServerTls& settings) {
  SSL_CTX_set_min_proto_version(context, settings.version_min);
  SSL_CTX_set_max_proto_version(context, settings.version_max);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  static const unsigned char kSession[] = "atoll";
  SSL_CTX_set_session_id_context(context, kSession, sizeof kSession - 1);
  if (settings.offers_http2) SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(context, settings.ciphers.c_str()) != 1) return false;
  if (settings.clients == ServerTls::Clients::kNotAsked) return true;
  if (settings.clients == ServerTls::Clients::kAsked) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
    return true;
  }
  const bool has_lists = !settings.revoked_pem.empty();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     settings.ignores_expiry ? (has_lists ? accept_unlisted_expired : accept_expired) : (has_lists ? accept_unlisted : nullptr));
  if (has_lists) revoke(context, settings.revoked_pem);
  return trust(context, settings.trusted_pem);
}

bool is_for(std::string_view pattern, std::string_view name) {
  if (pattern == name) return true;
  const auto dot = name.find('.');
  return pattern.starts_with("*.") && dot != std::string_view::npos && pattern.substr(1) == name.substr(dot);
}

}  // namespace

Result<std::unique_ptr<TlsContext>, Failure> TlsContext::server(const ServerTls& settings) {
  if (settings.certificates.empty()) return Err(Failure{"a TLS listener needs a certificate"});
  std::unique_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method())));
  if (!use_pair(made->get(), settings.certificates[0])) return Err(tls_error("certificate"));
  if (!apply(made->get(), settings)) return Err(tls_error("TLS settings"));
  for (const PemPair& pair : settings.certificates) {
    auto named = std::make_unique<Named>();
    named->context = SSL_CTX_new(TLS_server_method());
    if (!use_pair(named->context, pair)) return Err(tls_error("certificate"));
    if (!apply(named->context, settings)) return Err(tls_error("TLS settings"));
    SSL_CTX_set_app_data(named->context, reinterpret_cast<void*>(made->named_.size()));   // which one it is, for logs
    named->names = names_of(named->context);
    made->named_.push_back(std::move(named));
  }
  if (settings.issue) {
    made->issued_ = std::make_unique<Issued>();
    made->issued_->settings = settings;
  }
  SSL_CTX_set_tlsext_servername_arg(made->get(), made.get());
  SSL_CTX_set_tlsext_servername_callback(made->get(), +[](SSL* ssl, int*, void* argument) -> int {
    const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!asked) return SSL_TLSEXT_ERR_OK;
    const std::string name = to_lower(asked);
    const Named* found = nullptr;
    // An exact name before a wildcard.
    for (const auto& named : static_cast<TlsContext*>(argument)->named_)
      for (const std::string& pattern : named->names)
        if (pattern == name || (!found && is_for(pattern, name))) found = named.get();
    if (found) SSL_set_SSL_CTX(ssl, found->context);
    else if (Issued* const issued = static_cast<TlsContext*>(argument)->issued_.get()) show_issued(*issued, ssl, name);
    return SSL_TLSEXT_ERR_OK;
  });
  return made;
}

// The connection takes a reference to the context it is given.
void TlsContext::show_issued(Issued& issued, ssl_st* ssl, const std::string& name) {
  const std::scoped_lock lock(issued.mutex);
  auto& known = issued.by_name;
  auto found = known.find(name);
  if (found == known.end()) {
    const auto pair = issued.settings.issue(name);
    if (!pair) return;
    auto named = std::make_unique<Named>();
    named->context = SSL_CTX_new(TLS_server_method());
    if (!use_pair(named->context, *pair) || !apply(named->context, issued.settings)) return ERR_clear_error();
    if (known.size() >= Issued::kMax) known.erase(known.begin());
    found = known.emplace(name, std::move(named)).first;
  }
  SSL_set_SSL_CTX(ssl, found->second->context);
}

Result<std::unique_ptr<TlsContext>, Failure> TlsContext::client(const ClientTls& settings) {
  std::unique_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method())));
  SSL_CTX_set_min_proto_version(made->get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(made->get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(made->get(), SSL_VERIFY_PEER, nullptr);
  if (!trust(made->get(), settings.trusted_pem)) return Err(Failure{"no certificate to trust"});
  if (!settings.certificate.key.empty() && !use_pair(made->get(), settings.certificate)) return Err(tls_error("certificate"));
  return made;
}

Result<std::unique_ptr<TlsContext>, Failure> TlsContext::unverified_client() {
  std::unique_ptr<TlsContext> context(new TlsContext(SSL_CTX_new(TLS_client_method())));
  SSL_CTX_set_mode(context->get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Transport::~Transport() { close(); }

void Transport::close() {
  if (ssl_) {
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
    ssl_ = nullptr;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Transport::end() {
  if (ssl_) SSL_shutdown(ssl_);
  ERR_clear_error();
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

std::string Transport::tls_version() const { return ssl_ ? SSL_get_version(ssl_) : ""; }
std::string Transport::server_name() const {
  const char* const name = ssl_ ? SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name) : nullptr;
  return name ? name : "";
}
std::size_t Transport::certificate() const { return ssl_ ? reinterpret_cast<std::size_t>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl_))) : 0; }

std::string_view Transport::certificate_fault() const {
  switch (ssl_ ? SSL_get_verify_result(ssl_) : X509_V_OK) {
    case X509_V_OK: return "Failed:UnmappedConnectionError";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "Failed:ClientCertExpired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "Failed:ClientCertNotYetValid";
    case X509_V_ERR_CERT_REVOKED: return "Failed:ClientCertCrlHit";
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return "Failed:ClientCertMaxChainDepthExceeded";
    case X509_V_ERR_INVALID_PURPOSE: return "Failed:ClientCertPurposeInvalid";
    case X509_V_ERR_CERT_REJECTED: return "Failed:ClientCertRejected";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "Failed:ClientCertInvalid";
    default: return "Failed:ClientCertUntrusted";
  }
}

std::string Transport::tls_cipher() const { return ssl_ ? SSL_get_cipher_name(ssl_) : ""; }

std::unique_ptr<PeerCertificate> Transport::peer_certificate() const {
  const Certificate certificate(ssl_ ? SSL_get1_peer_certificate(ssl_) : nullptr);
  if (!certificate) return nullptr;
  auto out = std::make_unique<PeerCertificate>();
  const Bio bio(BIO_new(BIO_s_mem()));
  const auto take = [&] {
    std::string text = read_bio(bio.get());
    (void)BIO_reset(bio.get());
    return text;
  };
  PEM_write_bio_X509(bio.get(), certificate.get());
  out->pem = take();
  if (BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr)) {
    if (char* hex = BN_bn2hex(number)) {
      out->serial = hex;
      OPENSSL_free(hex);
    }
    BN_free(number);
  }
  X509_NAME_print_ex(bio.get(), X509_get_issuer_name(certificate.get()), 0, XN_FLAG_RFC2253);
  out->issuer = take();
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253);
  out->subject = take();
  const auto time = [&](const ASN1_TIME* when) {
    tm parts{};
    char text[32] = {};
    if (ASN1_TIME_to_tm(when, &parts) == 1) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(text);
  };
  out->not_before = time(X509_get0_notBefore(certificate.get()));
  out->not_after = time(X509_get0_notAfter(certificate.get()));
  return out;
}

std::vector<std::string> Transport::peer_names() const {
  std::vector<std::string> out;
  const Certificate certificate(ssl_ ? SSL_get1_peer_certificate(ssl_) : nullptr);
  if (!certificate) return out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    const ASN1_IA5STRING* const text = name->type == GEN_DNS ? name->d.dNSName : name->d.uniformResourceIdentifier;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);
  return out;
}

void Transport::verify_as_of(std::int64_t seconds) {
  if (ssl_) X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_), static_cast<time_t>(seconds));
}

void Transport::start_server_tls(const TlsContext& context) {
  ssl_ = SSL_new(context.get());
  SSL_set_fd(ssl_, fd_);
  SSL_set_accept_state(ssl_);
}

void Transport::start_client_tls(const TlsContext& context, const std::string& server_name) {
  ssl_ = SSL_new(context.get());
  SSL_set_fd(ssl_, fd_);
  if (!server_name.empty()) {
    SSL_set_tlsext_host_name(ssl_, server_name.c_str());
    SSL_set1_host(ssl_, server_name.c_str());
  }
  SSL_set_connect_state(ssl_);
}

void Transport::offer_http2() {
  static const unsigned char kOffer[] = "\x02h2";
  if (ssl_) SSL_set_alpn_protos(ssl_, kOffer, sizeof kOffer - 1);
}

long Transport::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) return 1;
  const int why = SSL_get_error(ssl_, done);
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? kWouldBlock : kBroken;
}

std::string Transport::negotiated_protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (ssl_) SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

long Transport::read(char* out, std::size_t size) {
  if (!ssl_) {
    const auto n = ::recv(fd_, out, size, 0);
    if (n >= 0) return n;
    return errno == EAGAIN || errno == EINTR ? kWouldBlock : kBroken;
  }
  ERR_clear_error();
  const int n = SSL_read(ssl_, out, static_cast<int>(size));
  if (n > 0) return n;
  const int why = SSL_get_error(ssl_, n);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return kWouldBlock;
  return why == SSL_ERROR_ZERO_RETURN ? 0 : kBroken;
}

long Transport::write(const char* bytes, std::size_t size) {
  if (!ssl_) {
    const auto n = ::send(fd_, bytes, size, MSG_NOSIGNAL);
    if (n >= 0) return n;
    return errno == EAGAIN || errno == EINTR ? kWouldBlock : kBroken;
  }
  ERR_clear_error();
  const int n = SSL_write(ssl_, bytes, static_cast<int>(size));
  if (n > 0) return n;
  const int why = SSL_get_error(ssl_, n);
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? kWouldBlock : kBroken;
}

long Transport::peek(char* out, std::size_t size) {
  const auto n = ::recv(fd_, out, size, MSG_PEEK);
  if (n >= 0) return n;
  return errno == EAGAIN || errno == EINTR ? kWouldBlock : kBroken;
}

}  // namespace reef::io
