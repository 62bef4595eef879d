// SPDX-License-Identifier: Apache-2.0
// Mel spectrograms. Conventions are torchaudio's MelSpectrogram (0.13): periodic Hann window, centered
// frames with reflected ends, power 2, HTK's mel scale, triangles not normalized. librosa's defaults are
// .mel_scale = MelScale::slaney, .slaney_norm = true (librosa pads with zeros since 0.10, with
// reflections before).
//
// The transform is a radix-2 FFT of our own, in float64: frames are powers of two long in practice, and
// FFTW's license would pass on to every program. Values alone: nothing is differentiated.
// Threads: computing is const; any number may share one.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/autograd.hpp>

namespace nn {

enum class MelScale : std::uint8_t { htk, slaney };

struct MelOptions {
  std::int64_t sample_rate = 16000;  ///< Hz
  std::int64_t n_fft = 512;          ///< samples of a frame; a power of two
  std::int64_t win_length = 0;       ///< samples of the window, centered in the frame; 0: n_fft
  std::int64_t hop_length = 0;       ///< samples between frames; 0: win_length / 2
  std::int64_t n_mels = 128;         ///< bands
  double f_min = 0.0;                ///< Hz
  double f_max = 0.0;                ///< Hz; 0: sample_rate / 2
  MelScale mel_scale = MelScale::htk;
  bool slaney_norm = false;  ///< triangles of area 1 (in Hz) and not of height 1
};

class MelSpectrogram {
 public:
  /// Throws ValueError for options out of range.
  explicit MelSpectrogram(MelOptions options = {});

  /// Power in each band: [samples] to [n_mels, frames], [channels, samples] to [channels, n_mels, frames];
  /// frames = 1 + samples / hop_length; float32 or float64 as x. Throws ShapeError for fewer than
  /// n_fft / 2 + 1 samples, which reflecting the ends needs.
  autograd::Tensor operator()(const autograd::Tensor& x) const;
  /// The power spectrum before the bands: [n_fft / 2 + 1, frames] or with channels in front.
  autograd::Tensor spectrogram(const autograd::Tensor& x) const;
  /// The triangles [n_fft / 2 + 1, n_mels], float64.
  const autograd::Tensor& filters() const { return filters_; }

 private:
  MelOptions options_;
  std::vector<double> window_;         // [n_fft]
  std::vector<double> cosine_, sine_;  // twiddle factors [n_fft / 2]
  autograd::Tensor filters_;
};

struct DecibelOptions {
  double floor = 1e-10;  ///< the smallest power
  double top = 80.0;     ///< decibels below the largest at which values are cut off; 0: not at all
};
/// 10 log10(max(x, floor)), at least its largest value less `top` (torchaudio.AmplitudeToDB). float32 or
/// float64, nothing recorded.
autograd::Tensor power_to_decibel(const autograd::Tensor& x, DecibelOptions options = {});

}  // namespace nn
