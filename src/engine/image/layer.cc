#include "engine/image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"
#include "io/socket.h"

namespace reef::image {
namespace {

constexpr std::size_t kDepthMax = 128, kTreeDepthMax = 4096, kBufferBytes = 256 * 1024;

Failure failed(const std::string& step) {
  const int error = errno;
  return {fmt::format("{}: {}", step, std::strerror(error)), error};
}
Failure hostile(std::string message) { return {std::move(message), EINVAL}; }

// Opens below `root`, where links stay inside: as if `root` were "/".
int open_inside(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof(how)));
}

// "a/b" for "./a//b/", "/a/b"; nothing when it climbs. "" is the root itself.
Result<std::string, Failure> clean_path(std::string_view path) {
  std::string clean;
  std::size_t depth = 0;
  if (path.find('\0') != std::string_view::npos) return Err(hostile("a name with a zero byte"));
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return Err(hostile(fmt::format("the name '{}' leaves the image", path)));
    if (part.size() > 255 || ++depth > kDepthMax) return Err(hostile(fmt::format("the name '{}' is too long", path.substr(0, 100))));
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

struct Archive {
  archive* in = ::archive_read_new();
  ~Archive() { ::archive_read_free(in); }
};

// A compressed file as the plain tar in it, hashed on the way.
struct PlainTar {
  Archive outer;
  Hasher hasher{Hasher::Kind::kSha256};
  std::uint64_t bytes = 0, bytes_max = 0;
  std::unique_ptr<char[]> buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);

  static la_ssize_t read(archive* inner, void* self_, const void** out) {
    auto& self = *static_cast<PlainTar*>(self_);
    const la_ssize_t size = ::archive_read_data(self.outer.in, self.buffer.get(), kBufferBytes);
    if (size < 0) {
      ::archive_set_error(inner, EINVAL, "%s", ::archive_error_string(self.outer.in) ? ::archive_error_string(self.outer.in) : "damaged");
      return ARCHIVE_FATAL;
    }
    self.bytes += static_cast<std::uint64_t>(size);
    if (self.bytes > self.bytes_max) {
      ::archive_set_error(inner, EFBIG, "more than %llu bytes unpacked", static_cast<unsigned long long>(self.bytes_max));
      return ARCHIVE_FATAL;
    }
    self.hasher.update({self.buffer.get(), static_cast<std::size_t>(size)});
    *out = self.buffer.get();
    return size;
  }
};

class Unpacker {
 public:
  Unpacker(int root, const Owners& owners) : root_(root), owners_(owners) {}

  Result<void, Failure> entry(archive* in, archive_entry* entry) {
    const char* raw = ::archive_entry_pathname(entry);
    if (!raw) return Err(hostile("an entry without a name"));
    const std::string path = TRY(clean_path(raw));
    if (path.empty()) return {};
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? std::string() : path.substr(0, slash), name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    const io::Fd parent = TRY(make_folder(folder));
    if (name.starts_with(".wh.")) return whiteout(parent.get(), folder, name);
    TRY(place(in, entry, parent.get(), path, name));
    note_added(path);
    return {};
  }

 private:
  void note_added(const std::string& path) {
    added_.insert(path);
    for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1))
      if (!ways_.insert(path.substr(0, slash)).second) break;
  }

  // The folder at `path`, made where it is missing; a file in its way is replaced, a link to a folder is followed inside.
  Result<io::Fd, Failure> make_folder(const std::string& path) {
    io::Fd at(open_inside(root_, path, O_PATH | O_DIRECTORY));
    if (at) return at;
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) return Err(failed("open " + path));
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? std::string() : path.substr(0, slash), name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    if (path.empty()) return Err(failed("open the image's root"));
    const io::Fd parent = TRY(make_folder(folder));
    TRY(remove_tree(parent.get(), name));
    if (::mkdirat(parent.get(), name.c_str(), 0755) < 0) return Err(failed("mkdir " + path));
    give_away(parent.get(), name);
    io::Fd made(::openat(parent.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return Err(failed("open " + path));
    return made;
  }

  // To root of the image, or whom the entry names.
  void give_away(int parent, const std::string& name, archive_entry* entry = nullptr) {
    if (owners_.count == 0) return;
    const auto mapped = [&](la_int64_t id) { return owners_.first + (id > 0 && id < owners_.count ? static_cast<std::uint32_t>(id) : 0); };
    static_cast<void>(!::fchownat(parent, name.c_str(), mapped(entry ? ::archive_entry_uid(entry) : 0), mapped(entry ? ::archive_entry_gid(entry) : 0), AT_SYMLINK_NOFOLLOW));
  }

  Result<void, Failure> place(archive* in, archive_entry* entry, int parent, const std::string& path, const std::string& name) {
    const mode_t mode = ::archive_entry_mode(entry) & 0777;
    const bool is_folder = ::archive_entry_filetype(entry) == AE_IFDIR;
    if (is_folder) {
      struct stat info{};
      const bool there = ::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
      if (there && !S_ISDIR(info.st_mode)) TRY(remove_tree(parent, name));
      if ((!there || !S_ISDIR(info.st_mode)) && ::mkdirat(parent, name.c_str(), 0755) < 0) return Err(failed("mkdir " + path));
      // The daemon must be able to look inside and remove it, whatever the layer says.
      if (::fchmodat(parent, name.c_str(), mode | 0700, 0) < 0) return Err(failed("chmod " + path));
      give_away(parent, name, entry);
      return {};
    }
    TRY(remove_tree(parent, name));
    if (const char* target = ::archive_entry_hardlink(entry)) return hard_link(parent, path, name, target);
    switch (::archive_entry_filetype(entry)) {
      case AE_IFREG: TRY(write_file(in, parent, path, name, mode)); break;
      case AE_IFLNK: {
        const char* target = ::archive_entry_symlink(entry);
        if (!target || !*target) return Err(hostile(fmt::format("the link '{}' has no target", path)));
        if (::symlinkat(target, parent, name.c_str()) < 0) return Err(failed("symlink " + path));
        break;
      }
      case AE_IFIFO:
        if (::mkfifoat(parent, name.c_str(), mode) < 0) return Err(failed("mkfifo " + path));
        break;
      default: return {};  // devices and sockets
    }
    give_away(parent, name, entry);
    const timespec times[2] = {{::archive_entry_mtime(entry), ::archive_entry_mtime_nsec(entry)}, {::archive_entry_mtime(entry), ::archive_entry_mtime_nsec(entry)}};
    static_cast<void>(::utimensat(parent, name.c_str(), times, AT_SYMLINK_NOFOLLOW));
    return {};
  }

  Result<void, Failure> hard_link(int parent, const std::string& path, const std::string& name, std::string_view raw_target) {
    const std::string target = TRY(clean_path(raw_target));
    const auto slash = target.rfind('/');
    const std::string target_name = target.substr(slash == std::string::npos ? 0 : slash + 1);
    const io::Fd folder(open_inside(root_, slash == std::string::npos ? std::string() : target.substr(0, slash), O_PATH | O_DIRECTORY));
    if (!folder || target_name.empty() || ::linkat(folder.get(), target_name.c_str(), parent, name.c_str(), 0) < 0)
      return Err(failed(fmt::format("link {} to {}", path, target)));
    return {};
  }

  Result<void, Failure> write_file(archive* in, int parent, const std::string& path, const std::string& name, mode_t mode) {
    const io::Fd file(::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return Err(failed("create " + path));
    const void* piece = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int status = ARCHIVE_OK;
    while ((status = ::archive_read_data_block(in, &piece, &size, &offset)) == ARCHIVE_OK)
      for (std::size_t done = 0; done < size;) {
        const ssize_t written = ::pwrite(file.get(), static_cast<const char*>(piece) + done, size - done, offset + static_cast<la_int64_t>(done));
        if (written < 0 && errno != EINTR) return Err(failed("write " + path));
        if (written > 0) done += static_cast<std::size_t>(written);
      }
    if (status != ARCHIVE_EOF) return Err(hostile(fmt::format("{}: {}", path, ::archive_error_string(in) ? ::archive_error_string(in) : "damaged")));
    if (::fchmod(file.get(), mode | 0400) < 0) return Err(failed("chmod " + path));
    return {};
  }

  // https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts: they hide what lower layers brought only.
  Result<void, Failure> whiteout(int parent, const std::string& folder, const std::string& name) {
    const std::string below = folder.empty() ? std::string() : folder + "/";
    if (name == ".wh..wh..opq") return prune(parent, below);
    if (name.starts_with(".wh..wh.")) return {};  // leftovers of aufs
    const std::string hidden = name.substr(4);
    if (hidden.empty() || hidden == "." || hidden == "..") return Err(hostile(fmt::format("the whiteout '{}' names nothing", name)));
    return prune_one(parent, below + hidden, hidden);
  }
  Result<void, Failure> prune_one(int parent, const std::string& path, const std::string& name) {
    const bool leads_to_added = ways_.contains(path);
    if (!leads_to_added && added_.contains(path)) return {};
    if (!leads_to_added) return remove_tree(parent, name);
    const io::Fd inner(::openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return inner ? prune(inner.get(), path + "/") : Result<void, Failure>();
  }
  Result<void, Failure> prune(int folder, const std::string& below) {
    const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* dir = fd < 0 ? nullptr : ::fdopendir(fd);
    if (!dir) return Err(failed("open " + below));
    std::vector<std::string> names;
    while (const dirent* one = ::readdir(dir))
      if (std::string_view(one->d_name) != "." && std::string_view(one->d_name) != "..") names.emplace_back(one->d_name);
    ::closedir(dir);
    for (const std::string& name : names) TRY(prune_one(folder, below + name, name));
    return {};
  }

  int root_;
  Owners owners_;
  std::set<std::string> added_, ways_;  // what this layer brought, and the folders on the way to it
};

// `depth` bounds the stack and the descriptors that a maliciously deep tree could take.
Result<void, Failure> remove_below(int parent, const std::string& name, std::size_t depth) {
  if (depth > kTreeDepthMax) return Err(hostile("folders are nested too deeply"));
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM && errno != ENOTDIR) return Err(failed("remove " + name));
  const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* dir = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!dir) return Err(failed("remove " + name));
  std::vector<std::string> names;
  while (const dirent* one = ::readdir(dir))
    if (std::string_view(one->d_name) != "." && std::string_view(one->d_name) != "..") names.emplace_back(one->d_name);
  Result<void, Failure> result;
  for (const std::string& inner : names)
    if (result) result = remove_below(fd, inner, depth + 1);
  ::closedir(dir);
  if (!result) return result;
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return Err(failed("remove " + name));
  return {};
}

}  // namespace

Result<void, Failure> remove_tree(int parent, const std::string& name) { return remove_below(parent, name, 0); }

Result<void, Failure> apply_layer(int root, const std::string& layer, const std::string& diff_id, const Owners& owners, const LayerLimits& limits) {
  PlainTar plain;
  plain.bytes_max = limits.bytes_max;
  ::archive_read_support_filter_all(plain.outer.in);
  ::archive_read_support_format_raw(plain.outer.in);
  ::archive_read_support_format_empty(plain.outer.in);
  archive_entry* raw = nullptr;
  if (::archive_read_open_filename(plain.outer.in, layer.c_str(), kBufferBytes) != ARCHIVE_OK || ::archive_read_next_header(plain.outer.in, &raw) != ARCHIVE_OK)
    return Err(hostile(fmt::format("the layer cannot be read: {}", ::archive_error_string(plain.outer.in) ? ::archive_error_string(plain.outer.in) : "empty")));

  Archive tar;
  ::archive_read_support_format_tar(tar.in);
  ::archive_read_support_format_empty(tar.in);
  if (::archive_read_open(tar.in, &plain, nullptr, PlainTar::read, nullptr) != ARCHIVE_OK)
    return Err(hostile(fmt::format("the layer is no tar: {}", ::archive_error_string(tar.in))));
  Unpacker unpacker(root, owners);
  archive_entry* entry = nullptr;
  std::uint64_t entries = 0;
  int status = ARCHIVE_OK;
  while ((status = ::archive_read_next_header(tar.in, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
    if (++entries > limits.entries_max) return Err(hostile(fmt::format("the layer has more than {} entries", limits.entries_max)));
    TRY(unpacker.entry(tar.in, entry));
  }
  if (status != ARCHIVE_EOF) return Err(hostile(fmt::format("the layer is damaged: {}", ::archive_error_string(tar.in) ? ::archive_error_string(tar.in) : "")));
  // What follows the end of the tar belongs to its digest as well.
  const void* rest = nullptr;
  for (la_ssize_t size = 0; (size = PlainTar::read(tar.in, &plain, &rest)) != 0;)
    if (size < 0) return Err(hostile(fmt::format("the layer is damaged: {}", ::archive_error_string(tar.in))));
  const std::string digest = "sha256:" + hex_encode(plain.hasher.finish());
  if (digest != diff_id) return Err(hostile(fmt::format("the layer's contents have the digest {}, its image says {}", digest, diff_id)));
  return {};
}

}  // namespace reef::image
