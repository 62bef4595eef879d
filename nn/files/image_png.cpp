// SPDX-License-Identifier: Apache-2.0
// libpng's simplified interface, which returns errors instead of jumping.
#include "file.hpp"
#include "image.hpp"

#ifdef NN_HAVE_PNG
#include <png.h>
#endif

namespace nn::detail {

#ifdef NN_HAVE_PNG

namespace {

/// Frees what libpng holds, also when something throws.
struct Image {
  png_image header{};
  Image() { header.version = PNG_IMAGE_VERSION; }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() { png_image_free(&header); }
};

}  // namespace

Pixels decode_png(const FileErrors& errors, const std::string& bytes) {
  Image image;
  const auto check = [&](int ok) {
    if (!ok || PNG_IMAGE_FAILED(image.header)) {
      errors.fail("the picture is damaged", std::string(": ") + image.header.message,
                  "an intact PNG file");
    }
  };
  check(png_image_begin_read_from_memory(&image.header, bytes.data(), bytes.size()));
  image.header.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;  // of 8 bits, no palette
  const std::uint64_t width = image.header.width, height = image.header.height;
  // Deflate makes 1032 bytes of one at most, and a pixel is at least a bit: 8256 pixels a byte.
  if (width > 1'000'000 || height > 1'000'000 || width * height / 8256 > bytes.size()) {
    errors.fail("the header lies about sizes",
                ", " + std::to_string(width) + " x " + std::to_string(height) + " pixels in " +
                    std::to_string(bytes.size()) + " bytes",
                "at most 8256 pixels a byte");
  }
  Pixels pixels{static_cast<std::int64_t>(width), static_cast<std::int64_t>(height),
                static_cast<int>(PNG_IMAGE_PIXEL_CHANNELS(image.header.format)),
                std::string(PNG_IMAGE_SIZE(image.header), '\0')};
  check(png_image_finish_read(&image.header, nullptr, pixels.bytes.data(), 0, nullptr));
  return pixels;
}

std::string encode_png(const FileErrors& errors, const Pixels& pixels) {
  Image image;
  image.header.width = static_cast<png_uint_32>(pixels.width);
  image.header.height = static_cast<png_uint_32>(pixels.height);
  image.header.format = pixels.channels == 1   ? PNG_FORMAT_GRAY
                        : pixels.channels == 3 ? PNG_FORMAT_RGB
                                               : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image.header);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&image.header, bytes.data(), &size, 0, pixels.bytes.data(), 0,
                                 nullptr)) {
    errors.fail("libpng refuses", std::string(": ") + image.header.message,
                "a picture it can write");
  }
  bytes.resize(size);
  return bytes;
}

#else

namespace {

[[noreturn]] void no_png(const FileErrors& errors) {
  errors.fail("nn was built without PNG", "", "libpng (package libpng-dev) when nn is built");
}

}  // namespace

Pixels decode_png(const FileErrors& errors, const std::string&) { no_png(errors); }
std::string encode_png(const FileErrors& errors, const Pixels&) { no_png(errors); }

#endif

}  // namespace nn::detail
