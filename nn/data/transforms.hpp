// SPDX-License-Identifier: Apache-2.0
// Transforms of batches of pictures and spectrograms, for DataLoaderOptions::transform or by hand. Each
// returns a new tensor of x's dtype and records nothing. (Padding: autograd::pad.) Names after torchvision
// and torchaudio; a batch [n, c, h, w] gets draws of its own for each of its n samples, all channels alike.
// All throw ShapeError for other shapes and TypeError unless x is float32 or float64.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

/// (x - mean[c]) / std[c]; x: [c, h, w] or [n, c, h, w]. Throws ValueError unless there are c means and c
/// deviations > 0.
autograd::Tensor normalize(const autograd::Tensor& x, const std::vector<double>& mean,
                           const std::vector<double>& std);

struct CropOptions {
  std::int64_t padding = 0;  ///< zeros added on all four sides first
};
/// A random window of height by width of each sample; x: [n, c, h, w].
autograd::Tensor random_crop(const autograd::Tensor& x, std::int64_t height, std::int64_t width,
                             CropOptions options = {},
                             autograd::Generator& generator = autograd::default_generator());

/// Each sample moved by up to `pixels` in both directions, zeros moving in: random_crop to its own size.
autograd::Tensor random_shift(const autograd::Tensor& x, std::int64_t pixels,
                              autograd::Generator& generator = autograd::default_generator());

/// Mirrors each sample left to right with probability p; x: [n, c, h, w].
autograd::Tensor random_horizontal_flip(
    const autograd::Tensor& x, double p = 0.5,
    autograd::Generator& generator = autograd::default_generator());

struct MaskOptions {
  std::int64_t frequency_masks = 1, frequency_width = 8;  ///< number, largest number of bands
  std::int64_t time_masks = 1, time_width = 16;           ///< number, largest number of frames
  double value = 0.0;                                     ///< what masked elements become
};
/// Bands and stretches of time of each sample blanked out; x: [n, bands, frames] or [n, c, bands, frames].
/// A mask is 0 to `width` wide, both uniform, as is its place. Park et al.: SpecAugment, Interspeech 2019,
/// without time warping. Throws ValueError for a negative width or number, or more than 10,000 masks.
autograd::Tensor mask_spectrogram(const autograd::Tensor& x, MaskOptions options = {},
                                  autograd::Generator& generator = autograd::default_generator());

}  // namespace nn
