// DynamoDB's typed value: what items are made of, and what expressions compute with. It lives in base because the
// codecs read and write it and the table engine stores it.
//
// Numbers and the members of number sets keep the text they were given; whoever accepts them from outside
// (service/dynamodb) checks them and makes them canonical (engine/table/decimal.h). Comparison here is of text.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reef {

class AttributeValue;
using AttributeMap = std::map<std::string, AttributeValue, std::less<>>;

enum class AttributeKind : std::uint8_t {
  kNone,     // no type was given ({} on the wire); only ever in input, refused by the service with AWS's text
  kString, kNumber, kBinary, kStringSet, kNumberSet, kBinarySet, kMap, kList, kNull, kBool,
  kSeveral,  // more than one type was given; likewise
};

// "S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"; "" for kNone and kSeveral.
std::string_view attribute_kind_name(AttributeKind kind);
// kNone for anything else.
AttributeKind attribute_kind_from_name(std::string_view name);

class AttributeValue {
 public:
  using Kind = AttributeKind;
  using List = std::vector<AttributeValue>;
  using Map = AttributeMap;
  using Set = std::vector<std::string>;

  AttributeValue() = default;
  AttributeValue(const AttributeValue&);
  AttributeValue(AttributeValue&&) noexcept;
  AttributeValue& operator=(const AttributeValue&);
  AttributeValue& operator=(AttributeValue&&) noexcept;
  ~AttributeValue();

  static AttributeValue string(std::string text) { return {Kind::kString, Data(std::move(text))}; }
  static AttributeValue number(std::string text) { return {Kind::kNumber, Data(std::move(text))}; }
  static AttributeValue binary(std::string bytes) { return {Kind::kBinary, Data(std::move(bytes))}; }
  static AttributeValue string_set(Set set) { return {Kind::kStringSet, Data(std::move(set))}; }
  static AttributeValue number_set(Set set) { return {Kind::kNumberSet, Data(std::move(set))}; }
  static AttributeValue binary_set(Set set) { return {Kind::kBinarySet, Data(std::move(set))}; }
  static AttributeValue map(Map map) { return {Kind::kMap, Data(std::move(map))}; }
  static AttributeValue list(List list) { return {Kind::kList, Data(std::move(list))}; }
  // `flag` is what the wire said: {"NULL": false} is refused by the service.
  static AttributeValue null(bool flag = true) { return {Kind::kNull, Data(flag)}; }
  static AttributeValue boolean(bool flag) { return {Kind::kBool, Data(flag)}; }
  // The values that the wire gave, in their order.
  static AttributeValue several(List values) { return {Kind::kSeveral, Data(std::move(values))}; }
  // A value of one of the scalar text kinds (S, N, B), or of one of the set kinds.
  static AttributeValue scalar(Kind kind, std::string text) { return {kind, Data(std::move(text))}; }
  static AttributeValue set(Kind kind, Set members) { return {kind, Data(std::move(members))}; }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_set() const { return kind_ >= Kind::kStringSet && kind_ <= Kind::kBinarySet; }
  bool is_scalar() const { return kind_ >= Kind::kString && kind_ <= Kind::kBinary; }
  std::string_view kind_name() const { return attribute_kind_name(kind_); }

  // The contents; each only for values of the kinds named.
  const std::string& text() const { return std::get<std::string>(data_); }  // S, N, B (raw bytes)
  std::string& text() { return std::get<std::string>(data_); }
  const Set& members() const { return std::get<Set>(data_); }               // SS, NS, BS
  Set& members() { return std::get<Set>(data_); }
  const List& elements() const { return std::get<List>(data_); }            // L, and the values of kSeveral
  List& elements() { return std::get<List>(data_); }
  const Map& entries() const { return *std::get<MapBox>(data_).map; }       // M
  Map& entries() { return *std::get<MapBox>(data_).map; }
  bool flag() const { return std::get<bool>(data_); }                       // BOOL, NULL

  // Same kind and same contents; sets regardless of order. Numbers by their text, so canonical ones by value.
  friend bool operator==(const AttributeValue& a, const AttributeValue& b);

  // Bytes that AWS counts for this value (without its name).
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
  std::size_t size() const;
  // 0 for a scalar, otherwise one more than its deepest element.
  int depth() const;

 private:
  // A map that copies by value although its element type is not complete yet.
  struct MapBox {
    Map* map;
    explicit MapBox(Map&& from);
    MapBox(const MapBox& other);
    MapBox(MapBox&& other) noexcept : map(std::exchange(other.map, nullptr)) {}
    MapBox& operator=(MapBox other) noexcept {
      std::swap(map, other.map);
      return *this;
    }
    ~MapBox();
  };
  struct Data : std::variant<std::monostate, bool, std::string, Set, List, MapBox> {
    using Base = std::variant<std::monostate, bool, std::string, Set, List, MapBox>;
    Data() = default;
    explicit Data(bool flag) : Base(flag) {}
    explicit Data(std::string text) : Base(std::move(text)) {}
    explicit Data(Set set) : Base(std::move(set)) {}
    explicit Data(List list);
    explicit Data(Map map);
  };
  AttributeValue(Kind kind, Data data) : kind_(kind), data_(std::move(data)) {}

  Kind kind_ = Kind::kNone;
  Data data_;
};

// Names and values together: what the 400 KB limit and capacity units count.
std::size_t item_size(const AttributeMap& item);

}  // namespace reef
