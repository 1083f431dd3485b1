// The security policies of HTTPS and TLS listeners.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

using Words = std::vector<std::string_view>;

const Words kTls13Ciphers = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};
const Words kForwardGcm = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"};
const Words kForwardCbc = {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"};
const Words kForwardSha1 = {"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"};
const Words kRsa = {"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"};
const Words kRsaSha1 = {"AES128-SHA", "AES256-SHA"};

Words join_words(std::initializer_list<const Words*> lists) {
  Words out;
  for (const Words* list : lists) out.insert(out.end(), list->begin(), list->end());
  return out;
}

}  // namespace

const std::vector<TlsPolicy>& tls_policies() {
  static const std::vector<TlsPolicy> policies = [] {
    const Words from10 = {"TLSv1", "TLSv1.1", "TLSv1.2"}, from11 = {"TLSv1.1", "TLSv1.2"}, only12 = {"TLSv1.2"}, only13 = {"TLSv1.3"}, from12 = {"TLSv1.2", "TLSv1.3"};
    const Words all = join_words({&kForwardGcm, &kForwardCbc, &kForwardSha1, &kRsa, &kRsaSha1});
    const Words forward = join_words({&kForwardGcm, &kForwardCbc, &kForwardSha1}), strong = join_words({&kForwardGcm, &kForwardCbc});
    const Words strong_rsa = join_words({&kForwardGcm, &kForwardCbc, &kRsa});
    const Words with13 = join_words({&kTls13Ciphers, &strong}), restricted13 = join_words({&kTls13Ciphers, &kForwardGcm});
    const Words ext1 = join_words({&kTls13Ciphers, &strong_rsa}), ext2 = join_words({&kTls13Ciphers, &all});
    return std::vector<TlsPolicy>{
        {"ELBSecurityPolicy-2016-08", from10, all},
        {"ELBSecurityPolicy-TLS13-1-2-2021-06", from12, with13},
        {"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", from12, restricted13},
        {"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", from12, ext1},
        {"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", from12, ext2},
        {"ELBSecurityPolicy-TLS13-1-1-2021-06", {"TLSv1.1", "TLSv1.2", "TLSv1.3"}, ext2},
        {"ELBSecurityPolicy-TLS13-1-0-2021-06", {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}, ext2},
        {"ELBSecurityPolicy-TLS13-1-3-2021-06", only13, kTls13Ciphers},
        {"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", from12, restricted13},
        {"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", from12, with13},
        {"ELBSecurityPolicy-TLS-1-2-2017-01", only12, strong_rsa},
        {"ELBSecurityPolicy-TLS-1-1-2017-01", from11, all},
        {"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", only12, all},
        {"ELBSecurityPolicy-FS-2018-06", from10, forward},
        {"ELBSecurityPolicy-FS-1-1-2019-08", from11, forward},
        {"ELBSecurityPolicy-FS-1-2-2019-08", only12, forward},
        {"ELBSecurityPolicy-FS-1-2-Res-2019-08", only12, strong},
        {"ELBSecurityPolicy-FS-1-2-Res-2020-10", only12, kForwardGcm},
        {"ELBSecurityPolicy-2015-05", from10, all},
    };
  }();
  return policies;
}

const TlsPolicy* find_policy(std::string_view name) {
  for (const TlsPolicy& policy : tls_policies())
    if (policy.name == name) return &policy;
  return nullptr;
}

}  // namespace reef::service::elb
