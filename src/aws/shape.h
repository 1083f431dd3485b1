// AWS shapes as constant tables: what modelgen generates beside each plain struct, and all that codecs,
// validation and the store need to read, write and check a value without knowing its C++ type.
//
// C++ types by shape kind: string and enum -> std::string, integer kinds -> std::int32_t or std::int64_t,
// float/double -> double, boolean -> bool, timestamp -> Time, blob -> std::string, list -> std::vector<T>,
// map -> std::map<std::string, T, std::less<>>, document -> wire::Json, structure and union -> a struct, native -> as
// modelgen says.
// A member is a plain T when the model requires it, std::optional<T> otherwise; a member that makes a type contain
// itself is Boxed<T>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reef::aws {

enum class Kind : std::uint8_t {
  kStructure, kUnion, kList, kMap, kString, kInteger, kLong, kDouble, kBoolean, kTimestamp, kBlob, kDocument,
  kNative,  // a hand-written C++ type with its own codec: aws/native.h
};
enum class Location : std::uint8_t { kBody, kHeader, kHeaders, kQuery, kUri, kStatusCode };
enum class TimestampFormat : std::uint8_t { kDefault, kIso8601, kHttpDate, kEpochSeconds };

// A struct member that would make its type infinite: an optional that owns its value on the heap.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Boxed(const Boxed& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(Boxed other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  T& emplace() { return *(value_ = std::make_unique<T>()); }
  explicit operator bool() const { return value_ != nullptr; }
  bool has_value() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  friend bool operator==(const Boxed& a, const Boxed& b) {
    return a.has_value() == b.has_value() && (!a.has_value() || *a == *b);
  }

 private:
  std::unique_ptr<T> value_;
};

struct Shape;
struct NativeCodec;  // aws/native.h

// How to reach a member's value inside its struct. `get` is null when an optional member is absent; `make` makes
// it present (default-constructed) and returns it.
struct Access {
  const void* (*get)(const void* field);
  void* (*make)(void* field);
};

// How to walk and fill the containers, by C++ type.
struct ListAccess {
  std::size_t (*size)(const void* list);
  const void* (*at)(const void* list, std::size_t index);
  void* (*append)(void* list);
};
struct MapAccess {
  std::size_t (*size)(const void* map);
  void (*each)(const void* map, void* context, void (*visit)(void* context, const std::string& key, const void* value));
  void* (*insert)(void* map, std::string_view key);  // returns the new or existing value
};

struct Member {
  const char* name;          // as in the model: JSON member name
  const char* wire_name;     // locationName: header, query parameter, XML element; equals `name` when the model is silent
  const char* query_name;    // ec2Query's queryName, else nullptr
  const Shape* shape;
  Access access;
  std::uint32_t offset;      // of the field in its struct
  Location location = Location::kBody;
  TimestampFormat timestamp = TimestampFormat::kDefault;
  bool required = false;
  bool is_payload = false;
  bool streaming = false;
  bool xml_attribute = false;
  bool xml_flattened = false;       // also set from the list's or map's own shape
  bool idempotency_token = false;   // filled in when absent
  bool event_payload = false;
  bool event_header = false;
  bool host_label = false;
  bool json_value = false;
  const char* xml_namespace = nullptr;
};

struct Shape {
  const char* name;                  // as in the model
  Kind kind;
  std::size_t size = 0;              // sizeof the C++ type
  const Member* members = nullptr;   // structures and unions
  std::uint32_t member_count = 0;
  const Shape* element = nullptr;    // list element, map value
  const char* element_name = nullptr;  // XML name of a list's elements ("member" by default), of a map's values
  const Shape* key = nullptr;        // map key
  const char* key_name = nullptr;    // XML name of a map's keys
  ListAccess list{};
  MapAccess map{};
  bool flattened = false;
  bool sparse = false;               // null elements are allowed
  bool event_stream = false;
  bool sensitive = false;            // never logged
  bool is_error = false;
  // Constraints; -1 and nullptr when the model has none. Lengths are of strings (code points), blobs (bytes),
  // lists and maps (elements).
  std::int64_t min = -1, max = -1;
  double range_min = 0, range_max = 0;
  bool has_range_min = false, has_range_max = false;
  const char* pattern = nullptr;
  const char* const* enum_values = nullptr;
  std::uint32_t enum_count = 0;
  TimestampFormat timestamp = TimestampFormat::kDefault;
  const char* xml_namespace = nullptr;
  const char* xml_name = nullptr;    // root element, when it differs from `name`
  const NativeCodec* native = nullptr;
};

// An error that the model declares.
struct ErrorShape {
  const char* code;        // what clients compare: "QueueDoesNotExist", or the model's error.code when it has one
  const char* shape_name;
  int status;
  bool sender_fault;
  const char* query_code;  // awsQueryCompatible code ("AWS.SimpleQueueService.NonExistentQueue"), else nullptr
  const Shape* shape;      // for errors with members besides the message; nullptr otherwise
};

struct OperationModel {
  const char* name;
  const char* method;       // "POST"
  const char* uri;          // "/2015-03-31/functions/{FunctionName}", may carry fixed query parameters
  const Shape* input;
  const Shape* output;
  const char* result_wrapper;   // awsQuery; for S3 the root element of the reply; else nullptr
  int status;                   // success status
  bool unsigned_auth;
  bool unsigned_payload;
  const char* host_prefix;
  const char* static_context;
  bool checksum_required;
  bool is_served;               // false: modelled so that the 501 can name it
};

enum class Protocol : std::uint8_t { kJson10, kJson11, kQuery, kEc2Query, kRestJson, kRestXml, kRpcV2Cbor };

struct ServiceModel {
  const char* name;            // models/<name>.json and service/<name>: "sqs"
  const char* id;              // "SQS"
  const char* signing_name;    // "sqs"
  const char* endpoint_prefix;
  const char* target_prefix;   // "AmazonSQS", else nullptr
  const char* api_version;     // "2012-11-05"
  const char* xml_namespace;
  const char* shape_id;        // rpcv2Cbor service name, e.g. "AmazonSQS"
  const Protocol* protocols;
  std::uint32_t protocol_count;
  bool query_compatible;
  const OperationModel* operations;
  std::uint32_t operation_count;
  const ErrorShape* errors;
  std::uint32_t error_count;
};

}  // namespace reef::aws
