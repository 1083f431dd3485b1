#include "engine/function/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/text.h"

namespace reef::function {
namespace {
namespace fs = std::filesystem;

PackageRefused refused(PackageProblem why, std::string detail) { return {why, std::move(detail)}; }

// "a/b" for "a//./b/"; nothing for a path that leaves the folder or is absolute.
std::optional<std::string> clean_path(std::string_view path) {
  std::string clean;
  if (path.starts_with('/') || path.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string slashes = replace_all(path, "\\", "/");  // as some Windows tools write it
  for (const std::string_view part : split(slashes, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

// Whether a link at `path` with this target stays inside the package.
bool link_stays_inside(const std::string& path, std::string_view target) {
  if (target.empty() || target.starts_with('/')) return false;
  int depth = 0;
  for (const char c : path) depth += c == '/';
  for (const std::string_view part : split(target, '/')) {
    if (part == "..") --depth;
    else if (!part.empty() && part != ".") ++depth;
    if (depth < 0) return false;
  }
  return true;
}

// The folders of `path` below `root`, none of which may be a link.
bool make_parents(const std::string& root, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = root + "/" + path.substr(0, slash);
    struct stat info{};
    if (::lstat(folder.c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) return false;
    } else if (::mkdir(folder.c_str(), 0755) < 0) {
      return false;
    }
  }
  return true;
}

Result<std::uint64_t, PackageRefused> write_file(archive* in, const std::string& path, mode_t mode, std::uint64_t bytes_left) {
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return Err(refused(PackageProblem::kDisk, path + ": " + std::strerror(errno)));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  const auto buffer = std::make_unique_for_overwrite<char[]>(64 * 1024);
  std::uint64_t total = 0;
  for (;;) {
    const la_ssize_t size = ::archive_read_data(in, buffer.get(), 64 * 1024);
    if (size < 0) return Err(refused(PackageProblem::kNotAZip, ::archive_error_string(in) ? ::archive_error_string(in) : "damaged"));
    if (size == 0) break;
    total += static_cast<std::uint64_t>(size);
    if (total > bytes_left) return Err(refused(PackageProblem::kTooLarge, path));
    for (la_ssize_t done = 0; done < size;) {
      const ssize_t n = ::write(fd, buffer.get() + done, static_cast<std::size_t>(size - done));
      if (n < 0) return Err(refused(PackageProblem::kDisk, path + ": " + std::strerror(errno)));
      done += n;
    }
  }
  ::fchmod(fd, (mode & 0777) | 0444 | (mode & 0111 ? 0111 : 0));
  return total;
}

}  // namespace

Result<std::uint64_t, PackageRefused> unpack_zip(std::string_view zip, const std::string& folder, std::uint64_t bytes_max) {
  // An empty archive is just its end record; everything else starts with a local file header.
  if (!zip.starts_with("PK\x03\x04") && !zip.starts_with("PK\x05\x06")) return Err(refused(PackageProblem::kNotAZip, "no zip signature"));
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Err(refused(PackageProblem::kDisk, folder + ": " + error.message()));
  const std::unique_ptr<archive, int (*)(archive*)> in(::archive_read_new(), ::archive_read_free);
  ::archive_read_support_format_zip_seekable(in.get());
  if (::archive_read_open_memory(in.get(), zip.data(), zip.size()) != ARCHIVE_OK)
    return Err(refused(PackageProblem::kNotAZip, "cannot be opened"));
  std::uint64_t total = 0;
  constexpr std::size_t kEntriesMax = 100'000;
  for (std::size_t count = 0;; ++count) {
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(in.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result < ARCHIVE_WARN) return Err(refused(PackageProblem::kNotAZip, ::archive_error_string(in.get()) ? ::archive_error_string(in.get()) : "damaged"));
    if (count >= kEntriesMax) return Err(refused(PackageProblem::kTooLarge, "too many entries"));
    const char* name = ::archive_entry_pathname(entry);
    if (!name) name = ::archive_entry_pathname_utf8(entry);
    const auto path = name ? clean_path(name) : std::nullopt;
    if (!path) return Err(refused(PackageProblem::kUnsafe, name ? name : "an entry without a name"));
    if (path->empty()) continue;
    const std::string target = folder + "/" + *path;
    if (!make_parents(folder, *path)) return Err(refused(PackageProblem::kUnsafe, *path));
    const mode_t type = ::archive_entry_filetype(entry);
    if (type == AE_IFDIR || std::string_view(name).ends_with('/')) {
      struct stat info{};
      if (::lstat(target.c_str(), &info) == 0 ? !S_ISDIR(info.st_mode) : ::mkdir(target.c_str(), 0755) < 0)
        return Err(refused(PackageProblem::kUnsafe, *path));
    } else if (type == AE_IFLNK) {
      const char* link = ::archive_entry_symlink(entry);
      if (!link || !link_stays_inside(*path, link)) return Err(refused(PackageProblem::kUnsafe, *path));
      ::unlink(target.c_str());
      if (::symlink(link, target.c_str()) < 0) return Err(refused(PackageProblem::kDisk, target + ": " + std::strerror(errno)));
    } else if (type == AE_IFREG || type == 0) {
      total += TRY(write_file(in.get(), target, ::archive_entry_perm(entry), bytes_max - total));
    } else {
      return Err(refused(PackageProblem::kUnsafe, *path));
    }
  }
  return total;
}

std::string make_zip(const std::string& name, std::string_view content) {
  std::string out(content.size() + name.size() * 2 + 4096, 0);
  std::size_t used = 0;
  archive* zip = ::archive_write_new();
  ::archive_write_set_format_zip(zip);
  ::archive_write_open_memory(zip, out.data(), out.size(), &used);
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, name.c_str());
  ::archive_entry_set_filetype(entry, AE_IFREG);
  ::archive_entry_set_perm(entry, 0644);
  ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  ::archive_entry_set_mtime(entry, 315'532'800, 0);  // the same content gives the same archive
  ::archive_write_header(zip, entry);
  ::archive_write_data(zip, content.data(), content.size());
  ::archive_entry_free(entry);
  ::archive_write_close(zip);
  ::archive_write_free(zip);
  out.resize(used);
  return out;
}

}  // namespace reef::function
