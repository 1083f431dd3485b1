#include "engine/naming/resolver.h"

namespace reef::naming {

namespace dns = wire::dns;

namespace {

constexpr std::size_t kUdpMax = 1232;

// `partial` with the answers of `more` behind its own. An error of `more` becomes the reply's.
std::string join_answers(std::string_view partial, std::string_view more, std::size_t limit) {
  const auto ours = dns::parse_message(partial);
  const auto theirs = dns::parse_message(more);
  if (!ours) return {};
  dns::Message out = *ours;
  const bool had_edns = !ours->additional.empty();
  out.additional.clear();
  if (theirs) {
    out.answers.insert(out.answers.end(), theirs->answers.begin(), theirs->answers.end());
    out.flags = static_cast<std::uint16_t>((out.flags & ~0xF) | theirs->code());
  } else {
    out.flags = static_cast<std::uint16_t>((out.flags & ~0xF) | dns::kServFail);
  }
  std::string text = dns::build_message(out, had_edns);
  if (text.size() <= limit) return text;
  out.answers.clear();
  out.flags |= dns::kTc;
  return dns::build_message(out, had_edns);
}

}  // namespace

Resolver::Resolver(std::shared_ptr<const ViewCell> cell, Upstream& upstream) : cell_(std::move(cell)), upstream_(upstream), random_(thread_random().next()) {}

Outcome Resolver::answer(std::string_view packet, bool over_tcp, Reply& reply) {
  dns::Query query;
  const auto parsed = dns::parse_query(packet, query);
  if (!parsed) return Outcome::kDropped;
  const Outcome outcome = naming::answer(view(), query, *parsed, over_tcp, upstream_.available(), random_, reply);
  if (outcome == Outcome::kForward && (!upstream_.available() || !(query.flags & dns::kRd))) {
    answer_with_code(query, dns::kRefused, reply);
    return Outcome::kAnswered;
  }
  return outcome;
}

void Resolver::resolve(std::string_view packet, bool over_tcp, Done done) {
  std::string buffer;
  buffer.resize_and_overwrite(over_tcp ? dns::kMessageMax : kUdpMax + 48, [](char*, std::size_t size) { return size; });
  Reply reply{.out = buffer.data(), .limit = buffer.size()};
  const Outcome outcome = answer(packet, over_tcp, reply);
  if (outcome == Outcome::kAnswered) return done({buffer.data(), reply.size});
  if (outcome == Outcome::kDropped) return done({});
  finish_elsewhere(packet, outcome, reply, over_tcp, std::move(done));
}

void Resolver::finish_elsewhere(std::string_view packet, Outcome outcome, const Reply& reply, bool over_tcp, Done done) {
  dns::Query query;
  if (dns::parse_query(packet, query) != dns::kNoError) return done({});
  const std::size_t limit = over_tcp ? dns::kMessageMax : query.edns ? std::clamp<std::size_t>(query.edns->udp_size, 512, kUdpMax) : 512;
  if (outcome == Outcome::kContinue) {
    const std::string rest = dns::build_query(0, reply.rest, query.type);
    return upstream_.ask(rest, true, [partial = std::string(reply.out, reply.size), limit, done = std::move(done)](std::string_view more) mutable {
      done(join_answers(partial, more, limit));
    });
  }
  upstream_.ask(packet, over_tcp, [packet = std::string(packet), done = std::move(done)](std::string_view answer) mutable {
    if (!answer.empty()) return done(answer);
    dns::Query asked;
    if (dns::parse_query(packet, asked) != dns::kNoError) return done({});
    char buffer[512];
    Reply failed{.out = buffer, .limit = sizeof buffer};
    answer_with_code(asked, dns::kServFail, failed);
    done({buffer, failed.size});
  });
}

}  // namespace reef::naming
