// SPDX-License-Identifier: Apache-2.0
// libpng: its classic interface for reading, because the simplified one converts samples by gamma; that one
// for writing. Errors arrive by longjmp: the functions jumped out of hold nothing with a destructor.
#include "file.hpp"
#include "image.hpp"

#ifdef NN_HAVE_PNG
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include <png.h>
#endif

namespace nn::detail {

#ifdef NN_HAVE_PNG

namespace {

struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view rest;  // of the file
  std::jmp_buf back;
  char message[200];

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  Decoder& decoder = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(decoder.message, sizeof decoder.message, "%s", message);
  std::longjmp(decoder.back, 1);
}
void on_warning(png_structp, png_const_charp) {}
void on_read(png_structp png, png_bytep to, png_size_t bytes) {
  Decoder& decoder = *static_cast<Decoder*>(png_get_io_ptr(png));
  if (bytes > decoder.rest.size()) png_error(png, "it is cut off");
  std::memcpy(to, decoder.rest.data(), bytes);
  decoder.rest.remove_prefix(bytes);
}

/// Up to the first samples: the header, the palette, the color that is transparent. Chunks without which
/// a picture can be shown are passed over, with them gamma and color profiles; all checksums count.
bool start(Decoder& decoder) {
  if (setjmp(decoder.back)) return false;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, &on_error, &on_warning);
  decoder.info = decoder.png ? png_create_info_struct(decoder.png) : nullptr;
  if (!decoder.info) {
    std::snprintf(decoder.message, sizeof decoder.message, "libpng does not start");
    return false;
  }
  png_set_read_fn(decoder.png, &decoder, &on_read);
  png_set_crc_action(decoder.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_keep_unknown_chunks(decoder.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_user_limits(decoder.png, 1'000'000, 1'000'000);
  png_read_info(decoder.png, decoder.info);
  return true;
}

/// Asks for bytes, whatever the samples are: of 16 bits the upper 8, of fewer than 8 the same share of 255.
bool ask_for_bytes(Decoder& decoder) {
  if (setjmp(decoder.back)) return false;
  png_set_strip_16(decoder.png);
  png_set_expand(decoder.png);  // palettes, 1 to 4 bits, a transparent color to alpha
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  return true;
}

bool read_rows(Decoder& decoder, png_bytepp rows) {
  if (setjmp(decoder.back)) return false;
  png_read_image(decoder.png, rows);
  png_read_end(decoder.png, nullptr);
  return true;
}

/// The writer of the simplified interface, which returns errors; freed also when something throws.
struct Image {
  png_image header{};
  Image() { header.version = PNG_IMAGE_VERSION; }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() { png_image_free(&header); }
};

}  // namespace

Pixels decode_png(const FileErrors& errors, const std::string& bytes) {
  Decoder decoder;
  decoder.rest = bytes;
  const auto check = [&](bool ok) {
    if (!ok) {
      errors.fail("the picture is damaged", std::string(": ") + decoder.message,
                  "an intact PNG file");
    }
  };
  check(start(decoder));
  const std::uint64_t width = png_get_image_width(decoder.png, decoder.info);
  const std::uint64_t height = png_get_image_height(decoder.png, decoder.info);
  // Deflate makes 1032 bytes of one at most. Of interlaced pictures these rows are a lower bound.
  if (png_get_rowbytes(decoder.png, decoder.info) * height / 1032 > bytes.size()) {
    errors.fail("the header lies about sizes",
                ", " + std::to_string(width) + " x " + std::to_string(height) + " pixels in " +
                    std::to_string(bytes.size()) + " bytes",
                "at most 1032 bytes of rows a byte");
  }
  check(ask_for_bytes(decoder));
  const std::size_t stride = png_get_rowbytes(decoder.png, decoder.info);
  Pixels pixels{static_cast<std::int64_t>(width), static_cast<std::int64_t>(height),
                png_get_channels(decoder.png, decoder.info), std::string(stride * height, '\0')};
  std::vector<png_bytep> rows;
  for (std::uint64_t i = 0; i < height; ++i) {
    rows.push_back(reinterpret_cast<png_bytep>(pixels.bytes.data()) + i * stride);
  }
  check(read_rows(decoder, rows.data()));
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
