// Encryption with keys that customers provide with each request (SSE-C). The key itself is never kept: only what tells
// whether another is the same.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
#pragma once

#include <optional>
#include <string>

#include "service/s3/errors.h"
#include "service/s3/object_headers.h"

namespace reef::s3 {

struct CustomerKey {
  std::string bytes;  // 32
  std::string md5;    // base64, as it was given
};

// The three headers as they came.
struct CustomerKeyHeaders {
  const std::optional<std::string>& algorithm;
  const std::optional<std::string>& key;
  const std::optional<std::string>& md5;
  bool are_there() const { return algorithm || key || md5; }
};
template <class In>
CustomerKeyHeaders customer_key_headers(const In& in) {
  return {in.sse_customer_algorithm, in.sse_customer_key, in.sse_customer_key_md5};
}
template <class In>
CustomerKeyHeaders source_key_headers(const In& in) {
  return {in.copy_source_sse_customer_algorithm, in.copy_source_sse_customer_key, in.copy_source_sse_customer_key_md5};
}

// The key that what is written is to have; nothing when none was given. `encryption`: x-amz-server-side-encryption.
Reply<std::optional<CustomerKey>> key_for_writing(const CustomerKeyHeaders& headers, const std::optional<std::string>& encryption);
// The key of an object that is read, checked against it; nothing for one without.
Reply<std::optional<CustomerKey>> key_for_reading(const CustomerKeyHeaders& headers, const blob::Properties& object);
// The key of a part, checked against what its upload began with.
Reply<std::optional<CustomerKey>> key_of_part(const CustomerKeyHeaders& headers, const blob::Properties& upload);

// Marks what is encrypted with that key.
void mark(blob::Properties& properties, const CustomerKey& key);
bool has_customer_key(const blob::Properties& properties);

// What replies say of it.
template <class Out>
void show_customer_key(const std::optional<CustomerKey>& key, Out& out) {
  if (!key) return;
  out.server_side_encryption.reset();
  out.sse_customer_algorithm = "AES256";
  out.sse_customer_key_md5 = key->md5;
}

}  // namespace reef::s3
