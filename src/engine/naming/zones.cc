#include "engine/naming/zones.h"

#include <algorithm>

namespace reef::naming {

namespace dns = wire::dns;

Zones::Zones(const std::string& region) : asker_{.region = region, .location = location_of_region(region)} {}

Zone& Zones::add(const std::string& id, const std::string& apex) {
  std::unique_ptr<Zone>& zone = zones_[id];
  if (!zone) zone = std::make_unique<Zone>(id, apex, health_);
  return *zone;
}

void Zones::erase(std::string_view id) {
  if (const auto found = zones_.find(id); found != zones_.end()) zones_.erase(found);
}

Zone* Zones::find(std::string_view id) {
  const auto found = zones_.find(id);
  return found == zones_.end() ? nullptr : found->second.get();
}

void Zones::set_host(std::string_view name, const std::vector<std::string>& addresses, std::shared_ptr<const HealthCell> health) {
  const auto wire_name = dns::name_from_text(name);
  if (!wire_name) return;
  if (addresses.empty()) {
    hosts_.erase(*wire_name);
    return;
  }
  auto node = std::make_shared<Node>();
  node->name = *wire_name;
  node->hash = hash_name(*wire_name);
  Variant variant;
  std::vector<std::string> values;
  dns::ValueError error;
  for (const std::string& address : addresses)
    if (auto value = dns::encode_value(dns::kA, address, error)) values.push_back(*std::move(value));
  variant.values = encode_records(dns::kA, 60, values);
  variant.health = std::move(health);
  node->groups.push_back({.type = dns::kA, .policy = Policy::kSimple, .variants = {}});
  node->groups.back().variants.push_back(std::move(variant));
  hosts_[*wire_name] = std::move(node);
}

std::shared_ptr<const View> Zones::make_view(std::string_view network) {
  auto view = std::make_shared<View>();
  view->asker = asker_;
  view->is_host = network == kHostView;
  for (const auto& [id, zone] : zones_) {
    auto image = zone->image();
    const bool associated = std::find(image->networks.begin(), image->networks.end(), network) != image->networks.end();
    if (view->is_host || !image->is_private || associated) view->zones.push_back(std::move(image));
  }
  for (const auto& [name, node] : hosts_) view->hosts.insert(node);
  view->index();
  return view;
}

void Zones::publish() {
  for (auto found = views_.begin(); found != views_.end();) {
    // Nobody else holds it: the network is gone.
    if (found->second.use_count() == 1 && found->first != kHostView) {
      found = views_.erase(found);
      continue;
    }
    found->second->view_.store(make_view(found->first));
    found->second->version_.fetch_add(1, std::memory_order_release);
    ++found;
  }
  for (const auto& watcher : watchers_) watcher();
}

void Zones::clear() {
  zones_.clear();
  health_.clear();
  publish();
}

std::shared_ptr<const ViewCell> Zones::view(std::string_view network) {
  std::shared_ptr<ViewCell>& cell = views_[std::string(network)];
  if (!cell) {
    cell = std::make_shared<ViewCell>();
    cell->view_.store(make_view(network));
  }
  return cell;
}

}  // namespace reef::naming
