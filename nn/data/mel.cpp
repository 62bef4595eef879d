// SPDX-License-Identifier: Apache-2.0
// Two real frames a and b share one complex transform z = a + ib: with Z its spectrum,
//   A[k] = (Z[k] + conj Z[n-k]) / 2,  B[k] = (Z[k] - conj Z[n-k]) / 2i.
#include "mel.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>

namespace nn {

using autograd::ShapeError;
using autograd::Tensor;
using Complex = std::complex<double>;

namespace {

constexpr double kLogStep = 0.06875177742094912;  // ln(6.4) / 27, Slaney's Auditory Toolbox

double to_mel(double hz, MelScale scale) {
  if (scale == MelScale::htk) return 2595 * std::log10(1 + hz / 700);
  return hz < 1000 ? hz * 3 / 200 : 15 + std::log(hz / 1000) / kLogStep;
}
double to_hz(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700 * (std::pow(10, mel / 2595) - 1);
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp(kLogStep * (mel - 15));
}

Tensor triangles(const MelOptions& o) {
  const std::int64_t bins = o.n_fft / 2 + 1;
  const double low = to_mel(o.f_min, o.mel_scale), high = to_mel(o.f_max, o.mel_scale);
  std::vector<double> hz;  // the corners: band j rises from j to j + 1 and falls to j + 2
  for (std::int64_t j = 0; j < o.n_mels + 2; ++j) {
    hz.push_back(
        to_hz(low + (high - low) * static_cast<double>(j) / static_cast<double>(o.n_mels + 1),
              o.mel_scale));
  }
  std::vector<double> values;
  for (std::int64_t k = 0; k < bins; ++k) {
    // torchaudio's linspace(0, sample_rate // 2, bins)
    const double f = static_cast<double>(o.sample_rate / 2) * static_cast<double>(k) /
                     static_cast<double>(bins - 1);
    for (std::size_t j = 0; j + 2 < hz.size(); ++j) {
      const double rise = (f - hz[j]) / (hz[j + 1] - hz[j]);
      const double fall = (hz[j + 2] - f) / (hz[j + 2] - hz[j + 1]);
      const double height = o.slaney_norm ? 2 / (hz[j + 2] - hz[j]) : 1;
      values.push_back(height * std::max(0.0, std::min(rise, fall)));
    }
  }
  return autograd::tensor(values, {bins, o.n_mels});
}

MelOptions checked(MelOptions o) {
  if (o.win_length == 0) o.win_length = o.n_fft;
  if (o.hop_length == 0) o.hop_length = std::max<std::int64_t>(o.win_length / 2, 1);
  if (o.f_max == 0) o.f_max = static_cast<double>(o.sample_rate) / 2;
  const auto require = [](bool ok, const char* what, double value, const char* need) {
    if (ok) return;
    throw autograd::ValueError(std::string("MelSpectrogram: ") + what + " out of range: " +
                               autograd::detail::text(value) + "; need " + need);
  };
  const auto as = [](std::int64_t value) { return static_cast<double>(value); };
  require(o.sample_rate >= 1 && o.sample_rate <= 10'000'000, "sample_rate", as(o.sample_rate),
          "1 to 10,000,000 Hz");
  require(o.n_fft >= 2 && o.n_fft <= 1 << 20 && (o.n_fft & (o.n_fft - 1)) == 0, "n_fft",
          as(o.n_fft), "a power of two from 2 to 2^20");
  require(o.win_length >= 1 && o.win_length <= o.n_fft, "win_length", as(o.win_length),
          "1 <= win_length <= n_fft");
  require(o.hop_length >= 1, "hop_length", as(o.hop_length), "hop_length >= 1");
  require(o.n_mels >= 1 && o.n_mels <= 4096, "n_mels", as(o.n_mels), "1 <= n_mels <= 4096");
  require(o.f_min >= 0 && std::isfinite(o.f_min), "f_min", o.f_min, "0 <= f_min < f_max");
  require(o.f_max > o.f_min, "f_max", o.f_max, "0 <= f_min < f_max");
  require(2 * o.f_max <= as(o.sample_rate), "f_max", o.f_max,
          "f_max <= sample_rate / 2, the highest there is");
  return o;
}

/// In place, decimation in time. cosine, sine: of 2 pi k / n for k < n / 2.
void transform(std::vector<Complex>& z, const std::vector<double>& cosine,
               const std::vector<double>& sine) {
  const std::size_t n = z.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {  // bit reversal, j counting with reversed bits
    std::size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(z[i], z[j]);
  }
  for (std::size_t half = 1; half < n; half *= 2) {
    const std::size_t stride = n / (2 * half);
    for (std::size_t start = 0; start < n; start += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const double c = cosine[k * stride], s = sine[k * stride];
        Complex& low = z[start + k];
        Complex& high = z[start + k + half];
        const Complex turned(high.real() * c + high.imag() * s, high.imag() * c - high.real() * s);
        high = low - turned;
        low += turned;
      }
    }
  }
}

Tensor rows_of(const Tensor& x, std::int64_t n_fft) {
  if (x.dim() < 1 || x.dim() > 2 || x.size(-1) < n_fft / 2 + 1) {
    throw ShapeError("MelSpectrogram: not a sound it can take: " + to_string(x.shape()) +
                     "; need [samples] or [channels, samples], at least " +
                     std::to_string(n_fft / 2 + 1) + " samples");
  }
  autograd::dispatch_floating("MelSpectrogram", x.dtype(), [](auto) {});
  const Tensor rows = autograd::to(autograd::detach(x), autograd::float64);
  return autograd::contiguous(x.dim() == 2 ? rows : autograd::reshape(rows, {1, x.size(0)}));
}

}  // namespace

MelSpectrogram::MelSpectrogram(MelOptions options)
    : options_(checked(options)),
      window_(static_cast<std::size_t>(options_.n_fft)),
      filters_(triangles(options_)) {
  const double pi = std::numbers::pi;
  const std::int64_t n = options_.n_fft, length = options_.win_length;
  for (std::int64_t i = 0; i < length; ++i) {  // periodic Hann, centered
    window_[static_cast<std::size_t>((n - length) / 2 + i)] =
        0.5 - 0.5 * std::cos(2 * pi * static_cast<double>(i) / static_cast<double>(length));
  }
  for (std::int64_t k = 0; k < n / 2; ++k) {
    cosine_.push_back(std::cos(2 * pi * static_cast<double>(k) / static_cast<double>(n)));
    sine_.push_back(std::sin(2 * pi * static_cast<double>(k) / static_cast<double>(n)));
  }
}

Tensor MelSpectrogram::spectrogram(const Tensor& x) const {
  const Tensor rows = rows_of(x, options_.n_fft);
  const std::int64_t channels = rows.size(0), samples = rows.size(1), n = options_.n_fft;
  const std::int64_t frames = 1 + samples / options_.hop_length, bins = n / 2 + 1;
  Tensor power = autograd::empty({channels, bins, frames}, autograd::float64);
  double* to = power.mutable_data<double>().data();
  std::vector<Complex> z(static_cast<std::size_t>(n));
  for (std::int64_t c = 0; c < channels; ++c, to += bins * frames) {
    const double* row = rows.data<double>().data() + c * samples;
    const auto sample = [&](std::int64_t frame, std::int64_t i) {
      std::int64_t at = frame * options_.hop_length + i - n / 2;
      if (at < 0) at = -at;
      if (at >= samples) at = 2 * (samples - 1) - at;
      return row[at] * window_[static_cast<std::size_t>(i)];
    };
    for (std::int64_t t = 0; t < frames; t += 2) {
      const bool pair = t + 1 < frames;
      for (std::int64_t i = 0; i < n; ++i) {
        z[static_cast<std::size_t>(i)] = {sample(t, i), pair ? sample(t + 1, i) : 0.0};
      }
      transform(z, cosine_, sine_);
      for (std::int64_t k = 0; k < bins; ++k) {
        const Complex p = z[static_cast<std::size_t>(k)];
        const Complex q = std::conj(z[static_cast<std::size_t>((n - k) % n)]);
        to[k * frames + t] = std::norm(p + q) / 4;
        if (pair) to[k * frames + t + 1] = std::norm(p - q) / 4;
      }
    }
  }
  if (x.dim() == 1) power = autograd::reshape(power, {bins, frames});
  return autograd::detach(autograd::to(power, x.dtype()));
}

Tensor MelSpectrogram::operator()(const Tensor& x) const {
  const Tensor power = autograd::to(
      spectrogram(autograd::to(autograd::detach(x), autograd::float64)), autograd::float64);
  const Tensor bands = autograd::matmul(autograd::transpose(filters_), power);
  return autograd::detach(autograd::to(bands, x.dtype()));
}

Tensor power_to_decibel(const Tensor& x, DecibelOptions options) {
  if (!(options.floor > 0) || !(options.top >= 0)) {
    throw autograd::ValueError("power_to_decibel: out of range: floor " +
                               autograd::detail::text(options.floor) + ", top " +
                               autograd::detail::text(options.top) + "; need floor > 0, top >= 0");
  }
  const Tensor values = autograd::contiguous(autograd::detach(x));
  Tensor y = autograd::empty(values.shape(), values.dtype());
  autograd::dispatch_floating("power_to_decibel", values.dtype(), [&]<class T>(T) {
    const auto from = values.data<T>();
    const auto to = y.mutable_data<T>();
    T largest = -std::numeric_limits<T>::infinity();
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i] = T(10) * std::log10(std::max(from[i], T(options.floor)));
      largest = std::max(largest, to[i]);
    }
    if (options.top > 0) {
      for (T& value : to) value = std::max(value, largest - T(options.top));
    }
  });
  return y;
}

}  // namespace nn
