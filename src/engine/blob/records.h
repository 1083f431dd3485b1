// What the blob engine keeps: buckets, object versions, multipart uploads and their parts, and the keys under which
// they lie in the key-value store.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace reef::blob {

enum class Versioning : std::uint8_t { kOff, kEnabled, kSuspended };

// Text that only the service gives a meaning: configurations, headers, metadata, tags, checksums.
using Properties = std::map<std::string, std::string, std::less<>>;

struct Bucket {
  std::uint64_t id = 0;  // in keys; never used twice
  std::string account, region, name;
  Time created{};
  Versioning versioning = Versioning::kOff;
  Properties settings;
};
using BucketPtr = std::shared_ptr<const Bucket>;

// A run of stored bytes: small ones in the key-value store, others a file of their own.
struct Segment {
  std::string id;  // 32 hexadecimal characters
  std::uint64_t size = 0;
  bool is_inline = false;
  bool operator==(const Segment&) const = default;
};

// A part of an object that was uploaded in parts.
struct Part {
  std::uint16_t number = 0;
  std::uint64_t size = 0;
  std::string etag;
  Time modified{};
  Properties properties;
  std::vector<Segment> segments;
};

struct Object {
  std::string version_id = "null";
  std::uint64_t sequence = 0;  // later versions of a key have greater ones
  bool is_delete_marker = false;
  Time modified{};
  std::uint64_t size = 0;
  std::string etag;            // without quotes
  Properties properties;
  std::vector<Part> parts;     // when it was uploaded in parts
  std::vector<Segment> segments;  // when it was not
};

struct Upload {
  std::string id, key;
  Time started{};
  Properties properties;
};

std::string bucket_bytes(const Bucket& bucket);
std::optional<Bucket> read_bucket(std::string_view bytes);
std::string object_bytes(const Object& object);
std::optional<Object> read_object(std::string_view bytes);
std::string part_bytes(const Part& part);
std::optional<Part> read_part(std::string_view bytes);
std::string upload_bytes(const Upload& upload);
std::optional<Upload> read_upload(std::string_view bytes);

// 'O' bucket (8) key, ended and escaped, inverted sequence (8): a key's versions lie together, newest first.
std::string bucket_prefix(char space, std::uint64_t bucket);
std::string object_prefix(std::uint64_t bucket, std::string_view key);
std::string object_key(std::uint64_t bucket, std::string_view key, std::uint64_t sequence);
// 'U' bucket (8) key, ended and escaped, upload id; 'P' upload id, part number (2).
std::string upload_key(std::uint64_t bucket, std::string_view key, std::string_view upload_id);
std::string part_prefix(std::string_view upload_id);
std::string part_key(std::string_view upload_id, std::uint16_t number);
std::string data_key(std::string_view segment_id);

// Escapes a name so that names sort as their bytes; append_ended adds an end that sorts before every continuation.
void append_escaped(std::string& out, std::string_view name);
void append_ended(std::string& out, std::string_view name);
// The name in a stored key that follows its bucket, and how many bytes it took.
struct Name {
  std::string text;
  std::size_t bytes = 0;
};
Name read_name(std::string_view escaped);
std::string after_prefix(std::string prefix);

constexpr std::size_t kBucketPrefixBytes = 9;

}  // namespace reef::blob
