#include "engine/edge/balancer/client_identity.h"

namespace reef::edge {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// As AWS encodes certificates: all but letters, digits, "-._~" and "+=/".
std::string encode_pem(std::string_view pem) {
  constexpr std::string_view kHex = "0123456789ABCDEF", kKept = "-._~+=/";
  std::string out;
  for (const char c : pem) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || kKept.find(c) != std::string_view::npos;
    if (is_kept) out += c;
    else (((out += '%') += kHex[byte >> 4]) += kHex[byte & 15]);
  }
  return out;
}

}  // namespace

std::string make_certificate_lines(const io::PeerCertificate& certificate, ClientCertificates mode, const IdentityNames& names) {
  std::string out;
  if (mode == ClientCertificates::kPassedOn) append_line(out, names.certificate, encode_pem(certificate.pem));
  if (mode != ClientCertificates::kVerified) return out;
  append_line(out, names.serial, certificate.serial);
  append_line(out, names.issuer, certificate.issuer);
  append_line(out, names.subject, certificate.subject);
  append_line(out, names.validity, "NotBefore=" + certificate.not_before + ";NotAfter=" + certificate.not_after);
  append_line(out, names.leaf, encode_pem(certificate.pem));
  return out;
}

std::string make_identity_lines(const io::Transport& transport, const ListenerPlan& plan) {
  std::string out;
  if (!transport.is_tls()) return out;
  if (plan.heads.adds_tls_headers) {
    append_line(out, plan.identity_names.tls_version, transport.tls_version());
    append_line(out, plan.identity_names.tls_cipher, transport.tls_cipher());
  }
  if (plan.client_certificates == ClientCertificates::kNone) return out;
  if (const auto certificate = transport.peer_certificate()) out += make_certificate_lines(*certificate, plan.client_certificates, plan.identity_names);
  return out;
}

}  // namespace reef::edge
