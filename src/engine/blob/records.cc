#include "engine/blob/records.h"

#include "base/bytes.h"

namespace reef::blob {
namespace {

constexpr std::uint8_t kFormat = 1;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void write_properties(ByteWriter& out, const Properties& properties) {
  out.varint(properties.size());
  for (const auto& [name, text] : properties) {
    out.bytes(name);
    out.bytes(text);
  }
}
Properties read_properties(ByteReader& in) {
  Properties properties;
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    properties.emplace_hint(properties.end(), std::move(name), in.text());
  }
  return properties;
}

void write_segments(ByteWriter& out, const std::vector<Segment>& segments) {
  out.varint(segments.size());
  for (const Segment& segment : segments) {
    out.bytes(segment.id);
    out.varint(segment.size);
    out.fixed<std::uint8_t>(segment.is_inline);
  }
}
std::vector<Segment> read_segments(ByteReader& in) {
  std::vector<Segment> segments;
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    Segment& segment = segments.emplace_back();
    segment.id = in.text();
    segment.size = in.varint();
    segment.is_inline = in.fixed<std::uint8_t>() != 0;
  }
  return segments;
}

void write_part(ByteWriter& out, const Part& part) {
  out.fixed(part.number);
  out.varint(part.size);
  out.bytes(part.etag);
  out.fixed(to_micros(part.modified));
  write_properties(out, part.properties);
  write_segments(out, part.segments);
}
Part read_part(ByteReader& in) {
  Part part;
  part.number = in.fixed<std::uint16_t>();
  part.size = in.varint();
  part.etag = in.text();
  part.modified = from_micros(in.fixed<std::int64_t>());
  part.properties = read_properties(in);
  part.segments = read_segments(in);
  return part;
}

}  // namespace

std::string bucket_bytes(const Bucket& bucket) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kFormat);
  out.fixed(bucket.id);
  out.bytes(bucket.account);
  out.bytes(bucket.region);
  out.bytes(bucket.name);
  out.fixed(to_micros(bucket.created));
  out.fixed(bucket.versioning);
  write_properties(out, bucket.settings);
  return bytes;
}

std::optional<Bucket> read_bucket(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<std::uint8_t>() != kFormat) return std::nullopt;
  Bucket bucket;
  bucket.id = in.fixed<std::uint64_t>();
  bucket.account = in.text();
  bucket.region = in.text();
  bucket.name = in.text();
  bucket.created = from_micros(in.fixed<std::int64_t>());
  bucket.versioning = in.fixed<Versioning>();
  bucket.settings = read_properties(in);
  if (!in.ok()) return std::nullopt;
  return bucket;
}

std::string object_bytes(const Object& object) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kFormat);
  out.bytes(object.version_id);
  out.fixed(object.sequence);
  out.fixed<std::uint8_t>(object.is_delete_marker);
  out.fixed(to_micros(object.modified));
  out.varint(object.size);
  out.bytes(object.etag);
  write_properties(out, object.properties);
  out.varint(object.parts.size());
  for (const Part& part : object.parts) write_part(out, part);
  write_segments(out, object.segments);
  return bytes;
}

std::optional<Object> read_object(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<std::uint8_t>() != kFormat) return std::nullopt;
  Object object;
  object.version_id = in.text();
  object.sequence = in.fixed<std::uint64_t>();
  object.is_delete_marker = in.fixed<std::uint8_t>() != 0;
  object.modified = from_micros(in.fixed<std::int64_t>());
  object.size = in.varint();
  object.etag = in.text();
  object.properties = read_properties(in);
  for (auto left = in.varint(); left > 0 && in.ok(); --left) object.parts.push_back(read_part(in));
  object.segments = read_segments(in);
  if (!in.ok()) return std::nullopt;
  return object;
}

std::string part_bytes(const Part& part) {
  std::string bytes;
  ByteWriter out(bytes);
  write_part(out, part);
  return bytes;
}

std::optional<Part> read_part(std::string_view bytes) {
  ByteReader in(bytes);
  Part part = read_part(in);
  if (!in.ok()) return std::nullopt;
  return part;
}

std::string upload_bytes(const Upload& upload) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kFormat);
  out.bytes(upload.id);
  out.bytes(upload.key);
  out.fixed(to_micros(upload.started));
  write_properties(out, upload.properties);
  return bytes;
}

std::optional<Upload> read_upload(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<std::uint8_t>() != kFormat) return std::nullopt;
  Upload upload;
  upload.id = in.text();
  upload.key = in.text();
  upload.started = from_micros(in.fixed<std::int64_t>());
  upload.properties = read_properties(in);
  if (!in.ok()) return std::nullopt;
  return upload;
}

void append_escaped(std::string& out, std::string_view name) {
  for (const char c : name) {
    out += c;
    if (c == '\0') out += '\xFF';
  }
}

void append_ended(std::string& out, std::string_view name) {
  append_escaped(out, name);
  out.append(2, '\0');
}

Name read_name(std::string_view escaped) {
  Name name;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '\0') {
      name.text += escaped[i];
      continue;
    }
    if (i + 1 < escaped.size() && escaped[i + 1] == '\xFF') {
      name.text += '\0';
      ++i;
      continue;
    }
    name.bytes = i + 2;
    return name;
  }
  name.bytes = escaped.size();
  return name;
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty()) {
    if (prefix.back() != '\xFF') {
      prefix.back() = static_cast<char>(prefix.back() + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

std::string bucket_prefix(char space, std::uint64_t bucket) {
  std::string out(1, space);
  append_big_endian(out, bucket, 8);
  return out;
}

std::string object_prefix(std::uint64_t bucket, std::string_view key) {
  std::string out = bucket_prefix('O', bucket);
  append_ended(out, key);
  return out;
}

std::string object_key(std::uint64_t bucket, std::string_view key, std::uint64_t sequence) {
  std::string out = object_prefix(bucket, key);
  append_big_endian(out, ~sequence, 8);
  return out;
}

std::string upload_key(std::uint64_t bucket, std::string_view key, std::string_view upload_id) {
  std::string out = bucket_prefix('U', bucket);
  append_ended(out, key);
  return out.append(upload_id);
}

std::string part_prefix(std::string_view upload_id) { return std::string("P").append(upload_id).append("/"); }

std::string part_key(std::string_view upload_id, std::uint16_t number) {
  std::string out = part_prefix(upload_id);
  append_big_endian(out, number, 2);
  return out;
}

std::string data_key(std::string_view segment_id) { return std::string("D").append(segment_id); }

}  // namespace reef::blob
