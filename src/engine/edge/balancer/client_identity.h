// What targets are told of a client's TLS connection: its version and cipher suite, and the certificate it showed.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
#pragma once

#include <string>
#include <string_view>

#include "engine/edge/balancer/plan.h"
#include "io/tls.h"

namespace reef::edge {

// Complete header lines for a connection whose handshake is done; "" when there is nothing to tell.
std::string make_identity_lines(const io::Transport& transport, const ListenerPlan& plan);
std::string make_certificate_lines(const io::PeerCertificate& certificate, ClientCertificates mode, const IdentityNames& names);

}  // namespace reef::edge
