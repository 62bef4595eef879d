// SPDX-License-Identifier: Apache-2.0
#include "utf8.hpp"

namespace nn::detail {

std::size_t code_point_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t k) {
    return at + k < text.size() ? static_cast<unsigned char>(text[at + k]) : 0u;
  };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return 0;
  }
  // Shortest forms only, no surrogates, nothing above U+10FFFF (Unicode, table 3-7).
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
      (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = code_point_length(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

namespace {

/// U+0000 to U+001F and U+007F to U+009F: terminals take some of the latter for commands too.
bool is_control(std::string_view code_point) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(code_point[k]); };
  if (code_point.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  return byte(0) == 0xC2 && byte(1) < 0xA0;
}

void append_escaped(std::string& to, char c) {
  constexpr const char* kDigits = "0123456789abcdef";
  if (c == '\n' || c == '\r' || c == '\t') {
    to += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  to += "\\x";
  to += kDigits[byte >> 4];
  to += kDigits[byte & 15];
}

/// Where the code point after the first `most` begins; the text's end when there are fewer.
std::size_t cut_at(std::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (; at < text.size() && most > 0; --most) {
    const std::size_t length = code_point_length(text, at);
    at += length > 0 ? length : 1;
  }
  return at;
}

}  // namespace

std::string escaped(std::string_view text, std::size_t most) {
  const std::size_t end = cut_at(text, most);
  std::string out;
  for (std::size_t at = 0; at < end;) {
    const std::size_t length = code_point_length(text, at);
    const std::string_view piece = text.substr(at, length > 0 ? length : 1);
    if (length > 0 && !is_control(piece)) {
      out += piece;
    } else {
      for (const char c : piece) append_escaped(out, c);
    }
    at += piece.size();
  }
  return end < text.size() ? out + "..." : out;
}

std::string quote(std::string_view text, std::size_t most) {
  const std::string shown = "'" + escaped(text, most) + "'";
  if (cut_at(text, most) == text.size()) return shown;
  return shown + " (" + std::to_string(text.size()) + " bytes)";
}

}  // namespace nn::detail
