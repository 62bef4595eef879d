// SPDX-License-Identifier: Apache-2.0
// Transforms of pictures, masks, mel spectrograms against torchaudio's.
#include <cmath>
#include <sstream>

#include "files_support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::expect_values;

TEST(Transforms, Normalize) {
  const ag::Tensor x = ag::reshape(ag::arange(8), {2, 2, 2});
  expect_values(nn::normalize(x, {1, 2}, {2, 4}), {-0.5, 0, 0.5, 1, 0.5, 0.75, 1, 1.25});
  EXPECT_THROW(nn::normalize(x, {1}, {1}), ag::ValueError);
  EXPECT_THROW(nn::normalize(x, {1, 1}, {1, 0}), ag::ValueError);
}

TEST(Transforms, Shift) {
  ag::Generator generator(1);
  const ag::Tensor x = ag::ones({200, 2, 3, 4}) + ag::reshape(ag::arange(12), {3, 4});
  const ag::Tensor y = nn::random_shift(x, 2, generator);
  EXPECT_EQ(y.shape(), x.shape());
  bool seen[5][5] = {};
  for (std::int64_t i = 0; i < 200; ++i) {
    int matches = 0;
    for (std::int64_t dr = -2; dr <= 2; ++dr) {
      for (std::int64_t dc = -2; dc <= 2; ++dc) {
        bool same = true;
        for (std::int64_t r = 0; r < 3; ++r) {
          for (std::int64_t c = 0; c < 4; ++c) {
            const bool inside = r + dr >= 0 && r + dr < 3 && c + dc >= 0 && c + dc < 4;
            const double want = inside ? x.at({i, 0, r + dr, c + dc}) : 0;
            same = same && y.at({i, 0, r, c}) == want && y.at({i, 1, r, c}) == want;
          }
        }
        if (same) seen[dr + 2][dc + 2] = true;
        matches += same;
      }
    }
    EXPECT_EQ(matches, 1) << i;
  }
  for (const auto& row : seen) {
    for (const bool one : row) EXPECT_TRUE(one);
  }
}

TEST(Transforms, CropAndFlip) {
  ag::Generator generator(1);
  const ag::Tensor x = ag::randn({5, 3, 6, 7}, generator, ag::float64);
  EXPECT_EQ(nn::random_crop(x, 4, 5, {}, generator).shape(), (ag::Shape{5, 3, 4, 5}));
  EXPECT_EQ(nn::random_crop(x, 8, 9, {.padding = 1}, generator).shape(), (ag::Shape{5, 3, 8, 9}));
  EXPECT_TRUE(ag::equal(nn::random_horizontal_flip(x, 1.0, generator), ag::flip(x, {3})));
  EXPECT_TRUE(ag::equal(nn::random_horizontal_flip(x, 0.0, generator), x));
  expect_message<ag::ValueError>(
      "random_crop: out of range: 7 x 7 of [5, 3, 6, 7] padded by 0; need a window inside of the "
      "padded picture, padding >= 0",
      [&] { nn::random_crop(x, 7, 7, {}, generator); });
  expect_message<ag::ShapeError>("random_shift: number of axes: x is [2, 2]; need 4 to 4 axes",
                                 [&] {
                                   nn::random_shift(ag::ones({2, 2}), 1, generator);
                                 });
  EXPECT_THROW(nn::random_horizontal_flip(x, 1.5, generator), ag::ValueError);
}

TEST(Transforms, Masks) {
  ag::Generator generator(1);
  const ag::Tensor x = ag::ones({100, 10, 20});
  const ag::Tensor y = nn::mask_spectrogram(x, {.frequency_width = 3, .time_width = 5}, generator);
  double most = 0, total = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    double bands = 0, frames = 0;
    for (std::int64_t r = 0; r < 10; ++r) bands += ag::sum(y(i, r)).item() == 0;
    for (std::int64_t t = 0; t < 20; ++t) frames += ag::sum(y(i, ag::slice(), t)).item() == 0;
    EXPECT_LE(bands, 3);
    EXPECT_LE(frames, 5);
    EXPECT_EQ(ag::sum(y(i)).item(), (10 - bands) * (20 - frames));
    most = std::max(most, bands);
    total += frames;
  }
  EXPECT_EQ(most, 3);
  EXPECT_NEAR(total / 100, 2.5, 0.6);
  EXPECT_THROW(nn::mask_spectrogram(x, {.time_masks = -1}, generator), ag::ValueError);
  EXPECT_THROW(nn::mask_spectrogram(x, {.time_width = -1}, generator), ag::ValueError);
  expect_message<ag::ValueError>(
      "mask_spectrogram: out of range: 1 frequency masks, 9223372036854775807 time masks; need 0 "
      "to 10,000 of each",
      [&] { nn::mask_spectrogram(x, {.time_masks = INT64_MAX}, generator); });
}

ag::Tensor sound(ag::DType dtype) {
  std::vector<double> values;
  for (int i = 0; i < 700; ++i)
    values.push_back(std::sin(0.05 * i) + 0.5 * std::sin(0.4 * i + 0.0002 * i * i));
  return ag::to(ag::tensor(values), dtype);
}

std::vector<double> reference(const std::string& name) {
  std::istringstream file(nn_test::slurp(nn_test::golden("mel.txt")));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, shape;
    words >> first >> shape;
    if (first != name) continue;
    std::vector<double> values;
    for (double value = 0; words >> value;) values.push_back(value);
    return values;
  }
  return {};
}

/// Errors are measured by the largest value: the FFT's are those of the whole frame.
void expect_close(const ag::Tensor& got, const std::string& name, double tolerance) {
  const std::vector<double> have = nn_test::values(got), want = reference(name);
  ASSERT_EQ(have.size(), want.size());
  const double scale = *std::max_element(want.begin(), want.end());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(have[i], want[i], tolerance * scale);
}

TEST(Mel, AsTorchaudio) {
  const nn::MelSpectrogram htk({.sample_rate = 8000, .n_fft = 256, .n_mels = 12});
  const nn::MelSpectrogram window({.sample_rate = 8000,
                                   .n_fft = 128,
                                   .win_length = 100,
                                   .hop_length = 64,
                                   .n_mels = 8,
                                   .f_min = 100,
                                   .f_max = 3000});
  const nn::MelSpectrogram slaney({.n_fft = 256,
                                   .hop_length = 200,
                                   .n_mels = 10,
                                   .mel_scale = nn::MelScale::slaney,
                                   .slaney_norm = true});
  expect_close(htk(sound(ag::float64)), "htk", 1e-12);
  expect_close(window(sound(ag::float64)), "window", 1e-12);
  expect_close(slaney(sound(ag::float64)), "slaney", 1e-12);
  expect_close(htk(sound(ag::float32)), "htk", 1e-7);
  EXPECT_EQ(htk(sound(ag::float32)).shape(), (ag::Shape{12, 6}));
  const ag::Tensor one = sound(ag::float32);
  ag::Tensor two = ag::empty({2, 700});
  ag::copy_(two, one);
  EXPECT_TRUE(ag::equal(htk(two)(1), htk(one)));
}

TEST(Mel, PureToneAndRefusals) {
  std::vector<double> values;
  for (int i = 0; i < 4096; ++i) values.push_back(std::cos(2 * M_PI * 32 * i / 256.0));
  const ag::Tensor power = nn::MelSpectrogram({.n_fft = 256}).spectrogram(ag::tensor(values));
  EXPECT_NEAR(power.at({32, 8}), 64.0 * 64.0, 1e-8);  // half of the window's sum, squared
  EXPECT_NEAR(power.at({40, 8}), 0, 1e-18);
  expect_message<ag::ValueError>(
      "MelSpectrogram: n_fft out of range: 400; need a power of two from 2 to 2^20",
      [] { nn::MelSpectrogram({.n_fft = 400}); });
  EXPECT_THROW(nn::MelSpectrogram({.f_min = 9000}), ag::ValueError);
  EXPECT_NO_THROW(nn::MelSpectrogram({.sample_rate = 8000, .f_max = 4000}));
  expect_message<ag::ValueError>(
      "MelSpectrogram: f_max out of range: 9000; need f_max <= sample_rate / 2, the highest there "
      "is",
      [] { nn::MelSpectrogram({.sample_rate = 8000, .f_max = 9000}); });
  expect_message<ag::ShapeError>(
      "MelSpectrogram: not a sound it can take: [100]; need [samples] or [channels, samples], at "
      "least 257 samples",
      [] { nn::MelSpectrogram()(ag::ones({100})); });
  expect_values(nn::power_to_decibel(ag::tensor({1.0, 100.0, 0.0})), {0, 20, -60}, 1e-6);
  expect_values(nn::power_to_decibel(ag::tensor({1.0, 0.0}), {.top = 0}), {0, -100}, 1e-6);
}

}  // namespace
