#include "service/apigateway/domains.h"

#include "aws/protocol/codec.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;

constexpr std::string_view kDomainPrefix = "apigateway/domain/", kDomainKind = "domain";

class DomainSite final : public edge::Site {
 public:
  DomainSite(const StoredDomain& domain, edge::Sites& sites) : mappings_(domain.mappings), sites_(sites) {}

  Task<http::Response> serve(edge::SiteRequest request) const override {
    const auto slash = request.path.find('/', 1);
    const std::string first = request.path.substr(1, slash == std::string::npos ? slash : slash - 1);
    auto mapping = mappings_.find(first);
    if (mapping != mappings_.end()) request.path = slash == std::string::npos ? std::string("/") : request.path.substr(slash);
    else mapping = mappings_.find(kNoBasePath);
    const auto site = mapping == mappings_.end() ? nullptr : sites_.find("execute-api", mapping->second.rest_api_id.value_or(""));
    if (!site) {
      http::Response out;
      out.status = 403;
      out.set("content-type", "application/json");
      out.set("x-amzn-errortype", "ForbiddenException");
      out.body = R"({"message":"Forbidden"})";
      co_return out;
    }
    request.id = mapping->second.rest_api_id.value_or("");
    request.stage = mapping->second.stage.value_or("");
    request.is_custom_domain = true;
    co_return co_await site->serve(std::move(request));
  }

 private:
  std::map<std::string, model::BasePathMapping, std::less<>> mappings_;
  edge::Sites& sites_;
};

}  // namespace

void Domains::load() {
  store::Shard::control().records().scan(std::string(kDomainPrefix), [this](std::string_view, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    auto domain = aws::from_json<model::DomainName>((*json)["domain"]);
    if (!domain || !domain->domain_name) return true;
    const std::string name = *domain->domain_name;
    StoredDomain stored{.domain = *std::move(domain), .account = json->text("account"), .region = json->text("region"), .mappings = aws::map_from_json<model::BasePathMapping>((*json)["mappings"])};
    sites_.put(kDomainKind, name, std::make_shared<DomainSite>(stored, sites_));
    domains_.insert_or_assign(name, std::move(stored));
    return true;
  });
}

void Domains::clear() {
  for (const auto& [name, domain] : domains_) sites_.erase(kDomainKind, name);
  domains_.clear();
}

StoredDomain* Domains::find(const aws::Call& call, std::string_view name) {
  const auto found = domains_.find(to_lower(name));
  return found != domains_.end() && found->second.account == call.account && found->second.region == call.region ? &found->second : nullptr;
}

std::vector<const StoredDomain*> Domains::all(const aws::Call& call) const {
  std::vector<const StoredDomain*> out;
  for (const auto& [name, domain] : domains_)
    if (domain.account == call.account && domain.region == call.region) out.push_back(&domain);
  return out;
}

StoredDomain& Domains::add(StoredDomain domain) {
  std::string name = *domain.domain.domain_name;
  StoredDomain& added = domains_.insert_or_assign(std::move(name), std::move(domain)).first->second;
  changed(added);
  return added;
}

void Domains::changed(const StoredDomain& domain) {
  const std::string& name = *domain.domain.domain_name;
  store::Shard::control().records().put(std::string(kDomainPrefix) + name, Json::object({{"domain", aws::to_json(domain.domain)}, {"account", domain.account}, {"region", domain.region},
                                                                                   {"mappings", aws::map_to_json(domain.mappings)}}).dump());
  sites_.put(kDomainKind, name, std::make_shared<DomainSite>(domain, sites_));
}

void Domains::remove(const std::string& name) {
  sites_.erase(kDomainKind, name);
  store::Shard::control().records().erase(std::string(kDomainPrefix) + name);
  domains_.erase(name);
}

}  // namespace reef::service::apigateway
