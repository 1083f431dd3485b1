#include "wire/cbor.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::wire {
namespace {

constexpr int kDepthMax = 128;

double half_to_double(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F, mantissa = half & 0x3FF;
  double value = exponent == 0    ? std::ldexp(mantissa, -24)
                 : exponent != 31 ? std::ldexp(mantissa + 1024, exponent - 25)
                 : mantissa == 0  ? INFINITY
                                  : NAN;
  return half & 0x8000 ? -value : value;
}

Json real(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return Json::number(format_double(value));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : in_(bytes) {}

  bool item(Json& out, int depth) {
    if (depth > kDepthMax) return fail("nested too deeply");
    int major = 0, info = 0;
    std::uint64_t argument = 0;
    if (!head(major, info, argument)) return false;
    const bool indefinite = info == 31;
    if (indefinite && (major < 2 || major == 6)) return fail("bad length");
    switch (major) {
      case 0: return out = Json::number(std::to_string(argument)), true;
      case 1: {  // -1 - argument
        const std::string text = argument == UINT64_MAX ? "18446744073709551616" : std::to_string(argument + 1);
        return out = Json::number("-" + text), true;
      }
      case 2:
      case 3: {
        std::string text;
        if (!string(major, indefinite, argument, text)) return false;
        if (major == 3 && !is_valid_utf8(text)) return fail("invalid UTF-8");
        return out = major == 2 ? Json(base64_encode(text)) : Json(std::move(text)), true;
      }
      case 4: {
        out = Json::array();
        for (std::uint64_t i = 0; indefinite ? !at_break() : i < argument; ++i) {
          Json element;
          if (!item(element, depth + 1)) return false;
          out.push_back(std::move(element));
        }
        return ok();
      }
      case 5: {
        out = Json::object();
        for (std::uint64_t i = 0; indefinite ? !at_break() : i < argument; ++i) {
          Json key, value;
          if (!item(key, depth + 1) || !item(value, depth + 1)) return false;
          if (!key.is_string()) return fail("map keys must be text");
          out.members().emplace_back(key.as_string(), std::move(value));
        }
        return ok();
      }
      case 6: return item(out, depth + 1);  // times and big numbers: their content says it all
      default: return simple(info, argument, out);
    }
  }
  bool at_end() const { return in_.empty(); }
  bool ok() const { return error_ == nullptr; }
  const char* error() const { return error_; }
  std::size_t left() const { return in_.size(); }
  bool fail(const char* message) {
    if (!error_) error_ = message;
    return false;
  }

 private:
  bool head(int& major, int& info, std::uint64_t& argument) {
    if (in_.empty()) return fail("truncated");
    const auto byte = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    major = byte >> 5, info = byte & 31, argument = static_cast<std::uint64_t>(info);
    if (info < 24 || info == 31) return true;
    if (info > 27) return fail("reserved length");
    const std::size_t size = std::size_t{1} << (info - 24);
    if (in_.size() < size) return fail("truncated");
    argument = 0;
    for (std::size_t i = 0; i < size; ++i) argument = argument << 8 | static_cast<unsigned char>(in_[i]);
    in_.remove_prefix(size);
    return true;
  }
  bool string(int major, bool indefinite, std::uint64_t size, std::string& out) {
    if (!indefinite) {
      if (size > in_.size()) return fail("truncated");
      out.append(in_.substr(0, size));
      in_.remove_prefix(size);
      return true;
    }
    while (!at_break()) {
      int chunk_major = 0, info = 0;
      std::uint64_t chunk = 0;
      if (!head(chunk_major, info, chunk)) return false;
      if (chunk_major != major || info == 31 || chunk > in_.size()) return fail("bad chunk");
      out.append(in_.substr(0, chunk));
      in_.remove_prefix(chunk);
    }
    return ok();
  }
  // Consumes the break byte; also true when the input ended, which is an error.
  bool at_break() {
    if (!ok()) return true;
    if (in_.empty()) return fail("truncated"), true;
    if (in_.front() != '\xFF') return false;
    in_.remove_prefix(1);
    return true;
  }
  bool simple(int info, std::uint64_t argument, Json& out) {
    switch (info) {
      case 20: return out = false, true;
      case 21: return out = true, true;
      case 22:
      case 23: return out = Json(), true;
      case 25: return out = real(half_to_double(static_cast<std::uint16_t>(argument))), true;
      case 26: return out = real(std::bit_cast<float>(static_cast<std::uint32_t>(argument))), true;
      case 27: return out = real(std::bit_cast<double>(argument)), true;
      default: return fail("unknown simple value");
    }
  }

  std::string_view in_;
  const char* error_ = nullptr;
};

}  // namespace

Result<Json, JsonError> cbor_to_json(std::string_view bytes) {
  Reader in(bytes);
  Json out;
  if (in.item(out, 0) && !in.at_end()) in.fail("bytes after the item");
  if (!in.ok()) return Err(JsonError{in.error(), bytes.size() - in.left()});
  return out;
}

void CborWriter::head(int major, std::uint64_t argument) {
  const auto first = [&](int info) { out_ += static_cast<char>(major << 5 | info); };
  const auto tail = [&](int size) {
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) out_ += static_cast<char>(argument >> shift);
  };
  if (argument < 24) return first(static_cast<int>(argument));
  if (argument < 0x100) return first(24), tail(1);
  if (argument < 0x10000) return first(25), tail(2);
  if (argument < 0x100000000) return first(26), tail(4);
  first(27), tail(8);
}

void CborWriter::number(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  out_ += '\xFB';
  for (int shift = 56; shift >= 0; shift -= 8) out_ += static_cast<char>(bits >> shift);
}

}  // namespace reef::wire
