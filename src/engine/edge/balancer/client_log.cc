// What a client's connection tells the logs of its balancer.
#include <fmt/format.h>

#include "engine/edge/balancer/client_connection.h"

namespace reef::edge {

void ClientConnection::begin_entry(std::string_view bytes, const wire::Http1Head* head, const RequestFacts* facts) {
  const ListenerPlan& plan = listener_->plan;
  if (!plan.access_log) return;
  entry_ = std::make_unique<AccessEntry>();
  AccessEntry& entry = *entry_;
  const bool is_tls = transport_.is_tls();
  entry.type = is_tls ? "https" : "http";
  entry.began = loop_.reactor().now();
  entry.began_at = loop_.now();
  entry.balancer = plan.label;
  entry.client = fmt::format("{}:{}", ip_, port_);
  entry.connection = connection_id(entry.client, plan.id);
  if (is_tls) {
    entry.cipher = transport_.tls_cipher();
    entry.protocol = transport_.tls_version();
    entry.domain = transport_.server_name();
    const std::size_t chosen = transport_.certificate();
    if (chosen < plan.certificates.size()) entry.certificate = plan.certificates[chosen];
  }
  if (!head) return;
  entry.received = bytes.size();
  entry.method = bytes.substr(0, head->method_size);
  entry.url = fmt::format("{}://{}:{}{}", is_tls ? "https" : "http", facts->host.substr(0, facts->host.rfind(':')), plan.port, facts->target);
  entry.version = head->minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
  for (const wire::Http1Field& field : head->fields)
    if (equals_ignoring_case(bytes.substr(field.name_at, field.name_size), "user-agent")) entry.user_agent = bytes.substr(field.value_at, field.value_size);
}

void ClientConnection::end_entry(int status) {
  const auto entry = std::move(entry_);
  entry->status = status;
  if (listener_->plan.access_log) listener_->plan.access_log->add(access_line(*entry, loop_.reactor().now(), io::monotonic_micros()));
}

void ClientConnection::log_connection(bool succeeded) {
  const ListenerPlan& plan = slot_->now->plan;
  ConnectionEntry entry{.began = loop_.reactor().now(), .client_ip = ip_, .client_port = port_, .listener_port = slot_->now->port_text};
  entry.connection = connection_id(fmt::format("{}:{}", ip_, port_), plan.id);
  if (succeeded) {
    entry.protocol = transport_.tls_version();
    entry.cipher = transport_.tls_cipher();
    entry.handshake_micros = io::monotonic_micros() - opened_;
  }
  if (const auto peer = transport_.peer_certificate()) {
    entry.subject = peer->subject;
    entry.serial = peer->serial;
    entry.not_before = peer->not_before;
    entry.not_after = peer->not_after;
  }
  if (plan.client_certificates == ClientCertificates::kVerified)
    entry.verified = succeeded ? "Success" : entry.subject.empty() ? "Failed:UnmappedConnectionError" : transport_.certificate_fault();
  else if (!succeeded) entry.verified = "Failed:UnmappedConnectionError";
  plan.connection_log->add(connection_line(entry));
}

}  // namespace reef::edge
