// SPDX-License-Identifier: Apache-2.0
// A picture of pixels, the little drawing that a chart needs, and writing it to a file: PNG where
// libpng was found (AUTOGRAD_HAVE_PNG), otherwise PPM, which needs no library. Everything drawn
// outside of the picture is cut off.
#pragma once

#ifdef AUTOGRAD_HAVE_PNG
#include <png.h>
#endif

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

using Color = std::array<std::uint8_t, 3>;
constexpr Color kWhite{255, 255, 255}, kBlack{0, 0, 0}, kGray{150, 150, 150};

class Image {
 public:
  Image(int width, int height)
      : width_(width), height_(height), rgb_(static_cast<std::size_t>(width) * height * 3, 255) {}

  int width() const { return width_; }
  int height() const { return height_; }
  const std::vector<std::uint8_t>& rgb() const { return rgb_; }

  void set(int x, int y, const Color& color) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    std::memcpy(&rgb_[(static_cast<std::size_t>(y) * width_ + x) * 3], color.data(), 3);
  }
  /// Filled, from (x, y) on.
  void rectangle(int x, int y, int width, int height, const Color& color) {
    for (int j = y; j < y + height; ++j) {
      for (int i = x; i < x + width; ++i) set(i, j, color);
    }
  }
  /// One pixel wide, around the area that rectangle() with the same numbers would fill.
  void frame(int x, int y, int width, int height, const Color& color) {
    rectangle(x - 1, y - 1, width + 2, 1, color);
    rectangle(x - 1, y + height, width + 2, 1, color);
    rectangle(x - 1, y, 1, height, color);
    rectangle(x + width, y, 1, height, color);
  }
  void disk(int x, int y, int radius, const Color& color) {
    for (int j = -radius; j <= radius; ++j) {
      for (int i = -radius; i <= radius; ++i) {
        if (i * i + j * j <= radius * radius) set(x + i, y + j, color);
      }
    }
  }
  /// Digits, capitals of the words used here, and "-.+": 4 x 6 dots a character, `size` pixels a dot.
  void text(int x, int y, const std::string& words, int size = 2) {
    for (char letter : words) {
      const unsigned dots = glyph(letter);
      for (int bit = 0; bit < 15; ++bit) {
        if (dots >> (14 - bit) & 1) {
          rectangle(x + bit % 3 * size, y + bit / 3 * size, size, size, kBlack);
        }
      }
      x += 4 * size;
    }
  }

 private:
  /// 3 x 5 dots, row by row from the top left, the first one in bit 14; three bits are one octal digit.
  static unsigned glyph(char letter) {
    constexpr const char* kLetters = "0123456789-.+CDEHILNOPRSTX";
    constexpr std::array<unsigned, 26> kDots{075557, 026227, 071747, 071717, 055711, 074717, 074757,
                                             071111, 075757, 075717, 000700, 000002, 002720, 074447,
                                             065556, 074747, 055755, 072227, 044447, 065555, 075557,
                                             075744, 065655, 074717, 072222, 055255};
    const char* found = letter ? std::strchr(kLetters, letter) : nullptr;
    return found ? kDots[found - kLetters] : 0;
  }

  int width_, height_;
  std::vector<std::uint8_t> rgb_;  // [height, width, 3]
};

/// The path that write_image will write for this one: the same, or ending in .ppm without libpng.
inline std::string image_path(const std::string& path) {
#ifdef AUTOGRAD_HAVE_PNG
  return path;
#else
  return std::filesystem::path(path).replace_extension(".ppm").string();
#endif
}

/// The bytes of a PNG file (PPM without libpng).
inline std::string encode(const Image& image) {
#ifdef AUTOGRAD_HAVE_PNG
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width());
  header.height = static_cast<png_uint_32>(image.height());
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&header, bytes.data(), &size, 0, image.rgb().data(), 0, nullptr)) {
    throw std::runtime_error(std::string("libpng: ") + header.message);
  }
  bytes.resize(size);
  return bytes;
#else
  const auto* pixels = reinterpret_cast<const char*>(image.rgb().data());
  return "P6\n" + std::to_string(image.width()) + " " + std::to_string(image.height()) + "\n255\n" +
         std::string(pixels, image.rgb().size());
#endif
}

/// Writes the picture; throws std::runtime_error, naming the path, when that fails.
inline void write_image(const Image& image, const std::string& path) {
  const std::string bytes = encode(image);
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
}

}  // namespace support
