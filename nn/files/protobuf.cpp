// SPDX-License-Identifier: Apache-2.0
#include "protobuf.hpp"

#include <bit>

namespace nn::detail {

namespace {
enum WireType { kVarint = 0, kFixed64 = 1, kLengthAndBytes = 2, kFixed32 = 5 };
}  // namespace

void put_fixed(std::string& to, std::uint64_t bits, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(bits >> 8 * i & 255);
}

void ProtoMessage::varint(std::uint64_t value) {
  for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
  bytes_ += static_cast<char>(value);
}

void ProtoMessage::key(int field, int type) {
  varint(static_cast<std::uint64_t>(field << 3 | type));
}

ProtoMessage& ProtoMessage::integer(int field, std::int64_t value) {
  key(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtoMessage& ProtoMessage::number(int field, float value) {
  key(field, kFixed32);
  put_fixed(bytes_, std::bit_cast<std::uint32_t>(value), 4);
  return *this;
}

ProtoMessage& ProtoMessage::number(int field, double value) {
  key(field, kFixed64);
  put_fixed(bytes_, std::bit_cast<std::uint64_t>(value), 8);
  return *this;
}

ProtoMessage& ProtoMessage::open(int field, std::size_t bytes) {
  key(field, kLengthAndBytes);
  varint(bytes);
  return *this;
}

ProtoMessage& ProtoMessage::text(int field, std::string_view bytes) {
  open(field, bytes.size());
  bytes_ += bytes;
  return *this;
}

}  // namespace nn::detail
