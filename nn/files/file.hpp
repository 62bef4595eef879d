// SPDX-License-Identifier: Apache-2.0
// Whole files: reading with every size checked, and writing so that a reader sees the old file or the
// new one, never half of one. Every reader and writer of nn goes through here.
//
// Writing: an unnamed temporary file in the same folder gets the bytes and is flushed to the disk, then
// takes the place of the old file by rename(2), which is atomic. A full disk, an exception or a killed
// process leaves the old file as it was and no litter (unnamed files vanish by themselves; on file
// systems without O_TMPFILE a kill leaves one ".nn-*.tmp").
// Threads: any number may write at a time, also the same path; the last to finish wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../utf8.hpp"

namespace nn {

/// Replaces the file by these bytes, atomically and durably. Writes through symbolic links and keeps the
/// permissions of the old file. Throws IoError, and then the old file is as it was.
void write_file(const std::string& path, std::string_view bytes);
/// All bytes of a file. Throws IoError: no such file, not a regular file, more than max_bytes.
std::string read_file(const std::string& path, std::uint64_t max_bytes = std::uint64_t{1} << 40);

namespace detail {

/// Throws IoError "<function>: <what>: '<path>'<rest>; need <need>", all of it escaped (utf8.hpp). Text of
/// the file must be quote() by the caller, so that it is cut where it is long.
[[noreturn]] void throw_io(std::string_view function, std::string_view what, std::string_view path,
                           std::string_view rest, std::string_view need);

/// The same, with `function` and `path` kept, for the many checks of one reader.
struct FileErrors {
  const char* function;
  std::string path;
  [[noreturn]] void fail(std::string_view what, std::string_view rest,
                         std::string_view need) const {
    throw_io(function, what, path, rest, need);
  }
};

/// Throws IoError for a path that is empty or has a zero byte, behind which the system would not look.
/// `of` is what the path is of: "a file", "a folder".
void check_path(std::string_view function, std::string_view path, const char* of = "a file");

/// A file open for reading: its size is known, and every read is inside of it. Of files whose size the
/// system does not know (below /proc it is 0) the contents are taken at once, up to 64 MiB.
class InputFile {
 public:
  InputFile(const char* function, const std::string& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  std::uint64_t size() const { return size_; }
  /// Fills `to` from this place of the file on. Throws IoError when the file ends before.
  void read(std::uint64_t offset, void* to, std::size_t bytes) const;
  const FileErrors& errors() const { return errors_; }

 private:
  void read_without_size();

  FileErrors errors_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string contents_;  // empty unless the size is not known
};

/// A file being written: nothing is to be seen of it before commit(); without commit() nothing ever is.
class OutputFile {
 public:
  OutputFile(const char* function, const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  void write(const void* from, std::size_t bytes);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit();

 private:
  [[noreturn]] void fail(const char* doing) const;
  void make_temporary();

  FileErrors errors_;
  std::string target_, folder_, temporary_;  // temporary_ is empty while the file has no name
  int fd_ = -1;
};

/// All bytes of an open file.
std::string read_all(const InputFile& file, std::uint64_t max_bytes);

}  // namespace detail
}  // namespace nn
