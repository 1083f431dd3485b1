#include "service/s3/customer_key.h"

#include "base/digest.h"
#include "base/encoding.h"
#include "base/seal.h"
#include "base/stream_cipher.h"

namespace reef::s3 {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::string_view kArgument = "x-amz-server-side-encryption";

aws::Error refused(std::string message) { return invalid_argument(std::move(message), kArgument, "null"); }

std::string verifier(std::string_view salt, std::string_view key) { return base64_encode(std::string(salt) + hmac_sha256(key, salt)); }

bool fits(std::string_view key, const blob::Properties& properties) {
  const auto kept = base64_decode(property_of(properties, property::kCustomerKey).value_or(""));
  if (!kept || kept->size() <= kSaltBytes) return false;
  return equals_in_constant_time(verifier(std::string_view(*kept).substr(0, kSaltBytes), key), base64_encode(*kept));
}

// All but whether the key is one.
Reply<void> check_headers(const CustomerKeyHeaders& headers) {
  if (headers.algorithm && *headers.algorithm != "AES256") {
    aws::Error error("InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.", 400);
    error.fields.set("ArgumentName", kArgument);
    error.fields.set("ArgumentValue", *headers.algorithm);
    return Err(std::move(error));
  }
  if (!headers.algorithm)
    return Err(refused("Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm."));
  if (!headers.key)
    return Err(refused("Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key."));
  if (!headers.md5)
    return Err(refused("Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key."));
  return {};
}

Reply<CustomerKey> read_key(const CustomerKeyHeaders& headers) {
  TRY(check_headers(headers));
  auto bytes = base64_decode(*headers.key);
  if (!bytes || bytes->size() != StreamCipher::kKeyBytes) return Err(refused("The secret key was invalid for the specified algorithm."));
  if (base64_encode(md5(*bytes)) != *headers.md5) return Err(refused("The calculated MD5 hash of the key did not match the hash that was provided."));
  return CustomerKey{*std::move(bytes), *headers.md5};
}

}  // namespace

Reply<std::optional<CustomerKey>> key_for_writing(const CustomerKeyHeaders& headers, const std::optional<std::string>& encryption) {
  if (!headers.are_there()) return std::nullopt;
  if (encryption)
    return Err(invalid_argument("Server Side Encryption with Customer provided key is incompatible with the encryption method specified", kArgument, *encryption));
  return std::optional(TRY(read_key(headers)));
}

Reply<std::optional<CustomerKey>> key_for_reading(const CustomerKeyHeaders& headers, const blob::Properties& object) {
  const bool is_encrypted = has_customer_key(object);
  if (!headers.are_there() && !is_encrypted) return std::nullopt;
  if (!headers.are_there())
    return Err(invalid_request("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."));
  TRY(check_headers(headers));
  if (!is_encrypted) return Err(invalid_request("The encryption parameters are not applicable to this object."));
  // Recorded: a key of another length is as wrong as any other here.
  const auto bytes = base64_decode(*headers.key);
  if (!bytes || !fits(*bytes, object))
    return Err(aws::Error("AccessDenied", "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.", 403));
  return std::optional(TRY(read_key(headers)));
}

Reply<std::optional<CustomerKey>> key_of_part(const CustomerKeyHeaders& headers, const blob::Properties& upload) {
  if (!headers.are_there() && !has_customer_key(upload)) return std::nullopt;
  if (headers.are_there() != has_customer_key(upload))
    return Err(invalid_request("The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters."));
  CustomerKey key = TRY(read_key(headers));
  if (!fits(key.bytes, upload)) return Err(invalid_request("The provided encryption parameters did not match the ones used originally."));
  return std::optional(std::move(key));
}

void mark(blob::Properties& properties, const CustomerKey& key) {
  properties[property::kCustomerKey] = verifier(secret_bytes(kSaltBytes), key.bytes);
}

bool has_customer_key(const blob::Properties& properties) { return properties.contains(property::kCustomerKey); }

}  // namespace reef::s3
