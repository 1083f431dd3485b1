// All rules of one bus, found by the events they want. An event is looked up by its values first (a hash per value and per
// length of prefix and suffix that any rule has), so its cost grows with the rules that may match, not with all of them.
// Not thread-safe: matching uses scratch memory of the index.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "engine/events/pattern.h"
#include "wire/json_reader.h"

namespace reef::events {

using RuleId = std::uint64_t;

class RuleIndex {
 public:
  RuleIndex();
  // Adding an id again replaces its pattern.
  void add(RuleId id, const Pattern& pattern);
  void remove(RuleId id);
  std::size_t size() const { return rules_.size(); }
  // Those that match, in order of id; none for what is no JSON object.
  std::vector<RuleId> match(std::string_view event);

 private:
  using FieldId = std::uint32_t;
  using ClauseId = std::uint32_t;
  struct Step {
    TextMap<std::unique_ptr<Step>> next;
    FieldId field = 0;  // 0: no rule ends here
  };
  // Which element of which array a value was found in, by array.
  using Membership = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  struct Found {
    Value value;
    Membership membership;
  };
  struct IndexedClause {
    RuleId rule = 0;
    bool is_live = false;
    std::vector<std::pair<FieldId, std::vector<Test>>> fields;
    std::vector<std::string> buckets;  // where it is entered
    std::uint64_t seen = 0;            // the last match that looked at it
  };
  // How many entries of each length the buckets of a field's prefixes and suffixes have, and of texts of any case.
  struct Lengths {
    std::map<char, std::map<std::size_t, std::size_t>> by_class;
    std::size_t folded = 0;
  };

  FieldId field_of(const std::string& path);
  void enter(ClauseId id);
  void leave(ClauseId id);
  void count(const std::string& bucket, bool is_added);
  void walk_object(wire::JsonReader& in, Step& step);
  void walk_array(wire::JsonReader& in, Step& step);
  void walk_value(wire::JsonReader& in, Step& step);
  Step* descend(Step& step, std::string_view name);
  void probe(FieldId field, const Value& value, std::set<RuleId>& matched);
  void probe_lengths(FieldId field, char kind, std::string_view text, bool from_end, std::set<RuleId>& matched);
  void try_bucket(FieldId field, char kind, std::string_view text, std::set<RuleId>& matched);
  bool holds(const IndexedClause& clause) const;

  std::unique_ptr<Step> root_;
  FieldId last_field_ = 0;
  std::vector<IndexedClause> clauses_;
  std::vector<ClauseId> free_;
  std::unordered_map<RuleId, std::vector<ClauseId>> rules_;
  TextMap<std::vector<ClauseId>> buckets_;
  std::vector<Lengths> lengths_;  // by field
  // Of the match under way.
  std::vector<std::vector<Found>> found_;  // by field
  std::vector<FieldId> present_;
  std::deque<std::string> texts_;
  Membership membership_;
  std::uint32_t arrays_ = 0;
  std::uint64_t round_ = 0;
  std::string key_;
};

}  // namespace reef::events
