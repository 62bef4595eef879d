// SPDX-License-Identifier: Apache-2.0
// The part of ZIP that NumPy uses: stored and deflated entries, found through the central directory at the
// end. Names are never used as paths.
#include <cstring>
#include <limits>

#include "file.hpp"
#include "gzip.hpp"
#include "npy.hpp"

namespace nn {

namespace {

using detail::FileErrors;
using detail::InputFile;

constexpr std::uint64_t kFull32 = 0xFFFFFFFF;  // the real number is in a ZIP64 field

/// A little-endian number of `bytes` bytes.
std::uint64_t number(std::string_view from, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(from[at + static_cast<std::size_t>(i)])}
             << 8 * i;
  }
  return value;
}

void put(std::string& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> 8 * i & 255);
}

std::string piece(const InputFile& file, std::uint64_t offset, std::uint64_t bytes) {
  if (offset > file.size() || bytes > file.size() - offset) {
    file.errors().fail("the archive is damaged", ", it points outside of itself", "an intact file");
  }
  std::string text(bytes, '\0');
  file.read(offset, text.data(), text.size());
  return text;
}

struct Member {
  std::string name;
  std::uint64_t method, crc, packed, size, offset;
};

/// The central directory, as the record at the file's end says.
struct Directory {
  std::uint64_t offset, length, entries;
};
Directory find_directory(const InputFile& file) {
  constexpr std::uint64_t kEnd = 22, kComment = 65535;
  const std::uint64_t tail_size = std::min(file.size(), kEnd + kComment);
  const std::string tail = piece(file, file.size() - tail_size, tail_size);
  const std::size_t at = tail.rfind("PK\5\6");
  if (at == std::string::npos || tail.size() - at < kEnd ||
      number(tail, at + 20, 2) != tail.size() - at - kEnd) {
    file.errors().fail("not an NPZ file", "", "a ZIP archive");
  }
  std::uint64_t length = number(tail, at + 12, 4), offset = number(tail, at + 16, 4);
  // Entries on this disk and on all of them: these must be one, as an archive in parts is not read here.
  std::uint64_t here = number(tail, at + 8, 2), entries = number(tail, at + 10, 2);
  const std::uint64_t end = file.size() - tail_size + at;
  const bool wide = length == kFull32 || offset == kFull32 || entries == 0xFFFF;
  if (wide && end >= 20) {
    const std::string locator = piece(file, end - 20, 20);
    if (locator.starts_with("PK\6\7")) {
      const std::string record = piece(file, number(locator, 8, 8), 56);
      if (record.starts_with("PK\6\6")) {
        here = number(record, 24, 8);
        entries = number(record, 32, 8);
        length = number(record, 40, 8);
        offset = number(record, 48, 8);
      }
    }
  }
  if (here != entries) {
    file.errors().fail("an archive in parts", ", " + std::to_string(entries) + " entries in all",
                       "one in a single file (" + std::to_string(here) + ")");
  }
  return {offset, length, entries};
}

/// Sizes and offset that did not fit 32 bits, from the extra field 0x0001, in this order.
void read_zip64(std::string_view extra, Member& member) {
  while (extra.size() >= 4) {
    const std::uint64_t kind = number(extra, 0, 2), length = number(extra, 2, 2);
    extra.remove_prefix(4);
    if (length > extra.size()) return;
    if (kind == 1) {
      std::string_view rest = extra.substr(0, length);
      for (std::uint64_t* field : {&member.size, &member.packed, &member.offset}) {
        if (*field != kFull32 || rest.size() < 8) continue;
        *field = number(rest, 0, 8);
        rest.remove_prefix(8);
      }
    }
    extra.remove_prefix(length);
  }
}

std::vector<Member> read_directory(const InputFile& file) {
  const Directory place = find_directory(file);
  const std::string directory = piece(file, place.offset, place.length);
  std::vector<Member> members;
  for (std::string_view rest = directory; !rest.empty();) {
    const bool whole = rest.size() >= 46 && rest.starts_with("PK\1\2");
    const std::uint64_t name = whole ? number(rest, 28, 2) : 0,
                        extra = whole ? number(rest, 30, 2) : 0;
    const std::uint64_t total = 46 + name + extra + (whole ? number(rest, 32, 2) : 0);
    if (!whole || total > rest.size()) {
      file.errors().fail("the archive is damaged", ", in its directory", "an intact file");
    }
    if (number(rest, 8, 2) & 1) {
      file.errors().fail("an encrypted archive", "", "one without a password");
    }
    Member member{std::string(rest.substr(46, name)),
                  number(rest, 10, 2),
                  number(rest, 16, 4),
                  number(rest, 20, 4),
                  number(rest, 24, 4),
                  number(rest, 42, 4)};
    read_zip64(rest.substr(46 + name, extra), member);
    members.push_back(std::move(member));
    rest.remove_prefix(total);
  }
  if (members.size() != place.entries) {
    file.errors().fail("the archive is damaged",
                       ", " + std::to_string(members.size()) + " entries in its directory",
                       "as many as its end says (" + std::to_string(place.entries) + ")");
  }
  return members;
}

std::string read_member(const InputFile& file, const Member& member) {
  const std::string local = piece(file, member.offset, 30);
  if (!local.starts_with("PK\3\4")) {
    file.errors().fail("the archive is damaged", ", at " + detail::quote(member.name),
                       "an intact file");
  }
  const std::uint64_t length = number(local, 26, 2);
  // No checksum covers the directory: a name damaged there shows only beside the one at the entry.
  const std::string name = piece(file, member.offset + 30, length);
  if (name != member.name) {
    file.errors().fail("the archive is damaged",
                       ", " + detail::quote(member.name) + " of its directory is " +
                           detail::quote(name) + " at the entry itself",
                       "an intact file");
  }
  const std::uint64_t start = member.offset + 30 + length + number(local, 28, 2);
  std::string bytes = piece(file, start, member.packed);
  if (member.method == 8) {
    bytes = detail::inflate_raw(file.errors(), bytes, member.size);
  } else if (member.method != 0 || member.packed != member.size) {
    file.errors().fail(
        "a compression that is not known here",
        ", " + detail::quote(member.name) + " has method " + std::to_string(member.method),
        "stored (0) or deflated (8)");
  }
  if (detail::crc32(bytes) != member.crc) {
    file.errors().fail("a checksum is wrong", ", that of " + detail::quote(member.name),
                       "an intact file");
  }
  return bytes;
}

/// What both headers of a member have, from the version to the lengths of name and extra field.
std::string common_header(const std::string& name, const std::string& plain, std::size_t packed,
                          bool compress) {
  std::string common;
  put(common, 20, 2);
  put(common, detail::is_utf8(name) ? 1 << 11 : 0, 2);
  put(common, compress ? 8 : 0, 2);
  put(common, 0, 2);       // 0:00:00
  put(common, 0x0021, 2);  // 1980-01-01: the same bytes in every run
  put(common, detail::crc32(plain), 4);
  put(common, packed, 4);
  put(common, plain.size(), 4);
  put(common, name.size(), 2);
  put(common, 0, 2);
  return common;
}

}  // namespace

StateDict read_npz(const std::string& path) {
  const InputFile file("read_npz", path);
  detail::require_zlib(file.errors());
  StateDict arrays;
  for (const Member& member : read_directory(file)) {
    std::string name = member.name;
    if (!name.ends_with(".npy") || arrays.contains(name.substr(0, name.size() - 4))) {
      file.errors().fail("not an array, or there twice", ", " + detail::quote(name),
                         "names that differ and end in .npy");
    }
    name.resize(name.size() - 4);
    arrays.insert(name, detail::decode_npy(file.errors(), read_member(file, member)));
  }
  return arrays;
}

void write_npz(const std::string& path, const StateDict& arrays, NpzOptions options) {
  detail::require_zlib({"write_npz", path});
  detail::OutputFile file("write_npz", path);
  std::string directory;
  std::uint64_t offset = 0;
  for (const auto& [key, tensor] : arrays) {
    const std::string name = key + ".npy", plain = detail::encode_npy("write_npz", tensor);
    const std::uint64_t packed_size = plain.size() < kFull32 ? plain.size() : 0;
    if (packed_size == 0 || offset + packed_size + 65536 > kFull32 || name.size() > 60000) {
      throw autograd::ValueError("write_npz: too large for an archive: " + detail::quote(key) +
                                 "; need less than 4 GiB in all, names below 60,000 bytes");
    }
    const std::string deflated = options.compress ? detail::deflate_raw(plain) : "";
    const std::string& data = options.compress ? deflated : plain;
    const std::string common = common_header(name, plain, data.size(), options.compress);
    file.write("PK\3\4" + common + name);
    file.write(data);
    directory += "PK\1\2";
    put(directory, 20, 2);  // made by
    directory += common;
    put(directory, 0, 8);  // comment, disk, attributes
    put(directory, 0, 2);
    put(directory, offset, 4);
    directory += name;
    offset += 30 + name.size() + data.size();
  }
  std::string end = "PK\5\6";
  put(end, 0, 4);
  put(end, arrays.size(), 2);
  put(end, arrays.size(), 2);
  put(end, directory.size(), 4);
  put(end, offset, 4);
  put(end, 0, 2);
  if (arrays.size() > 65535 || offset + directory.size() > kFull32) {
    throw autograd::ValueError("write_npz: too many arrays: " + std::to_string(arrays.size()) +
                               "; need at most 65535, less than 4 GiB in all");
  }
  file.write(directory + end);
  file.commit();
}

}  // namespace nn
