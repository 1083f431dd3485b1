// What passed over interfaces, added up by flow for one interval, and written as the lines of AWS's flow logs. Pure.
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/network/view.h"

namespace reef::network {

// One direction of one connection, as an interface sees it.
struct FlowPart {
  InterfacePtr interface;
  std::uint32_t from = 0, to = 0;
  std::uint16_t from_port = 0, to_port = 0;
  int protocol = kTcp;
  bool accepted = true, is_ingress = false, is_reply = false;
  std::uint64_t packets = 0, bytes = 0;
};

// The parts of a connection that its two interfaces see; those in which nothing passed are left out.
std::vector<FlowPart> parts_of(const Flow& flow, std::uint64_t sent_bytes, std::uint64_t sent_packets, std::uint64_t received_bytes, std::uint64_t received_packets);
// Of a connection that was refused: one packet, accepted by the sender's interface unless that one refused it.
std::vector<FlowPart> parts_of_refused(const Flow& flow, const Verdict& verdict);

enum class TrafficKind { kAccept, kReject, kAll };

// Which fields a line has: "${version} ${account-id} ...". Empty: those of version 2.
class FlowFormat {
 public:
  static Result<FlowFormat, Failure> parse(std::string_view text);  // the Failure names the unknown fields
  const std::vector<std::string>& fields() const { return fields_; }
  std::string text() const;    // "${version} ..."
  std::string header() const;  // "version account-id ..."

 private:
  std::vector<std::string> fields_;
};

class FlowTable {
 public:
  static constexpr std::size_t kFlowsMax = 10'000;  // of an interval; what comes after them is told as skipped

  explicit FlowTable(TrafficKind kind) : kind_(kind) {}
  void add(const FlowPart& part, Time now);

  struct Line {
    std::string interface, text;
  };
  // The lines of the interval that ends now, and begins the next; `silent`: interfaces that get a line without data when
  // nothing passed there.
  std::vector<Line> take(const FlowFormat& format, const std::vector<InterfacePtr>& silent, Time began, Time now);

 private:
  using Key = std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint16_t, std::uint16_t, int, bool>;
  struct Sum {
    FlowPart part;
    Time first{}, last{};
  };
  TrafficKind kind_;
  std::map<Key, Sum> flows_;
  std::map<std::string, InterfacePtr, std::less<>> skipped_;
};

}  // namespace reef::network
