// All zones and host names, and the views made of them. Changes happen on the control shard and show when publish() is
// called; views are read on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/published.h"
#include "engine/naming/view.h"

namespace reef::naming {

// The current view of one network, replaced whole. Valid as long as somebody holds it.
class ViewCell {
 public:
  std::shared_ptr<const View> load() const { return view_.load(); }
  // Changes with each new view: readers keep theirs until it does, instead of sharing a counter on each query.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  friend class Zones;
  Published<View> view_;
  std::atomic<std::uint64_t> version_{0};
};

class Zones {
 public:
  // `region`: where whoever asks is taken to be, for latency and geolocation records.
  explicit Zones(const std::string& region);

  HealthCells& health() { return health_; }

  // --- control shard only ---
  Zone& add(const std::string& id, const std::string& apex);  // or the one that is there
  void erase(std::string_view id);
  Zone* find(std::string_view id);
  // A name outside of every zone, with IPv4 addresses: "web-1.us-east-1.elb.amazonaws.com". Replaces; no addresses: gone.
  void set_host(std::string_view name, const std::vector<std::string>& addresses, std::shared_ptr<const HealthCell> health = nullptr);
  void publish();
  // Called after each publish(), on the control shard.
  void on_publish(std::function<void()> watcher) { watchers_.push_back(std::move(watcher)); }
  // Every zone and every outcome of a check; host names stay, they are somebody else's.
  void clear();
  // kHostView: this machine's.
  std::shared_ptr<const ViewCell> view(std::string_view network = kHostView);

 private:
  std::shared_ptr<const View> make_view(std::string_view network);

  Asker asker_;
  HealthCells health_;
  std::map<std::string, std::unique_ptr<Zone>, std::less<>> zones_;
  std::map<std::string, std::shared_ptr<const Node>> hosts_;
  std::map<std::string, std::shared_ptr<ViewCell>, std::less<>> views_;
  std::vector<std::function<void()>> watchers_;
};

}  // namespace reef::naming
