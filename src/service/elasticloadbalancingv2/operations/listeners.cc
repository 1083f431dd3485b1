// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
#include <algorithm>

#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {
namespace {

constexpr std::size_t kListenersMax = 50;

bool ends_tls(const std::string& protocol) { return protocol == "HTTPS" || protocol == "TLS"; }

// Protocol, port, certificates and policy together, of a new or a changed listener.
Reply<void> check(Elb& elb, const Balancer& balancer, Listener& listener) {
  model::Listener& value = listener.value;
  const std::string protocol = value.protocol.value_or("");
  const bool fits = balancer.is_application() ? protocol == "HTTP" || protocol == "HTTPS"
                                              : protocol == "TCP" || protocol == "TLS" || protocol == "UDP" || protocol == "TCP_UDP";
  if (!fits)
    return Err(aws::validation_error(fmt::format("Listener protocol '{}' must be one of '{}'", protocol, balancer.is_application() ? "HTTP, HTTPS" : "TCP, TLS, UDP, TCP_UDP")));
  if (!value.port || *value.port < 1 || *value.port > 65535) return Err(aws::validation_error("A listener port must be between 1 and 65535"));
  const bool has_certificate = value.certificates && !value.certificates->empty();
  if (ends_tls(protocol)) {
    if (!has_certificate) return Err(aws::validation_error(fmt::format("A certificate must be specified for {} listeners", protocol)));
    if (value.certificates->size() > 1) return Err(aws::Error(errors::kTooManyCertificatesException, "Only one certificate can be specified"));
    if (!value.ssl_policy) value.ssl_policy = "ELBSecurityPolicy-2016-08";
    if (!find_policy(*value.ssl_policy)) return Err(aws::Error(errors::kSSLPolicyNotFoundException, fmt::format("SSL policy '{}' not found", *value.ssl_policy)));
    const std::string arn = value.certificates->front().certificate_arn.value_or("");
    if (!elb.certificates.find(arn)) return Err(aws::Error(errors::kCertificateNotFoundException, fmt::format("Certificate '{}' not found", arn)));
  } else {
    if (has_certificate) return Err(aws::validation_error(fmt::format("You cannot specify a certificate for {} listeners", protocol)));
    if (value.ssl_policy) return Err(aws::validation_error(fmt::format("You cannot specify an SSL policy for {} listeners", protocol)));
  }
  if (value.mutual_authentication) {
    auto& mutual = *value.mutual_authentication;
    if (protocol != "HTTPS") return Err(aws::validation_error("Mutual authentication is supported only on HTTPS listeners"));
    if (mutual.mode == "verify") {
      if (!mutual.trust_store_arn) return Err(aws::validation_error("A trust store ARN must be specified when mutual authentication mode is 'verify'"));
      TRY(elb.trust_store(*mutual.trust_store_arn));
      mutual.trust_store_association_status = "active";
    }
  }
  TRY(read_actions(elb, *value.default_actions, listener, listener.arn()));
  return {};
}

}  // namespace

model::Listener shown(const Listener& listener) {
  model::Listener out = listener.value;
  if (out.default_actions) out.default_actions = shown_actions(*out.default_actions);
  if (out.certificates)
    for (auto& certificate : *out.certificates) certificate.is_default.reset();
  return out;
}

Task<Reply<model::CreateListenerOutput>> CreateListener(Elb& elb, const model::CreateListenerInput& in, const Call& call) {
  const Balancer* balancer = CO_TRY(elb.balancer(in.load_balancer_arn));
  const auto existing = elb.listeners_of(in.load_balancer_arn);
  for (const Listener* other : existing)
    if (other->value.port == in.port)
      co_return Err(aws::Error(errors::kDuplicateListenerException, "A listener already exists on this port for this load balancer '" + in.load_balancer_arn + "'"));
  if (existing.size() >= kListenersMax) co_return Err(aws::Error(errors::kTooManyListenersException, "The maximum number of listeners per load balancer is '50'"));
  Listener listener;
  listener.tags = CO_TRY(read_tags(in.tags));
  const std::string arn = call.arn("elasticloadbalancing", "listener/" + resource_of(in.load_balancer_arn) + "/" + make_id());
  listener.value = {.listener_arn = arn, .load_balancer_arn = in.load_balancer_arn, .port = in.port, .protocol = in.protocol, .certificates = in.certificates,
                    .ssl_policy = in.ssl_policy, .default_actions = in.default_actions, .alpn_policy = in.alpn_policy, .mutual_authentication = in.mutual_authentication};
  CO_TRY(check(elb, *balancer, listener));
  elb.listeners[arn] = listener;
  if (auto applied = co_await elb.apply(arn); !applied) {
    elb.listeners.erase(arn);
    co_return Err(std::move(applied.error()));
  }
  elb.save(listener);
  co_await elb.committed();
  co_return model::CreateListenerOutput{.listeners = {{shown(listener)}}};
}

Task<Reply<model::DescribeListenersOutput>> DescribeListeners(Elb& elb, const model::DescribeListenersInput& in, const Call&) {
  std::vector<model::Listener> all;
  if (in.listener_arns && !in.listener_arns->empty()) {
    for (const std::string& arn : *in.listener_arns) all.push_back(shown(*CO_TRY(elb.listener(arn))));
  } else {
    if (!in.load_balancer_arn) co_return Err(aws::validation_error("You must specify either listener ARNs or a load balancer ARN"));
    CO_TRY(elb.balancer(*in.load_balancer_arn));
    for (const Listener* listener : elb.listeners_of(*in.load_balancer_arn)) all.push_back(shown(*listener));
  }
  model::DescribeListenersOutput out;
  CO_TRY(paginate(in, all, out.listeners, out));
  co_return out;
}

Task<Reply<model::ModifyListenerOutput>> ModifyListener(Elb& elb, const model::ModifyListenerInput& in, const Call&) {
  const Listener before = *CO_TRY(elb.listener(in.listener_arn));
  const Balancer* balancer = CO_TRY(elb.balancer(*before.value.load_balancer_arn));
  Listener after = before;
  model::Listener& value = after.value;
  if (in.port && *in.port != *value.port) {
    for (const Listener* other : elb.listeners_of(*value.load_balancer_arn))
      if (other->value.port == in.port)
        co_return Err(aws::Error(errors::kDuplicateListenerException, "A listener already exists on this port for this load balancer '" + *value.load_balancer_arn + "'"));
    value.port = in.port;
  }
  if (in.protocol && in.protocol != value.protocol) {
    value.protocol = in.protocol;
    if (!ends_tls(*in.protocol)) value.certificates.reset(), value.ssl_policy.reset(), after.more_certificates.clear();
  }
  if (in.certificates) value.certificates = in.certificates;
  if (in.ssl_policy) value.ssl_policy = in.ssl_policy;
  if (in.default_actions) {
    value.default_actions = in.default_actions;
    keep_client_secret(*before.value.default_actions, *value.default_actions);
  }
  if (in.alpn_policy) value.alpn_policy = in.alpn_policy;
  if (in.mutual_authentication) value.mutual_authentication = in.mutual_authentication;
  CO_TRY(check(elb, *balancer, after));
  elb.listeners[in.listener_arn] = after;
  if (auto applied = co_await elb.apply(in.listener_arn); !applied) {
    if (elb.listeners.contains(in.listener_arn)) elb.listeners[in.listener_arn] = before;
    co_return Err(std::move(applied.error()));
  }
  elb.save(after);
  co_await elb.committed();
  co_return model::ModifyListenerOutput{.listeners = {{shown(after)}}};
}

Task<Reply<model::DeleteListenerOutput>> DeleteListener(Elb& elb, const model::DeleteListenerInput& in, const Call&) {
  const std::string balancer = *(*CO_TRY(elb.listener(in.listener_arn))).value.load_balancer_arn;
  for (const Rule* rule : elb.rules_of(in.listener_arn)) {
    const std::string arn = rule->arn();
    elb.erase(arn);
    elb.rules.erase(arn);
  }
  elb.erase(in.listener_arn);
  elb.listeners.erase(in.listener_arn);
  elb.update_uses(balancer);
  co_await elb.committed();
  co_await elb.balancers_engine.remove_listener(in.listener_arn);
  co_return model::DeleteListenerOutput{};
}

Task<Reply<model::DescribeListenerAttributesOutput>> DescribeListenerAttributes(Elb& elb, const model::DescribeListenerAttributesInput& in, const Call&) {
  co_return model::DescribeListenerAttributesOutput{.attributes = list_attributes<model::ListenerAttribute>(*CO_TRY(elb.listener(in.listener_arn)))};
}

Task<Reply<model::ModifyListenerAttributesOutput>> ModifyListenerAttributes(Elb& elb, const model::ModifyListenerAttributesInput& in, const Call&) {
  Listener changed = *CO_TRY(elb.listener(in.listener_arn));
  for (const auto& attribute : in.attributes) CO_TRY(set_attribute(changed, attribute.key.value_or(""), attribute.value.value_or("")));
  elb.listeners[in.listener_arn] = changed;
  elb.save(changed);
  co_await elb.committed();
  CO_TRY(co_await elb.apply(in.listener_arn));
  co_return model::ModifyListenerAttributesOutput{.attributes = list_attributes<model::ListenerAttribute>(changed)};
}

Task<Reply<model::AddListenerCertificatesOutput>> AddListenerCertificates(Elb& elb, const model::AddListenerCertificatesInput& in, const Call&) {
  Listener changed = *CO_TRY(elb.listener(in.listener_arn));
  if (!ends_tls(*changed.value.protocol)) co_return Err(aws::Error(errors::kUnsupportedProtocolException, "Certificates can be added to HTTPS and TLS listeners only"));
  model::AddListenerCertificatesOutput out{.certificates = std::vector<model::Certificate>{}};
  for (const auto& certificate : in.certificates) {
    const std::string arn = certificate.certificate_arn.value_or("");
    if (!elb.certificates.find(arn)) co_return Err(aws::Error(errors::kCertificateNotFoundException, fmt::format("Certificate '{}' not found", arn)));
    auto& more = changed.more_certificates;
    if (std::find(more.begin(), more.end(), arn) == more.end()) more.push_back(arn);
    out.certificates->push_back({.certificate_arn = arn, .is_default = false});
  }
  elb.listeners[in.listener_arn] = changed;
  elb.save(changed);
  co_await elb.committed();
  CO_TRY(co_await elb.apply(in.listener_arn));
  co_return out;
}

Task<Reply<model::RemoveListenerCertificatesOutput>> RemoveListenerCertificates(Elb& elb, const model::RemoveListenerCertificatesInput& in, const Call&) {
  Listener changed = *CO_TRY(elb.listener(in.listener_arn));
  for (const auto& certificate : in.certificates) {
    const std::string arn = certificate.certificate_arn.value_or("");
    if (changed.value.certificates && !changed.value.certificates->empty() && changed.value.certificates->front().certificate_arn == arn)
      co_return Err(aws::Error(errors::kOperationNotPermittedException, "The default certificate cannot be removed"));
    std::erase(changed.more_certificates, arn);
  }
  elb.listeners[in.listener_arn] = changed;
  elb.save(changed);
  co_await elb.committed();
  CO_TRY(co_await elb.apply(in.listener_arn));
  co_return model::RemoveListenerCertificatesOutput{};
}

Task<Reply<model::DescribeListenerCertificatesOutput>> DescribeListenerCertificates(Elb& elb, const model::DescribeListenerCertificatesInput& in, const Call&) {
  const Listener* listener = CO_TRY(elb.listener(in.listener_arn));
  std::vector<model::Certificate> all;
  if (listener->value.certificates)
    for (const auto& certificate : *listener->value.certificates) all.push_back({.certificate_arn = certificate.certificate_arn, .is_default = true});
  for (const std::string& arn : listener->more_certificates) all.push_back({.certificate_arn = arn, .is_default = false});
  model::DescribeListenerCertificatesOutput out;
  CO_TRY(paginate(in, all, out.certificates, out));
  co_return out;
}

}  // namespace reef::service::elb::operations
