// SPDX-License-Identifier: Apache-2.0
// Files that may be gzipped, read as one stream: the first two bytes say which. gzip needs zlib when nn is
// built; without it a gzipped file throws IoError.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "file.hpp"

namespace nn {

/// The text of a file, gzipped or not. Throws IoError: cannot be read, damaged, more than max_bytes or
/// than there is memory for.
std::string read_text(const std::string& path, std::uint64_t max_bytes = std::uint64_t{1} << 32);
/// Its lines without their ends (\n or \r\n); a last line without an end counts.
std::vector<std::string> read_lines(const std::string& path);

namespace detail {

/// Deflate's best: 258 bytes for two bits. No stream holds more than this many times its length.
inline constexpr std::uint64_t kMostInflation = 1032;

/// The bytes of a file one after the other, inflated where they are gzipped.
class Stream {
 public:
  explicit Stream(const InputFile& file);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Fills `to` and returns how many bytes there were, less than asked for only at the end.
  std::size_t read(void* to, std::size_t bytes);
  /// The same; throws IoError when there are fewer.
  void read_exactly(void* to, std::size_t bytes);
  /// An upper bound on all bytes of the stream, known before any is read.
  std::uint64_t most() const;
  /// Whether there are so many bytes from the file's start on; inflates them, and keeps none, to know it.
  bool holds(std::uint64_t bytes) const;
  const FileErrors& errors() const { return file_.errors(); }

 private:
  struct Zlib;
  const InputFile& file_;
  std::uint64_t offset_ = 0;
  std::unique_ptr<Zlib> zlib_;  // null when plain
};

/// Inflates a raw deflate stream into exactly `bytes` bytes.
std::string inflate_raw(const FileErrors& errors, std::string_view from, std::uint64_t bytes);
std::string deflate_raw(std::string_view from);
std::uint32_t crc32(std::string_view bytes);
/// Throws IoError without zlib.
void require_zlib(const FileErrors& errors);

}  // namespace detail
}  // namespace nn
