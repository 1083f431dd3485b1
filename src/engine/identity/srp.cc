#include "engine/identity/srp.h"

#include <openssl/bn.h>

#include <memory>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"

namespace reef::identity {
namespace {

constexpr const char* kModulus =
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33"
    "A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864"
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";
constexpr std::size_t kNumberDigitsMax = 2 * 384 + 2, kKeyBytes = 16;

struct NumberFreed {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
struct ContextFreed {
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, NumberFreed>;
using Context = std::unique_ptr<BN_CTX, ContextFreed>;

Number make() { return Number(BN_new()); }
Number from_hex(const std::string& text) {
  BIGNUM* out = nullptr;
  if (BN_hex2bn(&out, text.c_str()) != static_cast<int>(text.size())) {
    BN_free(out);
    return nullptr;
  }
  return Number(out);
}
Number from_bytes(std::string_view bytes) { return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr)); }

std::string hex_of(const BIGNUM* number) {
  char* const text = BN_bn2hex(number);
  std::string out = to_lower(text);
  OPENSSL_free(text);
  const auto digit = out.find_first_not_of('0');
  return digit == std::string::npos ? "0" : out.substr(digit);
}
// As a positive number of the clients' language: whole bytes, with a zero before a set first bit.
std::string padded_bytes(const BIGNUM* number) {
  std::string hex = hex_of(number);
  if (hex.size() % 2 != 0) hex.insert(0, "0");
  else if (hex[0] >= '8') hex.insert(0, "00");
  return hex_decode(hex).value_or("");
}

const BIGNUM* modulus() {
  static const Number number = from_hex(kModulus);
  return number.get();
}
const BIGNUM* generator() {
  static const Number number = from_hex("2");
  return number.get();
}
const BIGNUM* multiplier() {
  static const Number number = from_bytes(sha256(padded_bytes(modulus()) + padded_bytes(generator())));
  return number.get();
}

Number power(const BIGNUM* base, const BIGNUM* exponent, BN_CTX* context) {
  Number out = make(), secret(BN_dup(exponent));
  BN_set_flags(secret.get(), BN_FLG_CONSTTIME);
  BN_mod_exp(out.get(), base, secret.get(), modulus(), context);
  return out;
}

// A number that the other side sent: nothing when it is none or divides to zero.
Number read_value(std::string_view text) {
  if (text.empty() || text.size() > kNumberDigitsMax) return nullptr;
  Number out = from_hex(std::string(text));
  const Context context(BN_CTX_new());
  const Number rest = make();
  if (!out || BN_is_negative(out.get()) || BN_mod(rest.get(), out.get(), modulus(), context.get()) != 1 || BN_is_zero(rest.get())) return nullptr;
  return out;
}

Number private_key(std::string_view pool, std::string_view user, std::string_view password, const BIGNUM* salt) {
  const std::string inner = sha256(std::string(pool) + std::string(user) + ":" + std::string(password));
  return from_bytes(sha256(padded_bytes(salt) + inner));
}

Number scramble(const BIGNUM* client, const BIGNUM* server) { return from_bytes(sha256(padded_bytes(client) + padded_bytes(server))); }

// HKDF with u as its salt.
std::string derive(const BIGNUM* shared, const BIGNUM* u) {
  const std::string key = hmac_sha256(padded_bytes(u), padded_bytes(shared));
  return hmac_sha256(key, std::string("Caldera Derived Key") + '\1').substr(0, kKeyBytes);
}

}  // namespace

SrpVerifier make_srp_verifier(std::string_view pool, std::string_view user, std::string_view password, std::string_view salt) {
  const Context context(BN_CTX_new());
  const Number number = from_bytes(salt), x = private_key(pool, user, password, number.get());
  return {.salt = hex_of(number.get()), .verifier = hex_of(power(generator(), x.get(), context.get()).get())};
}

std::optional<std::string> srp_server_value(const SrpVerifier& of, std::string_view client_value, std::string_view secret) {
  const Context context(BN_CTX_new());
  const Number client = read_value(client_value), verifier = from_hex(of.verifier), b = from_bytes(secret);
  if (!client || !verifier) return std::nullopt;
  const Number masked = make(), out = make(), value = power(generator(), b.get(), context.get());
  BN_mod_mul(masked.get(), multiplier(), verifier.get(), modulus(), context.get());
  BN_mod_add(out.get(), masked.get(), value.get(), modulus(), context.get());
  if (BN_is_zero(out.get())) return std::nullopt;
  return hex_of(out.get());
}

std::optional<std::string> srp_key(const SrpVerifier& of, std::string_view client_value, std::string_view server_value, std::string_view secret) {
  const Context context(BN_CTX_new());
  const Number client = read_value(client_value), server = read_value(server_value), verifier = from_hex(of.verifier), b = from_bytes(secret);
  if (!client || !server || !verifier) return std::nullopt;
  const Number u = scramble(client.get(), server.get());
  if (BN_is_zero(u.get())) return std::nullopt;
  const Number base = make(), raised = power(verifier.get(), u.get(), context.get());
  BN_mod_mul(base.get(), client.get(), raised.get(), modulus(), context.get());
  return derive(power(base.get(), b.get(), context.get()).get(), u.get());
}

std::string srp_claim(std::string_view key, std::string_view pool, std::string_view user, std::string_view secret_block, std::string_view timestamp) {
  return hmac_sha256(key, std::string(pool) + std::string(user) + std::string(secret_block) + std::string(timestamp));
}

std::string srp_client_value(std::string_view secret) {
  const Context context(BN_CTX_new());
  const Number a = from_bytes(secret);
  return hex_of(power(generator(), a.get(), context.get()).get());
}

std::optional<std::string> srp_client_key(std::string_view pool, std::string_view user, std::string_view password, std::string_view salt, std::string_view server_value, std::string_view secret) {
  const Context context(BN_CTX_new());
  const Number number = from_hex(std::string(salt)), server = read_value(server_value), a = from_bytes(secret);
  if (!number || !server) return std::nullopt;
  const Number client = power(generator(), a.get(), context.get()), u = scramble(client.get(), server.get()), x = private_key(pool, user, password, number.get());
  const Number masked = make(), base = make(), exponent = make(), ux = make();
  const Number gx = power(generator(), x.get(), context.get());
  BN_mod_mul(masked.get(), multiplier(), gx.get(), modulus(), context.get());
  BN_mod_sub(base.get(), server.get(), masked.get(), modulus(), context.get());
  BN_mul(ux.get(), u.get(), x.get(), context.get());
  BN_add(exponent.get(), a.get(), ux.get());
  return derive(power(base.get(), exponent.get(), context.get()).get(), u.get());
}

}  // namespace reef::identity
