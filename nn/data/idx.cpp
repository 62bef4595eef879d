// SPDX-License-Identifier: Apache-2.0
// Two zero bytes, the type, the number of axes, big-endian extents of 32 bits, big-endian elements.
#include "idx.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <vector>

#include "../files/gzip.hpp"

namespace nn {

namespace {

using autograd::DType;
using autograd::Shape;
using autograd::Tensor;
using detail::Stream;

/// Reads n big-endian S and converts them, a piece at a time.
template <class S, class T> void convert(Stream& stream, T* to, std::size_t n) {
  std::vector<unsigned char> piece(sizeof(S) * (1 << 16));
  for (std::size_t at = 0; at < n;) {
    const std::size_t count = std::min<std::size_t>(n - at, 1 << 16);
    stream.read_exactly(piece.data(), count * sizeof(S));
    for (std::size_t i = 0; i < count; ++i) {
      std::array<unsigned char, sizeof(S)> bytes;
      std::reverse_copy(&piece[i * sizeof(S)], &piece[i * sizeof(S)] + sizeof(S), bytes.begin());
      to[at + i] = static_cast<T>(std::bit_cast<S>(bytes));
    }
    at += count;
  }
}

template <class T> void convert(unsigned type, Stream& stream, T* to, std::size_t n) {
  switch (type) {
    case 0x08: return convert<std::uint8_t>(stream, to, n);
    case 0x09: return convert<std::int8_t>(stream, to, n);
    case 0x0B: return convert<std::int16_t>(stream, to, n);
    case 0x0C: return convert<std::int32_t>(stream, to, n);
    case 0x0D: return convert<float>(stream, to, n);
    default: return convert<double>(stream, to, n);
  }
}

std::size_t bytes_of(unsigned type, const detail::FileErrors& errors) {
  switch (type) {
    case 0x08:
    case 0x09: return 1;
    case 0x0B: return 2;
    case 0x0C:
    case 0x0D: return 4;
    case 0x0E: return 8;
    default:
      errors.fail("not an IDX file", ", type " + std::to_string(type), "8, 9, 11, 12, 13 or 14");
  }
}

/// The extents, checked against what the stream holds.
Shape read_shape(Stream& stream, unsigned axes, std::size_t item) {
  if (axes == 0 || axes > autograd::kMaxDim) {
    stream.errors().fail("not an IDX file", ", " + std::to_string(axes) + " axes", "1 to 8");
  }
  Shape shape;
  std::uint64_t total = item;
  for (unsigned i = 0; i < axes; ++i) {
    unsigned char b[4];
    stream.read_exactly(b, 4);
    const std::uint32_t extent =
        static_cast<std::uint32_t>(b[0]) << 24 | b[1] << 16 | b[2] << 8 | b[3];
    shape.push_back(extent);
    if (__builtin_mul_overflow(total, std::uint64_t{extent}, &total) || total > stream.most()) {
      stream.errors().fail(
          "the header lies about sizes", ", shape " + to_string(shape),
          "at most the " + std::to_string(stream.most()) + " bytes that the file can hold");
    }
  }
  if (total <= stream.most() - 4 - 4 * axes && stream.holds(4 + 4 * axes + total)) return shape;
  stream.errors().fail("the file is too short", ", shape " + to_string(shape),
                       std::to_string(total) + " bytes of elements");
}

/// Memory for the elements. Throws IoError when there is none.
Tensor room_for(const Shape& shape, DType dtype, const detail::FileErrors& errors) {
  const auto fail = [&] {
    errors.fail("the file is too large",
                ", shape " + to_string(shape) + " in " + autograd::name(dtype),
                "memory for all elements");
  };
  try {
    return autograd::empty(shape, dtype);
  } catch (const autograd::Error&) {
    fail();
  } catch (const std::bad_alloc&) {
    fail();
  }
  return {};
}

}  // namespace

Tensor read_idx(const std::string& path, IdxOptions options) {
  if (options.dtype == autograd::boolean) {
    throw autograd::TypeError("read_idx: no such conversion: to bool; need a dtype of numbers");
  }
  const detail::InputFile file("read_idx", path);
  Stream stream(file);
  unsigned char magic[4];
  stream.read_exactly(magic, 4);
  if (magic[0] != 0 || magic[1] != 0) {
    file.errors().fail("not an IDX file", "", "two zero bytes at the start");
  }
  const unsigned type = magic[2];
  const Shape shape = read_shape(stream, magic[3], bytes_of(type, file.errors()));
  const DType natural = type == 0x0D   ? DType::float32
                        : type == 0x0E ? DType::float64
                                       : DType::int64;
  const DType dtype = options.dtype.value_or(natural);
  if (dtype == DType::int64 && natural != DType::int64) {
    throw autograd::TypeError(
        "read_idx: no such conversion: from floating numbers to int64; need a "
        "floating dtype");
  }
  Tensor values = room_for(shape, dtype, file.errors());
  const auto n = static_cast<std::size_t>(values.numel());
  if (values.dtype() == DType::float32) {
    convert(type, stream, values.mutable_data<float>().data(), n);
  } else if (values.dtype() == DType::float64) {
    convert(type, stream, values.mutable_data<double>().data(), n);
  } else {
    convert(type, stream, values.mutable_data<std::int64_t>().data(), n);
  }
  char more = 0;
  if (stream.read(&more, 1) != 0) {
    file.errors().fail("bytes after the last element", ", shape " + to_string(shape),
                       "a file that ends there");
  }
  return values;
}

}  // namespace nn
