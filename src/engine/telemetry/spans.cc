#include "engine/telemetry/spans.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"

namespace reef::telemetry {
namespace {

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// "1-" + 8 hex of the time + "-" + 24 hex.
bool is_root(std::string_view text) {
  return text.size() == 35 && text.starts_with("1-") && text[10] == '-' && is_hex(text.substr(2, 8), 8) &&
         is_hex(text.substr(11), 24);
}

void append_hex(std::string& out, std::uint64_t value, int digits) {
  constexpr char kHex[] = "0123456789abcdef";
  for (int i = digits - 1; i >= 0; --i) out += kHex[value >> (4 * i) & 15];
}

}  // namespace

std::string new_span_id() {
  std::string out;
  append_hex(out, thread_random().next() | 1, 16);
  return out;
}

std::string TraceContext::amzn_header() const {
  std::string out = "Root=" + root;
  if (!parent.empty()) out += ";Parent=" + parent;
  out += sampled ? ";Sampled=1" : ";Sampled=0";
  return out;
}

std::string TraceContext::traceparent() const {
  return "00-" + root.substr(2, 8) + root.substr(11) + "-" + (parent.empty() ? "0000000000000001" : parent) +
         (sampled ? "-01" : "-00");
}

TraceContext TraceContext::read(std::string_view amzn_header, std::string_view traceparent, Time now) {
  TraceContext out;
  if (!amzn_header.empty())
    for (const std::string_view part : split(amzn_header, ';')) {
      const std::string_view field = trim(part);
      if (field.starts_with("Root=") && is_root(field.substr(5))) out.root = field.substr(5);
      else if (field.starts_with("Parent=") && is_hex(field.substr(7), 16)) out.parent = field.substr(7);
      else if (field == "Sampled=0") out.sampled = false;
    }
  if (out.root.empty() && traceparent.size() >= 55 && is_hex(traceparent.substr(3, 32), 32) &&
      is_hex(traceparent.substr(36, 16), 16)) {
    out.root = "1-" + std::string(traceparent.substr(3, 8)) + "-" + std::string(traceparent.substr(11, 24));
    out.parent = traceparent.substr(36, 16);
    out.sampled = traceparent.substr(53, 2) != "00";
  }
  if (out.root.empty()) {
    out.root.reserve(35);
    out.root = "1-";
    append_hex(out.root, static_cast<std::uint64_t>(to_seconds(now)), 8);
    out.root += '-';
    append_hex(out.root, thread_random().next(), 16);
    append_hex(out.root, thread_random().next(), 8);
    out.parent.clear();
  }
  return out;
}

Spans::Spans() : rings_(store::Shard::count()) {}

void Spans::record(Span span) {
  Ring& ring = rings_[store::Shard::current().index()];
  if (ring.spans.size() < kKeptPerShard) ring.spans.push_back(std::move(span));
  else ring.spans[ring.next] = std::move(span);
  ring.next = (ring.next + 1) % kKeptPerShard;
}

void Spans::count_call(std::string_view service, std::string_view operation, int status, Duration took) {
  CallCounts& counts = rings_[store::Shard::current().index()].calls[{service.data(), operation.data()}];
  ++counts.calls;
  counts.micros += static_cast<std::uint64_t>(took.count());
  if (status >= 500) ++counts.server_errors;
  else if (status >= 400) ++counts.client_errors;
}

Task<std::vector<Span>> Spans::select(std::function<bool(const Span&)> wanted, std::size_t count_max) {
  std::vector<Span> out;
  for (std::size_t i = 0; i < rings_.size(); ++i)
    co_await store::on(store::Shard::at(i), [&]() -> Task<void> {
      for (const Span& span : rings_[i].spans)
        if (wanted(span)) out.push_back(span);
      co_return;
    });
  std::sort(out.begin(), out.end(), [](const Span& a, const Span& b) { return a.start < b.start; });
  if (out.size() > count_max) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(count_max));
  co_return out;
}

Task<std::map<std::string, CallCounts>> Spans::calls() {
  std::map<std::string, CallCounts> out;
  for (std::size_t i = 0; i < rings_.size(); ++i)
    co_await store::on(store::Shard::at(i), [&]() -> Task<void> {
      for (const auto& [names, counts] : rings_[i].calls) {
        CallCounts& sum = out[fmt::format("{}.{}", names.first, names.second)];
        sum.calls += counts.calls;
        sum.client_errors += counts.client_errors;
        sum.server_errors += counts.server_errors;
        sum.micros += counts.micros;
      }
      co_return;
    });
  co_return out;
}

}  // namespace reef::telemetry
