// SPDX-License-Identifier: Apache-2.0
// UTF-8, and how text of a file or of the user gets into a message: quote(). It can neither end the
// message, nor reach a terminal as a command, nor fill the screen.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nn::detail {

/// The bytes of the code point that begins here, 1 to 4; 0 where none does (no surrogates, nothing above
/// U+10FFFF, shortest forms).
std::size_t code_point_length(std::string_view text, std::size_t at);
/// Whether all of the bytes are code points.
bool is_utf8(std::string_view bytes);

/// Control characters and bytes that are not UTF-8 as \n, \r, \t or \x1b, ended by "..." after `most` code
/// points. Backslashes stay as they are, so that what is escaped already stays as it is.
std::string escaped(std::string_view text, std::size_t most = std::string_view::npos);
/// 'text', escaped; of one that is cut the length follows: 'text...' (5000000 bytes).
std::string quote(std::string_view text, std::size_t most = 100);

}  // namespace nn::detail
