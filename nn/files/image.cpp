// SPDX-License-Identifier: Apache-2.0
// Between pixels of bytes, [h, w, c], and tensors, [c, h, w].
#include "image.hpp"

#include <algorithm>
#include <cmath>

#include "file.hpp"

namespace nn {

using autograd::Tensor;

namespace {

/// Channel k of `want` channels of the pixel at p.
float channel(const unsigned char* p, int have, int want, int k) {
  const bool color = have >= 3;
  if (k == 3) return have % 2 == 0 ? p[have - 1] : 255.0f;
  if (want == 1 && color) {
    return static_cast<float>(std::lround(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]));
  }
  return color ? p[k] : p[0];
}

}  // namespace

Tensor read_image(const std::string& path, ImageOptions options) {
  if (options.channels != 0 && options.channels != 1 && options.channels != 3 &&
      options.channels != 4) {
    throw autograd::ValueError("read_image: no such number of channels: " +
                               std::to_string(options.channels) + "; need 0, 1, 3 or 4");
  }
  const detail::InputFile file("read_image", path);
  const std::string bytes = detail::read_all(file, std::uint64_t{1} << 31);
  detail::Pixels pixels;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
    pixels = detail::decode_png(file.errors(), bytes);
  } else if (bytes.starts_with("\xFF\xD8\xFF")) {
    pixels = detail::decode_jpeg(file.errors(), bytes);
  } else {
    file.errors().fail("not a picture", "", "a PNG or JPEG file");
  }
  const int have = pixels.channels;
  const int want = options.channels ? options.channels : have >= 3 ? 3 : 1;
  Tensor image = autograd::empty({want, pixels.height, pixels.width});
  float* to = image.mutable_data<float>().data();
  const auto* from = reinterpret_cast<const unsigned char*>(pixels.bytes.data());
  const std::int64_t area = pixels.height * pixels.width;
  for (int k = 0; k < want; ++k) {
    for (std::int64_t i = 0; i < area; ++i)
      *to++ = channel(from + i * have, have, want, k) / 255.0f;
  }
  return image;
}

void write_png(const std::string& path, const Tensor& image) {
  const bool flat = image.dim() == 2;
  const std::int64_t channels = flat ? 1 : image.dim() == 3 ? image.size(0) : 0;
  if (image.numel() == 0 || (channels != 1 && channels != 3 && channels != 4)) {
    throw autograd::ShapeError("write_png: not a picture: " + to_string(image.shape()) +
                               "; need [height, width] or [1, 3 or 4, height, width], not empty");
  }
  autograd::dispatch_floating("write_png", image.dtype(), [](auto) {});
  const Tensor values =
      autograd::contiguous(autograd::to(autograd::detach(image), autograd::float32));
  detail::Pixels pixels{image.size(-1), image.size(-2), static_cast<int>(channels), {}};
  const std::int64_t area = pixels.width * pixels.height;
  pixels.bytes.resize(static_cast<std::size_t>(area * channels));
  const auto from = values.data<float>();
  for (std::int64_t i = 0; i < area; ++i) {
    for (std::int64_t k = 0; k < channels; ++k) {
      const float value = from[static_cast<std::size_t>(k * area + i)];
      const float clamped = value > 0 ? std::min(value, 1.0f) : 0.0f;
      pixels.bytes[static_cast<std::size_t>(i * channels + k)] =
          static_cast<char>(static_cast<unsigned char>(std::lround(clamped * 255)));
    }
  }
  const detail::FileErrors errors{"write_png", path};
  const std::string bytes = detail::encode_png(errors, pixels);
  detail::OutputFile file("write_png", path);
  file.write(bytes);
  file.commit();
}

}  // namespace nn
