// Certificates with their keys, by ARN: who issues them puts them here, and whoever ends TLS takes them, on any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/text.h"

namespace reef::edge {

struct CertificatePem {
  std::string chain_pem;  // the certificate, then what signed it, without the root
  std::string key_pem;
};

class Certificates {
 public:
  void put(std::string arn, CertificatePem certificate) {
    certificates_.write([&](auto& all) { all.insert_or_assign(std::move(arn), std::make_shared<const CertificatePem>(std::move(certificate))); });
    generation_.fetch_add(1, std::memory_order_release);
  }
  void remove(std::string_view arn) {
    certificates_.write([&](auto& all) {
      if (const auto found = all.find(arn); found != all.end()) all.erase(found);
    });
    generation_.fetch_add(1, std::memory_order_release);
  }
  void clear() {
    certificates_.write([](auto& all) { all.clear(); });
    generation_.fetch_add(1, std::memory_order_release);
  }
  // nullptr when there is none, or none yet (pending validation).
  std::shared_ptr<const CertificatePem> find(std::string_view arn) const {
    return certificates_.read([&](const auto& all) -> std::shared_ptr<const CertificatePem> {
      const auto found = all.find(arn);
      return found == all.end() ? nullptr : found->second;
    });
  }
  // What a user of certificates (a load balancer's ARN) takes at present; an empty list: none any more.
  void set_uses(const std::string& user, std::vector<std::string> arns) {
    uses_.write([&](auto& uses) {
      if (arns.empty()) uses.erase(user);
      else uses.insert_or_assign(user, std::move(arns));
    });
  }
  std::vector<std::string> users_of(std::string_view arn) const {
    return uses_.read([&](const auto& uses) {
      std::vector<std::string> out;
      for (const auto& [user, arns] : uses)
        if (std::find(arns.begin(), arns.end(), arn) != arns.end()) out.push_back(user);
      return out;
    });
  }
  // Grows with each change: contexts made from certificates are made anew when it differs.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  Guarded<TextMap<std::shared_ptr<const CertificatePem>>> certificates_;
  Guarded<std::map<std::string, std::vector<std::string>>> uses_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace reef::edge
