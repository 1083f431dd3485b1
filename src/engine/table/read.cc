// Tables: reading single items and pages.
#include <algorithm>

#include "base/check.h"
#include "engine/table/evaluate.h"
#include "engine/table/item.h"
#include "engine/table/tables_state.h"

namespace reef::table {

std::optional<AttributeMap> Tables::get(const TableDefinition& table, const AttributeMap& key) const {
  const auto stored = kv_.get(item_key(table.id, table.keys, key));
  if (!stored) return std::nullopt;
  auto item = read_item(*stored);
  CHECK(item.has_value());
  return item;
}

std::vector<std::optional<AttributeMap>> Tables::get_all(
    const std::vector<std::pair<TablePtr, const AttributeMap*>>& keys) const {
  const auto cursor = kv_.cursor();
  std::vector<std::optional<AttributeMap>> items;
  for (const auto& [table, key] : keys) {
    const std::string wanted = item_key(table->id, table->keys, *key);
    cursor->seek(wanted);
    items.push_back(cursor->valid() && cursor->key() == wanted ? read_item(cursor->value()) : std::nullopt);
  }
  return items;
}

Page Tables::read(const Read& read) const {
  Page page;
  const auto cursor = kv_.cursor();
  if (read.forward) {
    cursor->seek(read.from);
  } else {
    cursor->seek_for_prev(read.to);
    if (cursor->valid() && cursor->key() == read.to) cursor->prev();
  }
  const auto in_range = [&] {
    return cursor->valid() && (read.forward ? cursor->key() < read.to : cursor->key() >= read.from);
  };
  for (; in_range(); read.forward ? cursor->next() : cursor->prev()) {
    page.bytes += stored_item_size(cursor->value());
    ++page.scanned;
    const bool full = (read.limit && page.scanned >= read.limit) || page.bytes >= kPageBytesMax;
    std::optional<AttributeMap> item;
    if (full || read.filter || !read.count_only) {
      item = read_item(cursor->value());
      CHECK(item.has_value());
    }
    if (full) page.last_key = key_attributes(*read.table, read.index, *item);
    if (read.fetch_whole && (read.filter || !read.count_only)) {
      item = get(*read.table, key_attributes(*read.table, nullptr, *item));
      if (item) page.table_bytes += item_size(*item);
    }
    const bool wanted = !read.filter || (item && matches(*read.filter, *item));
    if (wanted) ++page.count;
    if (wanted && !read.count_only && item)
      page.items.push_back(read.projection ? project(*item, *read.projection) : *std::move(item));
    if (full) break;
  }
  return page;
}

}  // namespace reef::table
