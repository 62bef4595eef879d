// SPDX-License-Identifier: Apache-2.0
// The wire format of protocol buffers, writing alone: TensorBoard's events and ONNX need a dozen messages,
// and a library for them would be larger than nn. Internal.
// Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nn::detail {

/// The lowest bytes of `bits`, the lowest first.
void put_fixed(std::string& to, std::uint64_t bits, int bytes);

/// One message: its fields in the order in which they are put. A repeated field is put several times.
class ProtoMessage {
 public:
  /// int32, int64, bool, enum.
  ProtoMessage& integer(int field, std::int64_t value);
  ProtoMessage& number(int field, float value);
  ProtoMessage& number(int field, double value);
  /// string, bytes.
  ProtoMessage& text(int field, std::string_view bytes);
  ProtoMessage& message(int field, const ProtoMessage& value) { return text(field, value.bytes_); }
  /// The beginning of a field of that many bytes, which the caller writes behind this message.
  ProtoMessage& open(int field, std::size_t bytes);

  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int type);
  void varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace nn::detail
