#include "engine/sandbox/nft.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "engine/sandbox/netlink_message.h"

namespace reef::sandbox {
namespace {

constexpr const char* kTable = "atoll";
constexpr std::uint16_t kSubsystem = NFNL_SUBSYS_NFTABLES << 8;
constexpr std::uint16_t kCreate = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;

nfgenmsg family(std::uint8_t f, std::uint16_t resource = 0) { return {f, NFNETLINK_V0, htons(resource)}; }

// One rule: expressions are added between construction and destruction.
class Rule {
 public:
  Rule(NetlinkWriter& out, const char* chain) : out_(out) {
    out_.begin(kSubsystem | NFT_MSG_NEWRULE, kCreate | NLM_F_APPEND, family(NFPROTO_IPV4));
    out_.text(NFTA_RULE_TABLE, kTable);
    out_.text(NFTA_RULE_CHAIN, chain);
    list_ = out_.open(NFTA_RULE_EXPRESSIONS);
  }
  ~Rule() {
    out_.close(list_);
    out_.end();
  }
  Rule& destination_starts(std::string_view bytes) {
    begin("payload");
    out_.be32(NFTA_PAYLOAD_DREG, NFT_REG_1);
    out_.be32(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
    out_.be32(NFTA_PAYLOAD_OFFSET, 16);
    out_.be32(NFTA_PAYLOAD_LEN, static_cast<std::uint32_t>(bytes.size()));
    end();
    return equals(bytes);
  }
  Rule& protocol(std::uint8_t number) {
    begin("meta");
    out_.be32(NFTA_META_KEY, NFT_META_L4PROTO);
    out_.be32(NFTA_META_DREG, NFT_REG_1);
    end();
    return equals({reinterpret_cast<const char*>(&number), 1});
  }
  Rule& destination_port(std::uint16_t port) {
    begin("payload");
    out_.be32(NFTA_PAYLOAD_DREG, NFT_REG_1);
    out_.be32(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
    out_.be32(NFTA_PAYLOAD_OFFSET, 2);
    out_.be32(NFTA_PAYLOAD_LEN, 2);
    end();
    const std::uint16_t wire = htons(port);
    return equals({reinterpret_cast<const char*>(&wire), 2});
  }
  Rule& verdict(std::int32_t code) {
    begin("immediate");
    out_.be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    const std::size_t data = out_.open(NFTA_IMMEDIATE_DATA);
    const std::size_t verdict = out_.open(NFTA_DATA_VERDICT);
    out_.be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
    out_.close(verdict);
    out_.close(data);
    end();
    return *this;
  }
  Rule& redirect(std::uint16_t port) {
    begin("immediate");
    out_.be32(NFTA_IMMEDIATE_DREG, NFT_REG_1);
    const std::size_t data = out_.open(NFTA_IMMEDIATE_DATA);
    const std::uint16_t wire = htons(port);
    out_.attribute(NFTA_DATA_VALUE, {reinterpret_cast<const char*>(&wire), 2});
    out_.close(data);
    end();
    begin("redir");
    out_.be32(NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
    end();
    return *this;
  }

 private:
  Rule& equals(std::string_view bytes) {
    begin("cmp");
    out_.be32(NFTA_CMP_SREG, NFT_REG_1);
    out_.be32(NFTA_CMP_OP, NFT_CMP_EQ);
    const std::size_t data = out_.open(NFTA_CMP_DATA);
    out_.attribute(NFTA_DATA_VALUE, bytes);
    out_.close(data);
    end();
    return *this;
  }
  void begin(const char* expression) {
    element_ = out_.open(NFTA_LIST_ELEM);
    out_.text(NFTA_EXPR_NAME, expression);
    data_ = out_.open(NFTA_EXPR_DATA);
  }
  void end() {
    out_.close(data_);
    out_.close(element_);
  }
  NetlinkWriter& out_;
  std::size_t list_ = 0, element_ = 0, data_ = 0;
};

void chain(NetlinkWriter& out, const char* name, const char* type, std::int32_t priority) {
  out.begin(kSubsystem | NFT_MSG_NEWCHAIN, kCreate, family(NFPROTO_IPV4));
  out.text(NFTA_CHAIN_TABLE, kTable);
  out.text(NFTA_CHAIN_NAME, name);
  const std::size_t hook = out.open(NFTA_CHAIN_HOOK);
  out.be32(NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
  out.be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(priority));
  out.close(hook);
  out.be32(NFTA_CHAIN_POLICY, NF_ACCEPT);
  out.text(NFTA_CHAIN_TYPE, type);
  out.end();
}

}  // namespace

std::string redirect_batch(const RedirectRules& rules) {
  std::string bytes;
  NetlinkWriter out(bytes);
  out.begin(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
  out.end();
  out.begin(kSubsystem | NFT_MSG_NEWTABLE, kCreate, family(NFPROTO_IPV4));
  out.text(NFTA_TABLE_NAME, kTable);
  out.end();
  const std::string_view own(reinterpret_cast<const char*>(&rules.own_address), 4);

  chain(out, "redirect", "nat", -100);
  if (rules.loopback_port != 0)
    Rule(out, "redirect").destination_starts("\x7f").protocol(IPPROTO_TCP).destination_port(rules.loopback_port).redirect(rules.tcp_port);
  Rule(out, "redirect").destination_starts("\x7f").verdict(NFT_RETURN);
  Rule(out, "redirect").destination_starts(own).verdict(NFT_RETURN);
  Rule(out, "redirect").protocol(IPPROTO_TCP).redirect(rules.tcp_port);
  Rule(out, "redirect").protocol(IPPROTO_UDP).destination_port(53).redirect(rules.dns_port);

  // After the redirect everything allowed has a local destination; what is left would loop back on lo.
  chain(out, "drop", "filter", 0);
  Rule(out, "drop").destination_starts("\x7f").verdict(NF_ACCEPT);
  Rule(out, "drop").destination_starts(own).verdict(NF_ACCEPT);
  Rule(out, "drop").protocol(IPPROTO_UDP).verdict(NF_DROP);

  out.begin(NFNL_MSG_BATCH_END, NLM_F_REQUEST, family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
  out.end();
  return bytes;
}

}  // namespace reef::sandbox
