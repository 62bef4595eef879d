// SPDX-License-Identifier: Apache-2.0
// POSIX calls, because the standard library can neither flush a file to the disk nor open one without a
// name. O_NONBLOCK keeps open() from waiting for the writer of a pipe; such files are then refused.
#include "file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <autograd/autograd.hpp>

namespace nn {

namespace detail {

void throw_io(std::string_view function, std::string_view what, std::string_view path,
              std::string_view rest, std::string_view need) {
  constexpr std::size_t kLongestPath = 4096;  // Linux's PATH_MAX
  throw autograd::IoError(std::string(function) + ": " + escaped(what) + ": " +
                          quote(path, kLongestPath) + escaped(rest) + "; need " + escaped(need));
}

void check_path(std::string_view function, std::string_view path, const char* of) {
  const std::string need = std::string("the name of ") + of;
  if (path.empty()) throw_io(function, "the path is empty", path, "", need);
  if (path.find('\0') != std::string_view::npos) {
    throw_io(function, "the path has a zero byte", path, "", need + ", without zero bytes");
  }
}

// --- reading

InputFile::InputFile(const char* function, const std::string& path) : errors_{function, path} {
  check_path(function, path);
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) {
    errors_.fail("cannot open", std::string(": ") + std::strerror(errno), "a file that is there");
  }
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    errors_.fail("not a regular file", "", "a file, not a folder, pipe or device");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  try {
    if (size_ == 0) read_without_size();
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

void InputFile::read_without_size() {
  constexpr std::size_t kMost = std::size_t{1} << 26;
  char piece[4096];
  for (;;) {
    const ssize_t got = ::read(fd_, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      errors_.fail("cannot read", std::string(": ") + std::strerror(errno), "a file with contents");
    }
    if (got == 0) break;
    contents_.append(piece, static_cast<std::size_t>(got));
    if (contents_.size() > kMost) {
      errors_.fail("the file is too large", ", its size is not known", "at most 64 MiB then");
    }
  }
  size_ = contents_.size();
}

InputFile::~InputFile() { ::close(fd_); }

void InputFile::read(std::uint64_t offset, void* to, std::size_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) {
    errors_.fail("the file is too short",
                 ", " + std::to_string(size_) + " bytes, has nothing at " + std::to_string(offset) +
                     " + " + std::to_string(bytes),
                 "a file that is not cut off");
  }
  if (!contents_.empty()) {
    contents_.copy(static_cast<char*>(to), bytes, offset);
    return;
  }
  char* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(fd_, at, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      errors_.fail("cannot read",
                   got < 0 ? std::string(": ") + std::strerror(errno) : ": it became shorter",
                   "a file that nobody changes meanwhile");
    }
    at += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

std::string read_all(const InputFile& file, std::uint64_t max_bytes) {
  if (file.size() > max_bytes) {
    file.errors().fail("the file is too large", ", " + std::to_string(file.size()) + " bytes",
                       "at most " + std::to_string(max_bytes) + " bytes");
  }
  std::string bytes(file.size(), '\0');
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

// --- writing

OutputFile::OutputFile(const char* function, const std::string& path) : errors_{function, path} {
  namespace fs = std::filesystem;
  check_path(function, path);
  std::error_code ignored;
  fs::path target(path);
  for (int hops = 0; fs::is_symlink(target, ignored);
       ++hops) {  // the link stays, its target changes
    const fs::path aim = fs::read_symlink(target, ignored);
    if (ignored || hops == 40) errors_.fail("a link that leads nowhere", "", "a path of a file");
    target = aim.is_absolute() ? aim : target.parent_path() / aim;
  }
  if (fs::exists(target, ignored) && !fs::is_regular_file(target, ignored)) {
    errors_.fail("not a regular file", "", "a name that is free or that of a file");
  }
  target_ = target.string();
  folder_ = target.has_parent_path() ? target.parent_path().string() : ".";
  make_temporary();
  struct stat old {};
  if (::stat(target_.c_str(), &old) == 0 && ::fchmod(fd_, old.st_mode & 07777) != 0) {
    // Another's file in a folder of ours: the new one gets the usual permissions.
  }
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::fail(const char* doing) const {
  const int error = errno;
  errors_.fail(doing, std::string(": ") + std::strerror(error),
               error == ENOSPC || error == EDQUOT || error == EFBIG
                   ? "room for it on the disk; what was there before is untouched"
                   : "a folder that is there and can be written");
}

namespace {

std::string temporary_name(const std::string& folder) {
  static std::atomic<std::uint64_t> count{0};
  return folder + "/.nn-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".tmp";
}

}  // namespace

void OutputFile::make_temporary() {
#ifdef O_TMPFILE
  fd_ = ::open(folder_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (fd_ >= 0) return;
#endif
  for (int tries = 0; tries < 100; ++tries) {
    const std::string name = temporary_name(folder_);
    fd_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ >= 0) {
      temporary_ = name;
      return;
    }
    if (errno != EEXIST) break;  // a killed process of the same number left one
  }
  fail("cannot write");
}

void OutputFile::write(const void* from, std::size_t bytes) {
  const char* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t done = ::write(fd_, at, bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("cannot write");
    at += done;
    bytes -= static_cast<std::size_t>(done);
  }
}

void OutputFile::commit() {
  if (::fsync(fd_) != 0) fail("cannot write to the disk");
  // An unnamed file cannot replace another: it gets a name for the moment between these two calls.
  for (int tries = 0; temporary_.empty(); ++tries) {
    const std::string name = temporary_name(folder_);
    const std::string self = "/proc/self/fd/" + std::to_string(fd_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
    } else if (errno != EEXIST || tries == 100) {
      fail("cannot write");
    }
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot replace");
  temporary_.clear();
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0 && errno != EINTR) fail("cannot write to the disk");
  // The new name reaches the disk with its folder; some file systems cannot, and need not, flush one.
  if (const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

}  // namespace detail

void write_file(const std::string& path, std::string_view bytes) {
  detail::OutputFile file("write_file", path);
  file.write(bytes);
  file.commit();
}

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  return detail::read_all(detail::InputFile("read_file", path), max_bytes);
}

}  // namespace nn
