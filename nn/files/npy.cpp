// SPDX-License-Identifier: Apache-2.0
// The header is a Python dictionary of three known entries; the reader takes exactly what NumPy writes
// there, in any order.
#include "npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "file.hpp"
#include "half.hpp"

namespace nn {

using autograd::DType;
using autograd::Shape;

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// What the dictionary says.
struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<std::uint64_t> shape;
};

class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  std::optional<Header> parse() {
    Header header;
    int found = 0;
    if (!take('{')) return {};
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':')) return {};
      if (key == "descr" && !(found & 1) && string(header.descr)) {
        found |= 1;
      } else if (key == "fortran_order" && !(found & 2) && boolean(header.fortran)) {
        found |= 2;
      } else if (key == "shape" && !(found & 4) && tuple(header.shape)) {
        found |= 4;
      } else {
        return {};
      }
      if (!take(',') && !peek('}')) return {};
    }
    blanks();
    if (found != 7 || at_ != text_.size()) return {};
    return header;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool peek(char c) {
    blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  bool string(std::string& to) {
    if (!peek('\'') && !peek('"')) return false;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos || end - at_ > 40) return false;
    to = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  bool boolean(bool& to) {
    blanks();
    to = text_.substr(at_, 4) == "True";
    if (!to && text_.substr(at_, 5) != "False") return false;
    at_ += to ? 4 : 5;
    return true;
  }
  bool tuple(std::vector<std::uint64_t>& to) {
    if (!take('(')) return false;
    while (!take(')')) {
      blanks();
      const std::size_t start = at_;
      std::uint64_t number = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        number = 10 * number + static_cast<std::uint64_t>(text_[at_] - '0');
      }
      if (at_ == start || at_ - start > 15 || to.size() == autograd::kMaxDim) return false;
      take('L');  // Python 2
      to.push_back(number);
      if (!take(',') && !peek(')')) return false;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Element i of S with swapped bytes where they are in the other order.
template <class S, class T, class F>
void convert(std::string_view data, bool swap, std::span<T> to, F&& f) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    std::array<char, sizeof(S)> bytes;
    std::memcpy(bytes.data(), data.data() + i * sizeof(S), sizeof(S));
    if (swap) std::reverse(bytes.begin(), bytes.end());
    to[i] = static_cast<T>(f(std::bit_cast<S>(bytes)));
  }
}

constexpr auto kSame = [](auto x) { return x; };

void fill(std::string_view kind, std::string_view data, bool swap, Tensor& x) {
  if (kind == "f4") return convert<float>(data, swap, x.mutable_data<float>(), kSame);
  if (kind == "f2")
    return convert<std::uint16_t>(data, swap, x.mutable_data<float>(), &detail::from_half);
  if (kind == "f8") return convert<double>(data, swap, x.mutable_data<double>(), kSame);
  if (kind == "b1") {
    return convert<std::uint8_t>(data, false, x.mutable_data<bool>(),
                                 [](auto b) { return b != 0; });
  }
  const auto integers = x.mutable_data<std::int64_t>();
  if (kind == "i1") return convert<std::int8_t>(data, swap, integers, kSame);
  if (kind == "u1") return convert<std::uint8_t>(data, swap, integers, kSame);
  if (kind == "i2") return convert<std::int16_t>(data, swap, integers, kSame);
  if (kind == "u2") return convert<std::uint16_t>(data, swap, integers, kSame);
  if (kind == "i4") return convert<std::int32_t>(data, swap, integers, kSame);
  if (kind == "u4") return convert<std::uint32_t>(data, swap, integers, kSame);
  convert<std::int64_t>(data, swap, integers, kSame);
}

struct Kind {
  const char* name;
  std::uint64_t bytes;
  DType dtype;
};
constexpr Kind kKinds[] = {
    {"f2", 2, DType::float32}, {"f4", 4, DType::float32}, {"f8", 8, DType::float64},
    {"b1", 1, DType::boolean}, {"i1", 1, DType::int64},   {"u1", 1, DType::int64},
    {"i2", 2, DType::int64},   {"u2", 2, DType::int64},   {"i4", 4, DType::int64},
    {"u4", 4, DType::int64},   {"i8", 8, DType::int64}};

const Kind& kind_of(const detail::FileErrors& errors, const std::string& descr) {
  const auto known = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) {
    return descr.size() == 3 && descr.substr(1) == kind.name &&
           std::strchr(kind.bytes == 1 ? "|<>=" : "<>=", descr[0]);
  });
  if (known == std::end(kKinds)) {
    errors.fail("a dtype that is not known here", ", " + detail::quote(descr),
                "numbers: f2, f4, f8, b1, i1 to i8, u1 to u4");
  }
  return *known;
}

/// The extents, checked against the bytes that follow.
Shape shape_of(const detail::FileErrors& errors, const Header& header, const Kind& kind,
               std::size_t bytes) {
  Shape shape;
  std::uint64_t total = kind.bytes;
  const bool none = std::find(header.shape.begin(), header.shape.end(), 0u) != header.shape.end();
  for (const std::uint64_t extent : header.shape) {
    if (extent > std::uint64_t{1} << 48 ||
        (!none && (__builtin_mul_overflow(total, extent, &total) || total > bytes))) {
      errors.fail("the header lies about sizes", ", an extent of " + std::to_string(extent),
                  "at most the " + std::to_string(bytes) + " bytes that follow");
    }
    shape.push_back(static_cast<std::int64_t>(extent));
  }
  if ((none ? 0 : total) != bytes) {
    errors.fail("bytes and shape disagree",
                ", " + to_string(shape) + " and " + std::to_string(bytes) + " bytes",
                "as many bytes as elements times " + std::to_string(kind.bytes));
  }
  return shape;
}

}  // namespace

namespace detail {

Tensor decode_npy(const FileErrors& errors, std::string_view bytes) {
  if (bytes.size() < 12 || !bytes.starts_with(kMagic)) {
    errors.fail("not an NPY file", "", "\\x93NUMPY at the start");
  }
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(bytes[i])};
  };
  const bool small = bytes[6] == 1;
  if (bytes[6] < 1 || bytes[6] > 3) {
    errors.fail("not an NPY file", ", version " + std::to_string(byte(6)), "version 1, 2 or 3");
  }
  const std::size_t start = small ? 10 : 12;
  const std::uint64_t length =
      byte(8) | byte(9) << 8 | (small ? 0 : byte(10) << 16 | byte(11) << 24);
  if (length > bytes.size() - start) {
    errors.fail("the file is too short", ", a header of " + std::to_string(length) + " bytes",
                "a complete file");
  }
  const std::optional<Header> header = HeaderParser(bytes.substr(start, length)).parse();
  if (!header) {
    errors.fail("the header is malformed", "",
                "a dictionary of descr, fortran_order and shape, of at most 8 axes");
  }
  const Kind& kind = kind_of(errors, header->descr);
  const std::string_view data = bytes.substr(start + length);
  Shape shape = shape_of(errors, *header, kind, data.size());
  const bool reversed = header->fortran && shape.dim() > 1;
  if (reversed) std::reverse(&shape[0], &shape[0] + shape.dim());
  Tensor x = autograd::empty(shape, kind.dtype);
  fill(kind.name, data, header->descr[0] == '>', x);
  if (!reversed) return x;
  for (int i = 0; i < shape.dim() / 2; ++i) x = autograd::transpose(x, i, shape.dim() - 1 - i);
  return autograd::contiguous(x);
}

std::string encode_npy(const char* function, const Tensor& x) {
  if (!x.defined()) {
    throw autograd::ValueError(std::string(function) + ": no tensor: undefined; need a tensor");
  }
  constexpr const char* kDescr[] = {"<f4", "<f8", "<i8", "|b1"};
  std::string shape;
  for (const std::int64_t extent : x.shape()) shape += std::to_string(extent) + ", ";
  if (x.dim() > 1) shape.resize(shape.size() - 2);
  if (x.dim() == 1) shape.pop_back();
  std::string header = std::string("{'descr': '") + kDescr[static_cast<int>(x.dtype())] +
                       "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((header.size() + 1 + 10 + 63) / 64 * 64 - 11, ' ');  // data at a multiple of 64
  header += '\n';
  std::string bytes(kMagic);
  bytes +=
      {'\1', '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  const Tensor values = autograd::contiguous(autograd::detach(x));
  autograd::dispatch(values.dtype(), [&]<class T>(T) {
    bytes.append(reinterpret_cast<const char*>(values.data<T>().data()),
                 values.data<T>().size_bytes());
  });
  return bytes;
}

}  // namespace detail

Tensor read_npy(const std::string& path) {
  const detail::InputFile file("read_npy", path);
  return detail::decode_npy(file.errors(), detail::read_all(file, std::uint64_t{1} << 40));
}

void write_npy(const std::string& path, const Tensor& x) {
  const std::string bytes = detail::encode_npy("write_npy", x);
  detail::OutputFile file("write_npy", path);
  file.write(bytes);
  file.commit();
}

}  // namespace nn
