#include "engine/edge/balancer/traffic_log.h"

#include <gtest/gtest.h>

namespace reef::edge {

TEST(AccessLine, OfAForwardedRequest) {
  AccessEntry entry{.type = "https", .began = from_micros(1'700'000'000'100'000), .balancer = "app/web/0123456789abcdef", .client = "10.0.0.1:5000", .target = "10.0.1.7:8080",
                    .began_at = 1'000, .sent_at = 2'000, .replied_at = 50'000, .status = 200, .target_status = 200, .received = 120, .sent = 345, .method = "GET",
                    .url = "https://shop.example.com:443/a?b=c", .version = "HTTP/1.1", .user_agent = "curl/8", .cipher = "TLS_AES_128_GCM_SHA256", .protocol = "TLSv1.3",
                    .group = "arn:group", .trace = "Root=1-2-3", .domain = "shop.example.com", .certificate = "arn:cert", .priority = 5, .actions = "forward", .connection = "TID_1"};
  EXPECT_EQ(access_line(entry, from_micros(1'700'000'000'151'000), 52'000),
            "https 2023-11-14T22:13:20.151000Z app/web/0123456789abcdef 10.0.0.1:5000 10.0.1.7:8080 0.001 0.048 0.002 200 200 120 345 "
            "\"GET https://shop.example.com:443/a?b=c HTTP/1.1\" \"curl/8\" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:group \"Root=1-2-3\" \"shop.example.com\" \"arn:cert\" 5 "
            "2023-11-14T22:13:20.100000Z \"forward\" \"-\" \"-\" \"10.0.1.7:8080\" \"200\" \"-\" \"-\" TID_1 \"-\" \"-\" -");
}

TEST(AccessLine, OfARequestThatNobodyUnderstood) {
  AccessEntry entry{.balancer = "app/web/1", .client = "10.0.0.1:5000", .status = 400, .user_agent = "a\"b\n"};
  const std::string line = access_line(entry, Time{}, 10);
  EXPECT_NE(line.find(" - -1 -1 -1 400 - 0 0 \"- - -\" \"a\\x22b\\x0A\" - - - \"-\" \"-\" \"-\" -1 "), std::string::npos) << line;
}

TEST(TrafficLog, GathersLinesAndForgetsWhatWasTaken) {
  TrafficLog log;
  log.add("one");
  log.add("two");
  EXPECT_EQ(log.take().text, "one\ntwo\n");
  EXPECT_EQ(log.take().text, "");
  const std::string large(TrafficLog::kBytesMax / 2, 'x');
  log.add(large), log.add(large);
  const auto taken = log.take();
  EXPECT_EQ(taken.text.size(), large.size() + 1);
  EXPECT_EQ(taken.dropped, 1u);
}

TEST(CheckLine, SaysWhatACheckFound) {
  EXPECT_EQ(check_line({.type = "http", .at = from_micros(1'700'000'000'000'000), .latency_micros = 1500, .target = "10.0.0.7:80", .group = "orders", .passed = false, .status = 503, .reason = "Target.ResponseCodeMismatch"}),
            "http 2023-11-14T22:13:20.000000Z 0.001500 10.0.0.7:80 orders FAIL 503 Target.ResponseCodeMismatch");
}

TEST(TrafficLog, TlsConnectionsAsNetworkBalancersTellThem) {
  TlsEntry entry{.began = from_micros(1'800'000'000'900'000), .balancer = "net/db/c6e77e28c25b2234", .listener = "g3d4b5e8bb8464cd", .client = "127.0.0.9:51341", .destination = "127.64.0.1:443",
                 .took_micros = 5'400, .handshake_micros = 2'100, .received = 98, .sent = 246, .certificate = "arn:aws:acm:us-east-1:000000000000:certificate/1", .cipher = "ECDHE-RSA-AES128-SHA",
                 .protocol = "TLSv1.2", .domain = "db.example.com"};
  const Time now = from_micros(1'800'000'010'000'000);
  EXPECT_EQ(tls_line(entry, now),
            "tls 2.0 2027-01-15T08:00:10 net/db/c6e77e28c25b2234 g3d4b5e8bb8464cd 127.0.0.9:51341 127.64.0.1:443 5 2 98 246 - arn:aws:acm:us-east-1:000000000000:certificate/1 - "
            "ECDHE-RSA-AES128-SHA tlsv12 - db.example.com - - - 2027-01-15T08:00:00");
  // A handshake that failed.
  entry.handshake_micros = -1;
  entry.cipher = entry.protocol = {};
  entry.domain = "a b";
  EXPECT_EQ(tls_line(entry, now), "tls 2.0 2027-01-15T08:00:10 net/db/c6e77e28c25b2234 g3d4b5e8bb8464cd 127.0.0.9:51341 127.64.0.1:443 5 - 98 246 - - - - - - - - - - 2027-01-15T08:00:00");
}

}  // namespace reef::edge
