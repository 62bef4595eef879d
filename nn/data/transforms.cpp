// SPDX-License-Identifier: Apache-2.0
// Rows are copied with std::copy_n; draws come in the order of the samples, so that a batch depends on
// the generator alone.
#include "transforms.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace nn {

using autograd::Generator;
using autograd::Shape;
using autograd::ShapeError;
using autograd::Tensor;
using autograd::ValueError;

namespace {

Tensor plain(const char* function, const Tensor& x, int least, int most) {
  if (x.dim() < least || x.dim() > most) {
    throw ShapeError(std::string(function) + ": number of axes: x is " + to_string(x.shape()) +
                     "; need " + std::to_string(least) + " to " + std::to_string(most) + " axes");
  }
  autograd::dispatch_floating(function, x.dtype(), [](auto) {});
  return autograd::contiguous(autograd::detach(x));
}

void require(bool ok, const char* function, const std::string& what, const char* need) {
  if (!ok) throw ValueError(std::string(function) + ": out of range: " + what + "; need " + need);
}

/// Uniform on 0, ..., n; n >= 0. One draw of 32 bits (pictures have fewer than 2^32 places).
std::int64_t draw(std::int64_t n, Generator& generator) {
  const std::uint64_t wide = std::uint64_t{generator.next32()} * static_cast<std::uint64_t>(n + 1);
  return static_cast<std::int64_t>(wide >> 32);
}

/// The window of one plane at (top, left), which may lie outside of it: zeros there.
template <class T>
void copy_window(const T* from, std::int64_t h, std::int64_t w, std::int64_t top, std::int64_t left,
                 T* to, std::int64_t height, std::int64_t width) {
  const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(w - left, begin, width);
  for (std::int64_t r = 0; r < height; ++r, to += width) {
    const std::int64_t row = top + r;
    if (row < 0 || row >= h || begin == end) {
      std::fill_n(to, width, T(0));
      continue;
    }
    std::fill_n(to, begin, T(0));
    std::copy_n(from + row * w + left + begin, end - begin, to + begin);
    std::fill_n(to + end, width - end, T(0));
  }
}

Tensor crop(const char* function, const Tensor& input, std::int64_t height, std::int64_t width,
            std::int64_t padding, Generator& generator) {
  const Tensor x = plain(function, input, 4, 4);
  const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  constexpr std::int64_t kMost = 1 << 24;
  require(padding >= 0 && padding <= kMost && height >= 0 && width >= 0 &&
              height <= h + 2 * padding && width <= w + 2 * padding,
          function,
          std::to_string(height) + " x " + std::to_string(width) + " of " + to_string(x.shape()) +
              " padded by " + std::to_string(padding),
          "a window inside of the padded picture, padding >= 0");
  Tensor y = autograd::empty({n, c, height, width}, x.dtype());
  autograd::dispatch_floating(function, x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>().data();
    T* to = y.mutable_data<T>().data();
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t top = draw(h + 2 * padding - height, generator) - padding;
      const std::int64_t left = draw(w + 2 * padding - width, generator) - padding;
      for (std::int64_t k = 0; k < c; ++k, from += h * w, to += height * width) {
        copy_window(from, h, w, top, left, to, height, width);
      }
    }
  });
  return y;
}

}  // namespace

Tensor normalize(const Tensor& x, const std::vector<double>& mean, const std::vector<double>& std) {
  const Tensor values = plain("normalize", x, 3, 4);
  const std::int64_t c = values.size(-3);
  require(static_cast<std::int64_t>(mean.size()) == c &&
              static_cast<std::int64_t>(std.size()) == c &&
              std::all_of(std.begin(), std.end(), [](double s) { return s > 0; }),
          "normalize",
          std::to_string(mean.size()) + " means and " + std::to_string(std.size()) +
              " deviations for " + to_string(x.shape()),
          "one mean and one deviation > 0 for each channel");
  const Tensor m = autograd::to(autograd::reshape(autograd::tensor(mean), {c, 1, 1}), x.dtype());
  const Tensor s = autograd::to(autograd::reshape(autograd::tensor(std), {c, 1, 1}), x.dtype());
  return autograd::detach((values - m) / s);
}

Tensor random_crop(const Tensor& x, std::int64_t height, std::int64_t width, CropOptions options,
                   Generator& generator) {
  return crop("random_crop", x, height, width, options.padding, generator);
}

Tensor random_shift(const Tensor& x, std::int64_t pixels, Generator& generator) {
  const Tensor values = plain("random_shift", x, 4, 4);
  return crop("random_shift", values, values.size(2), values.size(3), pixels, generator);
}

Tensor random_horizontal_flip(const Tensor& x, double p, Generator& generator) {
  const Tensor values = plain("random_horizontal_flip", x, 4, 4);
  require(p >= 0 && p <= 1, "random_horizontal_flip", "p is " + autograd::detail::text(p),
          "0 <= p <= 1");
  Tensor y = autograd::empty(values.shape(), values.dtype());
  const std::int64_t n = values.size(0), w = values.size(3);
  const std::int64_t rows = values.size(1) * values.size(2);
  autograd::dispatch_floating("random_horizontal_flip", values.dtype(), [&]<class T>(T) {
    const T* from = values.data<T>().data();
    T* to = y.mutable_data<T>().data();
    for (std::int64_t i = 0; i < n; ++i) {
      const bool mirror = generator.uniform() < p;
      for (std::int64_t r = 0; r < rows; ++r, from += w, to += w) {
        mirror ? std::reverse_copy(from, from + w, to) : std::copy(from, from + w, to);
      }
    }
  });
  return y;
}

namespace {

struct Range {
  std::int64_t begin, end;
};
Range draw_range(std::int64_t width, std::int64_t size, Generator& generator) {
  const std::int64_t length = draw(std::min(width, size), generator);
  const std::int64_t begin = draw(size - length, generator);
  return {begin, begin + length};
}

}  // namespace

Tensor mask_spectrogram(const Tensor& x, MaskOptions options, Generator& generator) {
  const Tensor values = plain("mask_spectrogram", x, 3, 4);
  constexpr std::int64_t kMost = 10000;  // SpecAugment draws one or two
  require(options.frequency_width >= 0 && options.time_width >= 0, "mask_spectrogram",
          "a negative width", "widths >= 0");
  require(options.frequency_masks >= 0 && options.frequency_masks <= kMost &&
              options.time_masks >= 0 && options.time_masks <= kMost,
          "mask_spectrogram",
          std::to_string(options.frequency_masks) + " frequency masks, " +
              std::to_string(options.time_masks) + " time masks",
          "0 to 10,000 of each");
  Tensor y = autograd::empty(values.shape(), values.dtype());
  const std::int64_t n = values.size(0), bands = values.size(-2), frames = values.size(-1);
  const std::int64_t planes = values.dim() == 4 ? values.size(1) : 1;
  autograd::dispatch_floating("mask_spectrogram", values.dtype(), [&]<class T>(T) {
    T* to = y.mutable_data<T>().data();
    std::copy(values.data<T>().begin(), values.data<T>().end(), to);
    const auto blank = [&](Range rows, Range columns, std::int64_t sample) {
      for (std::int64_t k = 0; k < planes; ++k) {
        T* plane = to + (sample * planes + k) * bands * frames;
        for (std::int64_t r = rows.begin; r < rows.end; ++r) {
          std::fill(plane + r * frames + columns.begin, plane + r * frames + columns.end,
                    T(options.value));
        }
      }
    };
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < options.frequency_masks; ++k) {
        blank(draw_range(options.frequency_width, bands, generator), {0, frames}, i);
      }
      for (std::int64_t k = 0; k < options.time_masks; ++k) {
        blank({0, bands}, draw_range(options.time_width, frames, generator), i);
      }
    }
  });
  return y;
}

}  // namespace nn
