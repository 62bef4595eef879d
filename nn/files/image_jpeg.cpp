// SPDX-License-Identifier: Apache-2.0
// libjpeg reports errors by longjmp: the function that it jumps out of holds nothing with a destructor.
// Its warnings (cut-off or damaged data, which it would fill up with gray) are errors here.
#include "file.hpp"
#include "image.hpp"

#ifdef NN_HAVE_JPEG
#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>
#endif

namespace nn::detail {

#ifdef NN_HAVE_JPEG

namespace {

constexpr int kMostScans = 500;  // of a progressive picture; each goes over all pixels

struct Decoder {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

Decoder& decoder_of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }

[[noreturn]] void on_error(j_common_ptr info) {
  Decoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.message);
  std::longjmp(decoder.back, 1);
}
void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}
void on_progress(j_common_ptr info) {
  if (decoder_of(info).info.input_scan_number <= kMostScans) return;
  std::snprintf(decoder_of(info).message, JMSG_LENGTH_MAX, "too many scans");
  std::longjmp(decoder_of(info).back, 1);
}

/// Up to the size of the picture.
bool start(Decoder& decoder, const std::string& bytes) {
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.info.client_data = &decoder;
  decoder.errors.error_exit = &on_error;
  decoder.errors.emit_message = &on_message;
  decoder.progress.progress_monitor = &on_progress;
  if (setjmp(decoder.back)) return false;
  jpeg_create_decompress(&decoder.info);
  decoder.info.progress = &decoder.progress;
  jpeg_mem_src(&decoder.info, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder.info, TRUE);
  if (decoder.info.jpeg_color_space != JCS_GRAYSCALE) decoder.info.out_color_space = JCS_RGB;
  jpeg_calc_output_dimensions(&decoder.info);
  return true;
}

bool read_rows(Decoder& decoder, char* to) {
  if (setjmp(decoder.back)) return false;
  jpeg_start_decompress(&decoder.info);
  const std::size_t stride = std::size_t{decoder.info.output_width} *
                             static_cast<std::size_t>(decoder.info.output_components);
  while (decoder.info.output_scanline < decoder.info.output_height) {
    JSAMPROW row = reinterpret_cast<JSAMPROW>(to) + decoder.info.output_scanline * stride;
    jpeg_read_scanlines(&decoder.info, &row, 1);
  }
  jpeg_finish_decompress(&decoder.info);
  return true;
}

/// A decoder that is taken down whatever happens.
struct Owner {
  Decoder decoder{};
  Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { jpeg_destroy_decompress(&decoder.info); }
};

}  // namespace

Pixels decode_jpeg(const FileErrors& errors, const std::string& bytes) {
  Owner owner;
  Decoder& decoder = owner.decoder;
  const auto check = [&](bool ok) {
    if (!ok) {
      errors.fail("the picture is damaged", std::string(": ") + decoder.message,
                  "an intact JPEG file, gray or in color");
    }
  };
  check(start(decoder, bytes));
  const std::uint64_t width = decoder.info.output_width, height = decoder.info.output_height;
  // White paper takes about a byte for 100 pixels; nobody's picture is twenty times emptier.
  if (width * height / 2048 > bytes.size() + 64) {
    errors.fail("the header lies about sizes",
                ", " + std::to_string(width) + " x " + std::to_string(height) + " pixels in " +
                    std::to_string(bytes.size()) + " bytes",
                "at most 2048 pixels a byte");
  }
  Pixels pixels{static_cast<std::int64_t>(width),
                static_cast<std::int64_t>(height),
                decoder.info.output_components,
                {}};
  pixels.bytes.resize(width * height * static_cast<std::uint64_t>(pixels.channels));
  check(read_rows(decoder, pixels.bytes.data()));
  return pixels;
}

#else

Pixels decode_jpeg(const FileErrors& errors, const std::string&) {
  errors.fail("nn was built without JPEG", "", "libjpeg (package libjpeg-dev) when nn is built");
}

#endif

}  // namespace nn::detail
