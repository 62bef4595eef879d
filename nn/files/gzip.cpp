// SPDX-License-Identifier: Apache-2.0
// zlib behind an interface that refuses: damaged data, data that ends early, data after the end.
#include "gzip.hpp"

#include <algorithm>
#include <array>
#include <new>

#ifdef NN_HAVE_ZLIB
#include <zlib.h>
#endif

namespace nn {

namespace detail {

#ifdef NN_HAVE_ZLIB

void require_zlib(const FileErrors&) {}

struct Stream::Zlib {
  z_stream state{};
  std::array<unsigned char, 1 << 16> input;
  bool open = false, ended = false;

  Zlib() {
    if (inflateInit2(&state, 15 + 16) != Z_OK) throw std::bad_alloc();  // + 16: gzip alone
    open = true;
  }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;
  ~Zlib() {
    if (open) inflateEnd(&state);
  }
};

Stream::Stream(const InputFile& file) : file_(file) {
  unsigned char magic[2] = {};
  if (file.size() >= 2) file.read(0, magic, 2);
  if (magic[0] == 0x1F && magic[1] == 0x8B) zlib_ = std::make_unique<Zlib>();
}

std::size_t Stream::read(void* to, std::size_t bytes) {
  if (!zlib_) {
    const std::size_t here = std::min<std::uint64_t>(bytes, file_.size() - offset_);
    file_.read(offset_, to, here);
    offset_ += here;
    return here;
  }
  z_stream& z = zlib_->state;
  std::size_t done = 0;
  while (done < bytes) {
    if (z.avail_in == 0) {
      const std::size_t here = std::min<std::uint64_t>(zlib_->input.size(), file_.size() - offset_);
      if (here == 0) {
        if (zlib_->ended) break;
        errors().fail("the gzipped data is cut off", "", "a complete file");
      }
      file_.read(offset_, zlib_->input.data(), here);
      offset_ += here;
      z.next_in = zlib_->input.data();
      z.avail_in = static_cast<uInt>(here);
    }
    if (zlib_->ended) {  // another member follows: their contents are one stream
      inflateReset(&z);
      zlib_->ended = false;
    }
    const std::size_t piece = std::min<std::size_t>(bytes - done, 1 << 30);
    z.next_out = static_cast<unsigned char*>(to) + done;
    z.avail_out = static_cast<uInt>(piece);
    const int status = inflate(&z, Z_NO_FLUSH);
    done += piece - z.avail_out;
    if (status == Z_STREAM_END) {
      zlib_->ended = true;
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK && !(status == Z_BUF_ERROR && z.avail_in == 0)) {
      errors().fail("the gzipped data is damaged", "", "an intact file");
    }
  }
  return done;
}

std::string inflate_raw(const FileErrors& errors, std::string_view from, std::uint64_t bytes) {
  if (bytes / kMostInflation > from.size()) {
    errors.fail("the header lies about sizes",
                ", " + std::to_string(bytes) + " bytes out of " + std::to_string(from.size()),
                "at most 1032 times as many");
  }
  std::string out(bytes, '\0');
  z_stream z{};
  if (inflateInit2(&z, -15) != Z_OK) throw std::bad_alloc();
  int status = Z_OK;
  std::size_t used = 0, done = 0;
  unsigned char spare = 0;  // where a byte too many would go
  while (status == Z_OK) {
    const std::size_t in = std::min<std::size_t>(from.size() - used, 1 << 30);
    const std::size_t room = std::min<std::size_t>(out.size() - done, 1 << 30);
    z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(from.data())) + used;
    z.avail_in = static_cast<uInt>(in);
    z.next_out = room > 0 ? reinterpret_cast<unsigned char*>(out.data()) + done : &spare;
    z.avail_out = room > 0 ? static_cast<uInt>(room) : 1;
    const uInt before = z.avail_out;
    status = inflate(&z, Z_NO_FLUSH);
    used += in - z.avail_in;
    if (room == 0 && z.avail_out == 0) status = Z_DATA_ERROR;
    if (room > 0) done += before - z.avail_out;
  }
  inflateEnd(&z);
  if (status != Z_STREAM_END || done != bytes || used != from.size()) {
    errors.fail("the deflated data is damaged", "", "an intact file");
  }
  return out;
}

std::string deflate_raw(std::string_view from) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string out(deflateBound(&z, from.size()), '\0');
  z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(from.data()));
  z.avail_in = static_cast<uInt>(from.size());
  z.next_out = reinterpret_cast<unsigned char*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::uint32_t crc32(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

#else

void require_zlib(const FileErrors& errors) {
  errors.fail("nn was built without zlib", "", "zlib (package zlib1g-dev) when nn is built");
}

struct Stream::Zlib {};

Stream::Stream(const InputFile& file) : file_(file) {
  unsigned char magic[2] = {};
  if (file.size() >= 2) file.read(0, magic, 2);
  if (magic[0] == 0x1F && magic[1] == 0x8B) require_zlib(file.errors());
}

std::size_t Stream::read(void* to, std::size_t bytes) {
  const std::size_t here = std::min<std::uint64_t>(bytes, file_.size() - offset_);
  file_.read(offset_, to, here);
  offset_ += here;
  return here;
}

std::string inflate_raw(const FileErrors& errors, std::string_view, std::uint64_t) {
  require_zlib(errors);
  return {};
}
std::string deflate_raw(std::string_view) { return {}; }
std::uint32_t crc32(std::string_view) { return 0; }

#endif

Stream::~Stream() = default;

void Stream::read_exactly(void* to, std::size_t bytes) {
  const std::size_t got = read(to, bytes);
  if (got != bytes) {
    errors().fail("the file is too short",
                  ", " + std::to_string(bytes - got) + " bytes are missing", "a complete file");
  }
}

bool Stream::holds(std::uint64_t bytes) const {
  if (!zlib_) return bytes <= file_.size();
  Stream again(file_);
  std::vector<char> piece(1 << 16);
  while (bytes > 0) {
    const std::size_t n = std::min<std::uint64_t>(bytes, piece.size());
    if (again.read(piece.data(), n) < n) return false;
    bytes -= n;
  }
  return true;
}

std::uint64_t Stream::most() const { return zlib_ ? file_.size() * kMostInflation : file_.size(); }

}  // namespace detail

std::string read_text(const std::string& path, std::uint64_t max_bytes) {
  const detail::InputFile file("read_text", path);
  detail::Stream stream(file);
  std::string text;
  try {
    for (std::size_t step = 1 << 16;; step = std::min<std::size_t>(2 * step, 1 << 26)) {
      const std::size_t before = text.size();
      text.resize(before + step);
      const std::size_t got = stream.read(text.data() + before, step);
      text.resize(before + got);
      if (text.size() > max_bytes) {
        file.errors().fail("the text is too long", "",
                           "at most " + std::to_string(max_bytes) + " bytes");
      }
      if (got < step) return text;
    }
  } catch (const std::bad_alloc&) {
    text = {};
    file.errors().fail("the text is too long", ", there is no memory for it",
                       "a text that fits into memory; max_bytes refuses longer ones earlier");
  }
}

std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = read_text(path);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const bool carriage = end > at && end < text.size() && text[end - 1] == '\r';
    lines.push_back(text.substr(at, end - at - carriage));
    at = end + 1;
  }
  return lines;
}

}  // namespace nn
