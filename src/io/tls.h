// TLS by OpenSSL, on non-blocking sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace reef::io {

struct PemPair {
  std::string certificate, key;   // the certificate may be followed by its chain
};

// What a server that has several names, or asks who its clients are, needs.
struct ServerTls {
  std::vector<PemPair> certificates;   // by SNI; the first serves whoever asks for none of them
  int version_min = 0x0303, version_max = 0x0304;   // as on the wire: 0x0303 is TLS 1.2
  std::string ciphers;                 // of TLS up to 1.2, in OpenSSL's names; "" for the default
  bool offers_http2 = true;
  enum class Clients { kNotAsked, kAsked, kVerified } clients = Clients::kNotAsked;
  std::string trusted_pem;             // whose certificates clients may show
  std::string revoked_pem;             // revocation lists: what they name is refused, whenever they were made
  bool ignores_expiry = false;
  // A certificate for a name that none of the above is for; nothing refuses. What it gives is kept, up to a bound. Any
  // thread. Optional.
  std::function<std::optional<PemPair>(const std::string& name)> issue;
};

// What a client that shows a certificate of its own, or trusts few, needs.
struct ClientTls {
  PemPair certificate;       // empty: none is shown
  std::string trusted_pem;   // whose certificates servers may show
};

// What a client showed of itself.
struct PeerCertificate {
  std::string pem, serial, issuer, subject, not_before, not_after;
};

// Certificate and settings of one kind of TLS connection. Thread-safe once made.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>, Failure> server(const ServerTls& settings);
  // Verifies against `trusted_pem`; the names are left to the caller (Transport::peer_names).
  static Result<std::unique_ptr<TlsContext>, Failure> client(const ClientTls& settings);
  // Takes whatever certificate the server shows, as load balancers and health checks do.
  static Result<std::unique_ptr<TlsContext>, Failure> unverified_client();
  // PEM texts. Offers h2 and http/1.1 by ALPN.
  static Result<std::unique_ptr<TlsContext>, Failure> server(const std::string& certificate_pem,
                                                             const std::string& key_pem);
  // Verifies against the system's certificates and those of `more_trusted_pem`.
  static Result<std::unique_ptr<TlsContext>, Failure> client(const std::string& more_trusted_pem = {});
  ~TlsContext();
  ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context);
  ssl_ctx_st* context_;
  struct Named;
  struct Issued;
  static void show_issued(Issued& issued, ssl_st* ssl, const std::string& name);
  std::vector<std::unique_ptr<Named>> named_;   // further certificates of a server
  std::unique_ptr<Issued> issued_;              // those made when they are asked for
};

// Outcomes of a read or write besides a byte count.
constexpr long kWouldBlock = -1;
constexpr long kBroken = -2;

// One end of a connection: plain or TLS.
class Transport {
 public:
  explicit Transport(int fd) : fd_(fd) {}
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  void start_server_tls(const TlsContext& context);
  void start_client_tls(const TlsContext& context, const std::string& server_name);
  void offer_http2();   // by ALPN, as a client, before the handshake
  // 1 when done, kWouldBlock or kBroken. Called again whenever the socket is ready until it is done.
  long handshake();
  // "h2", "http/1.1" or "".
  std::string negotiated_protocol() const;
  bool is_tls() const { return ssl_ != nullptr; }

  // Bytes read, 0 at the peer's end, kWouldBlock or kBroken.
  long read(char* out, std::size_t size);
  long write(const char* bytes, std::size_t size);
  // Without taking the bytes; plain connections only.
  long peek(char* out, std::size_t size);
  int fd() const { return fd_; }
  void close();
  // No more will be written; the peer may still be read from.
  void end();
  void adopt(int fd) { fd_ = fd; }
  // Moves the other's connection here.
  void take(Transport& other) {
    std::swap(fd_, other.fd_);
    std::swap(ssl_, other.ssl_);
  }
  Transport(Transport&& other) noexcept : fd_(-1) { take(other); }
  // "TLSv1.3", "TLS_AES_128_GCM_SHA256".
  std::string tls_version() const;
  std::string tls_cipher() const;
  // As a server: the name that the client asked for, and which of the ServerTls's certificates it was shown.
  std::string server_name() const;
  std::size_t certificate() const;
  // Why the client's certificate was refused, as load balancers log it: "Failed:ClientCertExpired".
  std::string_view certificate_fault() const;
  // DNS names and URIs of the certificate that the peer showed.
  std::vector<std::string> peer_names() const;
  // Certificates are verified as of then (seconds since 1970) instead of now; before the handshake.
  void verify_as_of(std::int64_t seconds);
  // Nothing when it showed none.
  std::unique_ptr<PeerCertificate> peer_certificate() const;

 private:
  int fd_;
  ssl_st* ssl_ = nullptr;
};

}  // namespace reef::io
