// SPDX-License-Identifier: Apache-2.0
// Pictures: PNG through libpng and JPEG through libjpeg, each optional when nn is built (without it
// IoError). The file's first bytes say which, not its name.
#pragma once

#include <cstdint>
#include <string>

#include <autograd/autograd.hpp>

namespace nn {

struct ImageOptions {
  int channels = 0;  ///< 1 gray (0.299 R + 0.587 G + 0.114 B), 3 RGB, 4 RGBA; 0: as stored
};

/// The picture as float32 [channels, height, width] in [0, 1], a multiple of 1/255 (torchvision's ToTensor
/// of read_image). 16-bit PNGs lose their lower bits, palettes become RGB, alpha is dropped unless asked
/// for. Throws IoError for damaged or cut-off files, for sizes that the file's length cannot hold, and for
/// JPEGs in CMYK; ValueError for other numbers of channels.
autograd::Tensor read_image(const std::string& path, ImageOptions options = {});

/// Writes [height, width], or [1 or 3 or 4, height, width], as PNG, atomically; values are clamped to [0, 1]
/// and NaN is 0. Throws ShapeError, TypeError, IoError.
void write_png(const std::string& path, const autograd::Tensor& image);

namespace detail {

/// Bytes as the decoders give them: [height, width, channels].
struct Pixels {
  std::int64_t width = 0, height = 0;
  int channels = 0;  // 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA
  std::string bytes;
};
struct FileErrors;
Pixels decode_png(const FileErrors& errors, const std::string& bytes);
Pixels decode_jpeg(const FileErrors& errors, const std::string& bytes);
/// Of 1, 3 or 4 channels.
std::string encode_png(const FileErrors& errors, const Pixels& pixels);

}  // namespace detail
}  // namespace nn
