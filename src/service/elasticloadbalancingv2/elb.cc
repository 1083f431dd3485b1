#include "service/elasticloadbalancingv2/elb.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "engine/edge/authority.h"
#include "engine/store/reset_hooks.h"

namespace reef::service::elb {
namespace {

using wire::Json;

constexpr std::string_view kPrefix = "elbv2/";

Json map_json(const std::map<std::string, std::string, std::less<>>& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) out.set(key, value);
  return out;
}
std::map<std::string, std::string, std::less<>> read_map(const Json& json) {
  std::map<std::string, std::string, std::less<>> out;
  for (const auto& [key, value] : json.as_object()) out.emplace(key, value.as_string());
  return out;
}
template <class T>
T read_value(const Json& json) {
  auto out = aws::from_json<T>(json);
  return out ? *std::move(out) : T{};
}

// What the attributes of a listener change in requests and replies.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
void apply_listener_attributes(const Listener& listener, edge::ListenerPlan& plan) {
  if (listener.value.protocol != "HTTP" && listener.value.protocol != "HTTPS") return;
  plan.replies.shows_server = attribute(listener, "routing.http.response.server.enabled") == "true";
  constexpr std::pair<std::string_view, std::string_view> kReplyHeaders[] = {
      {"strict_transport_security", "Strict-Transport-Security"},
      {"access_control_allow_origin", "Access-Control-Allow-Origin"},
      {"access_control_allow_methods", "Access-Control-Allow-Methods"},
      {"access_control_allow_headers", "Access-Control-Allow-Headers"},
      {"access_control_allow_credentials", "Access-Control-Allow-Credentials"},
      {"access_control_expose_headers", "Access-Control-Expose-Headers"},
      {"access_control_max_age", "Access-Control-Max-Age"},
      {"content_security_policy", "Content-Security-Policy"},
      {"x_content_type_options", "X-Content-Type-Options"},
      {"x_frame_options", "X-Frame-Options"},
  };
  for (const auto& [key, name] : kReplyHeaders) {
    const std::string value = attribute(listener, fmt::format("routing.http.response.{}.header_value", key));
    if (value.empty()) continue;
    plan.replies.headers.emplace_back(name, value);
    plan.replies.lines += fmt::format("{}: {}\r\n", name, value);
  }
  if (listener.value.protocol != "HTTPS") return;
  edge::IdentityNames& names = plan.identity_names;
  const auto renamed = [&](std::string& name, std::string_view key) { name = attribute(listener, fmt::format("routing.http.request.x_amzn_{}.header_name", key)); };
  renamed(names.tls_version, "tls_version");
  renamed(names.tls_cipher, "tls_cipher_suite");
  renamed(names.certificate, "mtls_clientcert");
  renamed(names.serial, "mtls_clientcert_serial_number");
  renamed(names.issuer, "mtls_clientcert_issuer");
  renamed(names.subject, "mtls_clientcert_subject");
  renamed(names.validity, "mtls_clientcert_validity");
  renamed(names.leaf, "mtls_clientcert_leaf");
}

// The load balancer that a request's host names, over the gateway's own port.
class BalancerSite final : public edge::Site {
 public:
  BalancerSite(edge::Balancers& engine, std::string listener) : engine_(engine), listener_(std::move(listener)) {}
  Task<http::Response> serve(edge::SiteRequest request) const override { co_return co_await engine_.serve(listener_, request.http); }

 private:
  edge::Balancers& engine_;
  std::string listener_;
};

}  // namespace

std::string region_of(std::string_view arn) {
  const auto parts = split(arn, ':');
  return parts.size() > 3 ? std::string(parts[3]) : std::string();
}
std::string account_of(std::string_view arn) {
  const auto parts = split(arn, ':');
  return parts.size() > 4 ? std::string(parts[4]) : std::string();
}
std::string resource_of(std::string_view arn) {
  const auto slash = arn.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(arn.substr(slash + 1));
}
std::string make_id() { return make_token(thread_random(), 16, "0123456789abcdef"); }

Elb::Elb(Parts& parts)
    : caller(parts.get<aws::Caller>()), balancers_engine(parts.get<edge::Balancers>()), certificates(parts.get<edge::Certificates>()),
      names(parts.get<edge::HostNames>()), networks(parts.get<network::Networks>()), sites(parts.get<edge::Sites>()), identity_clients(parts.get<edge::IdentityClients>()),
      traffic_metrics(*this, balancers_engine, parts.get<metrics::Counters>()), log_delivery(*this, balancers_engine) {
  balancers_engine.set_function_target([this](const std::shared_ptr<const edge::GroupSettings>& group, http::Request& request, std::string_view ip) {
    return call_function(caller, group, request, std::string(ip));
  });
  balancers_engine.on_health_change([this](const std::string& group) { update_name_health(group); });
  balancers_engine.set_sites(sites);
  balancers_engine.set_trusted(parts.get<edge::Authority>().certificate_pem());
  parts.add(keyring);
  parts.get<store::ResetHooks>().hooks.push_back([this] { return balancers_engine.clear(); });
}

void Elb::start() {
  keyring.load();
  store::Shard::control().records().scan(kPrefix, [this](std::string_view key, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    const std::string arn(key.substr(kPrefix.size()));
    const Json& value = (*json)["Value"];
    const auto attributes = read_map((*json)["Attributes"]), tags = read_map((*json)["Tags"]);
    if (arn.find(":loadbalancer/") != std::string::npos) {
      balancers[arn] = {.value = read_value<model::LoadBalancer>(value), .attributes = attributes, .tags = tags, .address = json->text("Address")};
      for (const Json& id : (*json)["Interfaces"].as_array()) balancers[arn].interfaces.push_back(id.as_string());
    } else if (arn.find(":listener/") != std::string::npos) {
      Listener& listener = listeners[arn] = {.value = read_value<model::Listener>(value), .more_certificates = {}, .attributes = attributes, .tags = tags};
      for (const Json& certificate : (*json)["Certificates"].as_array()) listener.more_certificates.push_back(certificate.as_string());
    } else if (arn.find(":listener-rule/") != std::string::npos) {
      rules[arn] = {.value = read_value<model::Rule>(value), .listener = json->text("Listener"), .tags = tags};
    } else if (arn.find(":targetgroup/") != std::string::npos) {
      Group& group = groups[arn] = {.value = read_value<model::TargetGroup>(value), .attributes = attributes, .tags = tags, .targets = {}};
      for (const Json& target : (*json)["Targets"].as_array())
        group.targets.push_back({.id = target.text("Id"), .zone = target.text("Zone"), .port = static_cast<int>(parse_int<int>(target.text("Port")).value_or(0))});
    } else if (arn.find(":truststore/") != std::string::npos) {
      TrustStore& store = trust_stores[arn] = {.value = read_value<model::TrustStore>(value), .revocations = {}, .bundle = json->text("Bundle"), .tags = tags};
      for (const auto& [id, revocation] : (*json)["Revocations"].as_object())
        store.revocations[parse_int<std::int64_t>(id).value_or(0)] = {.text = revocation.text("Text"), .entries = static_cast<int>(revocation["Entries"].as_int().value_or(0))};
    }
    return true;
  });
  const auto resume = [](Elb& elb) -> Task<void> {
    for (const auto& [arn, group] : ByArn<Group>(elb.groups)) {
      co_await elb.apply_group(arn);
      co_await elb.balancers_engine.register_targets(arn, co_await elb.resolve(group, group.targets));
    }
    for (const auto& [arn, listener] : ByArn<Listener>(elb.listeners))
      if (const auto applied = co_await elb.apply(arn); !applied) log::warn("a load balancer's listener could not be resumed", {{"listener", arn}, {"reason", applied.error().message}});
  };
  for (const auto& [arn, balancer] : balancers) publish_name(balancer);
  // Once the one that keeps interfaces has started, too. Balancers of older data have none yet.
  store::Shard::control().reactor().post([this] {
    for (auto& [arn, balancer] : balancers) {
      if (balancer.interfaces.empty() && attach(balancer)) save(balancer);
      tell_network(balancer);
    }
    networks.publish();
  });
  resume(*this).detach();
  traffic_metrics.start();
  log_delivery.start();
}

void Elb::reset() {
  for (const auto& [arn, balancer] : balancers) withdraw_name(balancer);
  balancers.clear(), listeners.clear(), rules.clear(), groups.clear(), trust_stores.clear();
}

// --- lookups ---------------------------------------------------------------------------------------------------------

namespace {
template <class T>
T* find(ByArn<T>& all, std::string_view arn) {
  const auto found = all.find(arn);
  return found == all.end() ? nullptr : &found->second;
}
// Of what kind an ARN is, so that one of another kind is a bad value rather than a missing thing.
Reply<void> check_kind(std::string_view arn, std::string_view kind, std::string_view what) {
  if (arn.starts_with("arn:") && arn.find(kind) != std::string_view::npos) return {};
  return Err(aws::validation_error(fmt::format("'{}' is not a valid {} ARN", arn, what)));
}
}  // namespace

Reply<Balancer*> Elb::balancer(std::string_view arn) {
  TRY(check_kind(arn, ":loadbalancer/", "load balancer"));
  if (Balancer* found = find(balancers, arn)) return found;
  return Err(aws::Error(errors::kLoadBalancerNotFoundException, fmt::format("Load balancer '{}' not found", arn)));
}
Reply<Listener*> Elb::listener(std::string_view arn) {
  TRY(check_kind(arn, ":listener/", "listener"));
  if (Listener* found = find(listeners, arn)) return found;
  return Err(aws::Error(errors::kListenerNotFoundException, "One or more listeners not found"));
}
Reply<Rule*> Elb::rule(std::string_view arn) {
  TRY(check_kind(arn, ":listener-rule/", "listener rule"));
  if (Rule* found = find(rules, arn)) return found;
  return Err(aws::Error(errors::kRuleNotFoundException, "One or more rules not found"));
}
Reply<Group*> Elb::group(std::string_view arn) {
  TRY(check_kind(arn, ":targetgroup/", "target group"));
  if (Group* found = find(groups, arn)) return found;
  return Err(aws::Error(errors::kTargetGroupNotFoundException, "One or more target groups not found"));
}
Reply<TrustStore*> Elb::trust_store(std::string_view arn) {
  TRY(check_kind(arn, ":truststore/", "trust store"));
  if (TrustStore* found = find(trust_stores, arn)) return found;
  return Err(aws::Error(errors::kTrustStoreNotFoundException, fmt::format("Trust store '{}' not found", arn)));
}

Balancer* Elb::balancer_named(const Call& call, std::string_view name) {
  for (auto& [arn, balancer] : balancers)
    if (balancer.value.load_balancer_name == name && account_of(arn) == call.account && region_of(arn) == call.region) return &balancer;
  return nullptr;
}
Group* Elb::group_named(const Call& call, std::string_view name) {
  for (auto& [arn, group] : groups)
    if (group.value.target_group_name == name && account_of(arn) == call.account && region_of(arn) == call.region) return &group;
  return nullptr;
}
std::vector<Listener*> Elb::listeners_of(std::string_view balancer_arn) {
  std::vector<Listener*> out;
  for (auto& [arn, listener] : listeners)
    if (listener.value.load_balancer_arn == balancer_arn) out.push_back(&listener);
  return out;
}
std::vector<Rule*> Elb::rules_of(std::string_view listener_arn) {
  std::vector<Rule*> out;
  for (auto& [arn, rule] : rules)
    if (rule.listener == listener_arn) out.push_back(&rule);
  std::sort(out.begin(), out.end(), [](const Rule* a, const Rule* b) {
    return parse_int<int>(*a->value.priority).value_or(0) < parse_int<int>(*b->value.priority).value_or(0);
  });
  return out;
}

std::vector<std::string> Elb::listeners_trusting(std::string_view trust_store_arn) const {
  std::vector<std::string> out;
  for (const auto& [arn, listener] : listeners)
    if (listener.value.mutual_authentication && listener.value.mutual_authentication->trust_store_arn == trust_store_arn) out.push_back(arn);
  return out;
}

std::vector<std::string> Elb::balancers_using(std::string_view group_arn) {
  std::set<std::string> out;
  const auto uses = [&](const std::optional<std::vector<model::Action>>& actions) {
    if (!actions) return false;
    return std::any_of(actions->begin(), actions->end(), [&](const model::Action& action) {
      if (action.target_group_arn == group_arn) return true;
      if (!action.forward_config || !action.forward_config->target_groups) return false;
      const auto& tuples = *action.forward_config->target_groups;
      return std::any_of(tuples.begin(), tuples.end(), [&](const auto& tuple) { return tuple.target_group_arn == group_arn; });
    });
  };
  for (const auto& [arn, listener] : listeners)
    if (uses(listener.value.default_actions)) out.insert(*listener.value.load_balancer_arn);
  for (const auto& [arn, rule] : rules)
    if (uses(rule.value.actions))
      if (const auto found = listeners.find(rule.listener); found != listeners.end()) out.insert(*found->second.value.load_balancer_arn);
  return {out.begin(), out.end()};
}

// --- durable state ---------------------------------------------------------------------------------------------------

namespace {
void put(const std::string& arn, Json json) { store::Shard::control().records().put(std::string(kPrefix) + arn, json.dump()); }
}  // namespace

void Elb::save(const Balancer& balancer) {
  Json interfaces = Json::array();
  for (const std::string& id : balancer.interfaces) interfaces.push_back(id);
  put(balancer.arn(), Json::object({{"Value", aws::to_json(balancer.value)}, {"Attributes", map_json(balancer.attributes)}, {"Tags", map_json(balancer.tags)}, {"Address", balancer.address}, {"Interfaces", std::move(interfaces)}}));
}
void Elb::save(const Listener& listener) {
  Json certificates_json = Json::array();
  for (const std::string& arn : listener.more_certificates) certificates_json.push_back(arn);
  put(listener.arn(), Json::object({{"Value", aws::to_json(listener.value)}, {"Attributes", map_json(listener.attributes)}, {"Tags", map_json(listener.tags)}, {"Certificates", std::move(certificates_json)}}));
}
void Elb::save(const Rule& rule) {
  put(rule.arn(), Json::object({{"Value", aws::to_json(rule.value)}, {"Listener", rule.listener}, {"Tags", map_json(rule.tags)}}));
}
void Elb::save(const Group& group) {
  Json targets = Json::array();
  for (const RegisteredTarget& target : group.targets)
    targets.push_back(Json::object({{"Id", target.id}, {"Port", std::to_string(target.port)}, {"Zone", target.zone}}));
  put(group.arn(), Json::object({{"Value", aws::to_json(group.value)}, {"Attributes", map_json(group.attributes)}, {"Tags", map_json(group.tags)}, {"Targets", std::move(targets)}}));
}
void Elb::save(const TrustStore& store) {
  Json revocations = Json::object();
  for (const auto& [id, revocation] : store.revocations) revocations.set(std::to_string(id), Json::object({{"Text", revocation.text}, {"Entries", revocation.entries}}));
  put(*store.value.trust_store_arn, Json::object({{"Value", aws::to_json(store.value)}, {"Bundle", store.bundle}, {"Revocations", std::move(revocations)}, {"Tags", map_json(store.tags)}}));
}
void Elb::erase(std::string_view arn) { store::Shard::control().records().erase(std::string(kPrefix) + std::string(arn)); }

// --- the data plane --------------------------------------------------------------------------------------------------

// Each balancer has an address of its own in 127.64.0.0/10, found from its ARN so that balancers of several daemons on
// one machine rarely meet.
std::string Elb::address_for(std::string_view arn) const {
  std::set<std::string> taken;
  for (const auto& [other, balancer] : balancers) taken.insert(balancer.address);
  for (std::uint64_t hash = std::hash<std::string_view>{}(arn);; hash = hash * 6364136223846793005ull + 1442695040888963407ull) {
    std::string address = fmt::format("127.{}.{}.{}", 64 + (hash >> 56 & 63), hash >> 40 & 255, 1 + (hash >> 32 & 255) % 254);
    if (!taken.contains(address)) return address;
  }
}

void Elb::publish_name(const Balancer& balancer) { names.put(*balancer.value.dns_name, balancer.address, balancer.is_application()); }
void Elb::withdraw_name(const Balancer& balancer) {
  names.remove(*balancer.value.dns_name);
  const std::string& dns = *balancer.value.dns_name;
  sites.erase("elb", dns.substr(0, dns.find('.')));
}

Task<Reply<void>> Elb::apply(std::string listener_arn) {
  const auto found = listeners.find(listener_arn);
  if (found == listeners.end()) co_return Reply<void>();
  const Listener& listener = found->second;
  const Balancer& balancer = *CO_TRY(this->balancer(*listener.value.load_balancer_arn));
  edge::ListenerPlan plan;
  plan.id = listener_arn;
  plan.address = balancer.address;
  plan.port = listener.value.port.value_or(80);
  const std::string protocol = listener.value.protocol.value_or("HTTP");
  plan.protocol = protocol == "HTTPS" ? edge::ListenerProtocol::kHttps
                  : protocol == "TCP" ? edge::ListenerProtocol::kTcp
                  : protocol == "TLS" ? edge::ListenerProtocol::kTls
                  : protocol == "UDP" ? edge::ListenerProtocol::kUdp
                  : protocol == "TCP_UDP" ? edge::ListenerProtocol::kTcpUdp
                                          : edge::ListenerProtocol::kHttp;
  const auto flag = [&](std::string_view key) { return attribute(balancer, key) == "true"; };
  const auto seconds = [&](std::string_view key, std::int64_t otherwise) {
    return Duration(std::chrono::seconds(parse_int<std::int64_t>(attribute(balancer, key)).value_or(otherwise)));
  };
  const std::string forwarded = attribute(balancer, "routing.http.xff_header_processing.mode");
  plan.heads.forwarded_for = forwarded == "preserve" ? edge::ForwardedFor::kPreserve : forwarded == "remove" ? edge::ForwardedFor::kRemove : edge::ForwardedFor::kAppend;
  const std::string desync = attribute(balancer, "routing.http.desync_mitigation_mode");
  plan.heads.desync = desync == "monitor" ? edge::DesyncMode::kMonitor : desync == "strictest" ? edge::DesyncMode::kStrictest : edge::DesyncMode::kDefensive;
  plan.heads.forwards_client_port = flag("routing.http.xff_client_port.enabled");
  plan.heads.preserves_host = flag("routing.http.preserve_host_header.enabled");
  plan.heads.drops_invalid_names = flag("routing.http.drop_invalid_header_fields.enabled");
  plan.heads.adds_tls_headers = flag("routing.http.x_amzn_tls_version_and_cipher_suite.enabled");
  apply_listener_attributes(listener, plan);
  // That of TLS is fixed. https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
  plan.idle_timeout = seconds("idle_timeout.timeout_seconds", protocol == "TCP" ? parse_int<std::int64_t>(attribute(listener, "tcp.idle_timeout.seconds")).value_or(350) : 350);
  plan.client_keep_alive = seconds("client_keep_alive.seconds", 3600);
  plan.allows_http2 = flag("routing.http2.enabled");
  plan.label = resource_of(balancer.arn());
  plan.access_log = log_delivery.log_of(balancer, LogKind::kAccess);
  plan.connection_log = log_delivery.log_of(balancer, LogKind::kConnection);
  log_delivery.log_of(balancer, LogKind::kHealthCheck);
  for (const Rule* rule : rules_of(listener_arn)) {
    plan.conditions.push_back(CO_TRY(read_conditions(*rule->value.conditions)));
    plan.actions.push_back(CO_TRY(read_actions(*this, *rule->value.actions, listener, rule->arn())));
    plan.actions.back().rewrites = CO_TRY(read_transforms(rule->value.transforms));
    plan.actions.back().id = rule->arn();
    plan.actions.back().priority = parse_int<int>(rule->value.priority.value_or("")).value_or(0);
  }
  plan.actions.push_back(CO_TRY(read_actions(*this, *listener.value.default_actions, listener, listener_arn)));
  std::optional<io::ServerTls> tls;
  std::vector<std::string> arns;
  if (protocol == "HTTPS" || protocol == "TLS") {
    tls.emplace();
    if (listener.value.certificates && !listener.value.certificates->empty()) arns.push_back(listener.value.certificates->front().certificate_arn.value_or(""));
    arns.insert(arns.end(), listener.more_certificates.begin(), listener.more_certificates.end());
    for (const std::string& arn : arns) {
      const auto certificate = certificates.find(arn);
      if (!certificate) co_return Err(aws::Error(errors::kCertificateNotFoundException, fmt::format("Certificate '{}' not found", arn)));
      tls->certificates.push_back({certificate->chain_pem, certificate->key_pem});
      plan.certificates.push_back(arn);
    }
    if (const TlsPolicy* policy = find_policy(listener.value.ssl_policy.value_or(""))) {
      const auto has = [&](std::string_view version) { return std::find(policy->protocols.begin(), policy->protocols.end(), version) != policy->protocols.end(); };
      tls->version_min = has("TLSv1") ? 0x0301 : has("TLSv1.1") ? 0x0302 : has("TLSv1.2") ? 0x0303 : 0x0304;
      tls->version_max = has("TLSv1.3") ? 0x0304 : 0x0303;
      for (const std::string_view cipher : policy->ciphers)
        if (!cipher.starts_with("TLS_")) tls->ciphers += (tls->ciphers.empty() ? "" : ":") + std::string(cipher);
      // Versions that OpenSSL takes for too weak, where the policy wants them.
      if (!tls->ciphers.empty() && tls->version_min < 0x0303) tls->ciphers += ":@SECLEVEL=0";
    }
    tls->offers_http2 = protocol == "HTTPS" && plan.allows_http2;
    if (listener.value.mutual_authentication) {
      const auto& mutual = *listener.value.mutual_authentication;
      if (mutual.mode == "passthrough") tls->clients = io::ServerTls::Clients::kAsked;
      if (mutual.mode == "verify") {
        tls->clients = io::ServerTls::Clients::kVerified;
        const TrustStore& store = *CO_TRY(trust_store(mutual.trust_store_arn.value_or("")));
        tls->trusted_pem = store.bundle;
        for (const auto& [id, revocation] : store.revocations) tls->revoked_pem += revocation.text + "\n";
        tls->ignores_expiry = mutual.ignore_client_certificate_expiry.value_or(false);
      }
      plan.heads.tells_certificates = mutual.mode == "verify" || mutual.mode == "passthrough";
      plan.client_certificates = mutual.mode == "verify" ? edge::ClientCertificates::kVerified : mutual.mode == "passthrough" ? edge::ClientCertificates::kPassedOn : edge::ClientCertificates::kNone;
    }
  }
  const std::string balancer_arn = balancer.arn(), dns = *balancer.value.dns_name;
  for (const edge::RuleActions& actions : plan.actions)
    if (actions.forward)
      for (const edge::WeightedGroup& group : actions.forward->groups) networks.set_caller(group.group, balancer_arn);
  networks.publish();
  const auto port = co_await balancers_engine.put_listener(plan, std::move(tls));
  if (!port) co_return Err(aws::Error("InvalidConfigurationRequest", fmt::format("The listener cannot be opened: {}", port.error().message), 400));
  update_uses(balancer_arn);
  if (*port != plan.port) log::warn("a load balancer's port needs a privilege that this user lacks", {{"declared", plan.port}, {"address", plan.address}, {"port", *port}});
  // Over the gateway's port the first HTTP listener answers for the balancer's name.
  if (plan.protocol == edge::ListenerProtocol::kHttp || (plan.protocol == edge::ListenerProtocol::kHttps && !sites.find("elb", dns.substr(0, dns.find('.')))))
    sites.put("elb", dns.substr(0, dns.find('.')), std::make_shared<BalancerSite>(balancers_engine, listener_arn));
  co_return Reply<void>();
}

void Elb::update_uses(const std::string& balancer_arn) {
  std::vector<std::string> arns;
  for (const Listener* listener : listeners_of(balancer_arn)) {
    if (listener->value.certificates)
      for (const auto& certificate : *listener->value.certificates) arns.push_back(certificate.certificate_arn.value_or(""));
    arns.insert(arns.end(), listener->more_certificates.begin(), listener->more_certificates.end());
  }
  certificates.set_uses(balancer_arn, std::move(arns));
}

Task<void> Elb::apply_group(std::string group_arn) {
  const auto found = groups.find(group_arn);
  if (found != groups.end()) co_await balancers_engine.put_group(group_settings(found->second));
}

Task<void> Elb::apply_all_of(std::string balancer_arn) {
  for (Listener* listener : listeners_of(balancer_arn)) {
    const std::string arn = listener->arn();
    if (const auto applied = co_await apply(arn); !applied) log::warn("a load balancer's listener could not be changed", {{"listener", arn}, {"reason", applied.error().message}});
  }
}

Task<std::vector<edge::TargetSpec>> Elb::resolve(const Group& group, std::vector<RegisteredTarget> targets) {
  std::vector<edge::TargetSpec> out;
  const std::string type = group.value.target_type.value_or("instance"), arn = group.arn();
  if (type == "lambda") co_return out;
  for (const RegisteredTarget& target : targets) {
    edge::TargetSpec spec{.id = target.id, .ip = type == "ip" ? target.id : std::string(), .port = target.port};
    // A balancer behind another one: where it listens, whatever its port had to become.
    if (type == "alb") {
      const auto found = balancers.find(target.id);
      if (found == balancers.end()) continue;
      spec.ip = found->second.address;
      for (const Listener* listener : listeners_of(target.id))
        if (const int port = listener->value.port == target.port ? balancers_engine.port_of(listener->arn()) : 0) spec.port = port;
    }
    if (type == "instance") {
      const auto reply = co_await caller.invoke_json(caller.internal_call(account_of(arn), region_of(arn)), "ec2", "DescribeInstances",
                                                     Json::object({{"InstanceIds", Json::array({Json(target.id)})}}));
      if (reply)
        for (const Json& reservation : (*reply)["Reservations"].as_array())
          for (const Json& instance : reservation["Instances"].as_array()) spec.ip = instance.text("PrivateIpAddress");
    }
    out.push_back(std::move(spec));
  }
  co_return out;
}

}  // namespace reef::service::elb
