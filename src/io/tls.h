// TLS by OpenSSL, on non-blocking sockets.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace reef::io {

// Certificate and settings of one kind of TLS connection. Thread-safe once made.
class TlsContext {
 public:
  // PEM texts. Offers h2 and http/1.1 by ALPN.
  static Result<std::unique_ptr<TlsContext>, Failure> server(const std::string& certificate_pem,
                                                             const std::string& key_pem);
  // Verifies against the system's certificates.
  static Result<std::unique_ptr<TlsContext>, Failure> client();
  // Takes any certificate: for health checks, which look for life only.
  static Result<std::unique_ptr<TlsContext>, Failure> unverified_client();
  ~TlsContext();
  ssl_ctx_st* get() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

struct PemPair {
  std::string certificate, key;
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

 private:
  int fd_;
  ssl_st* ssl_ = nullptr;
};

}  // namespace reef::io
