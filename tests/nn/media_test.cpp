// SPDX-License-Identifier: Apache-2.0
// Readers of PNG, JPEG, WAV: values, messages, hostile files, the real data.
#include <cmath>
#include <cstring>

#include "files_support.hpp"

namespace {

using namespace std::string_literals;
using nn_test::attack;
using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::Folder;
using nn_test::golden;
using nn_test::slurp;
using nn_test::spill;

TEST(Image, Png) {
  const Folder folder;
  const std::string path = folder / "a.png";
  const ag::Tensor color = ag::reshape(ag::arange(36), {3, 4, 3}) / 255.0;
  SKIP_WITHOUT_LIBRARY(nn::write_png(path, color));
  EXPECT_TRUE(ag::allclose(nn::read_image(path), color, 0, 1e-7));
  const ag::Tensor gray = nn::read_image(path, {.channels = 1});
  EXPECT_EQ(gray.shape(), (ag::Shape{1, 4, 3}));
  EXPECT_NEAR(gray.at({0, 0, 0}) * 255, std::round(0.587 * 12 + 0.114 * 24), 1e-4);
  EXPECT_EQ(nn::read_image(path, {.channels = 4}).at({3, 1, 1}), 1);
  nn::write_png(path, ag::tensor({{-1.0, 0.5, 2.0, NAN}}));
  expect_values(nn::read_image(path), {0, 128 / 255.0, 1, 0}, 1e-7);
  EXPECT_EQ(nn::read_image(path, {.channels = 3}).shape(), (ag::Shape{3, 1, 4}));
  expect_message<ag::ShapeError>(
      "write_png: not a picture: [2, 4, 3]; need [height, width] or [1, 3 or 4, height, width], "
      "not empty",
      [&] {
        nn::write_png(path, ag::zeros({2, 4, 3}));
      });
  EXPECT_THROW(nn::read_image(path, {.channels = 2}), ag::ValueError);
  nn::write_png(path, color);
  EXPECT_EQ(attack(slurp(path), 2000, [](const std::string& p) { nn::read_image(p); }), 0);
  spill(path, "GIF89a");
  expect_message<ag::IoError>("read_image: not a picture: '" + path + "'; need a PNG or JPEG file",
                              [&] { nn::read_image(path); });
}

/// A chunk; its checksum is the polynomial division of ISO 3309.
std::string chunk(const std::string& kind, const std::string& data) {
  std::uint32_t sum = 0xFFFFFFFF;
  for (const char c : kind + data) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0xEDB88320u : 0u);
  }
  const auto big_endian = [](std::uint32_t x) {
    return std::string{static_cast<char>(x >> 24), static_cast<char>(x >> 16 & 255),
                       static_cast<char>(x >> 8 & 255), static_cast<char>(x & 255)};
  };
  return big_endian(static_cast<std::uint32_t>(data.size())) + kind + data + big_endian(~sum);
}

/// A PNG of these rows (each with its filter's byte) in one stored block of deflate; `more` are chunks
/// before the samples.
std::string png(unsigned char width, unsigned char height, char depth, char color,
                const std::string& rows, const std::string& more = "") {
  std::uint32_t a = 1, b = 0;  // Adler-32
  for (const char c : rows) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto n = static_cast<unsigned char>(rows.size());
  const auto low = [](std::uint32_t x) { return static_cast<char>(x & 255); };
  const std::string stream = "\x78\x01\x01"s + low(n) + '\0' + low(~std::uint32_t{n}) + '\xFF' +
                             rows + low(b >> 8) + low(b) + low(a >> 8) + low(a);
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR",
               "\0\0\0"s + low(width) + "\0\0\0"s + low(height) + depth + color + "\0\0\0"s) +
         more + chunk("IDAT", stream) + chunk("IEND", "");
}

// The simplified interface of libpng takes 16-bit samples for linear light and obeys gAMA.
TEST(Image, PngGivesTheStoredSamples) {
  const Folder folder;
  const std::string path = folder / "a.png";
  const auto expect = [&](const std::string& bytes, std::vector<double> bytes_of_samples) {
    spill(path, bytes);
    for (double& value : bytes_of_samples) value /= 255;
    expect_values(nn::read_image(path, {.channels = bytes_of_samples.size() == 4 ? 4 : 0}),
                  bytes_of_samples, 1e-7);
  };
  spill(path, png(1, 1, 8, 0, "\0\x80"s));
  SKIP_WITHOUT_LIBRARY(nn::read_image(path));
  expect(png(3, 1, 16, 0, "\0\x12\xFF\x80\x00\xFF\xFF"s), {0x12, 0x80, 0xFF});
  expect(png(1, 1, 16, 2, "\0\x01\x02\x40\x50\xFE\xDC"s), {0x01, 0x40, 0xFE});
  expect(png(1, 1, 16, 6, "\0\x01\x02\x40\x50\xFE\xDC\x20\x00"s), {0x01, 0x40, 0xFE, 0x20});
  const std::string linear = chunk("gAMA", "\0\1\x86\xA0"s);
  expect(png(3, 1, 8, 0, "\0\x12\x80\xFE"s, linear), {0x12, 0x80, 0xFE});
  expect(png(1, 1, 8, 2, "\0\x01\x40\xFE"s, linear), {0x01, 0x40, 0xFE});
  expect(png(3, 1, 16, 0, "\0\x12\xFF\x80\x00\xFF\xFF"s, linear), {0x12, 0x80, 0xFF});
  expect(png(3, 1, 2, 0, "\0\x6C"s), {85, 170, 255});
  expect(png(1, 1, 1, 3, "\0\x80"s, chunk("PLTE", "\1\2\3\x10\x20\x30")), {16, 32, 48});
  expect(png(1, 1, 1, 3, "\0\x80"s, chunk("PLTE", "\1\2\3\x10\x20\x30") + chunk("tRNS", "\5\6")),
         {16, 32, 48, 6});
}

TEST(Image, PngRefuses) {
  const Folder folder;
  const std::string path = folder / "a.png", whole = png(2, 1, 8, 0, "\0\1\2"s);
  spill(path, whole);
  SKIP_WITHOUT_LIBRARY(nn::read_image(path));
  const auto refuses = [&](const std::string& bytes, const std::string& what) {
    spill(path, bytes);
    expect_message<ag::IoError>("read_image: " + what, [&] { nn::read_image(path); });
  };
  const std::string at = ": '" + path + "'";
  for (std::size_t cut = 1; cut <= 12; ++cut) {  // IEND
    refuses(whole.substr(0, whole.size() - cut),
            "the picture is damaged" + at + ": it is cut off; need an intact PNG file");
  }
  std::string wide = whole.substr(0, 8) + chunk("IHDR", "\0\1\0\0\0\1\0\0\x8\0\0\0\0"s);
  wide += whole.substr(33);
  refuses(wide, "the header lies about sizes" + at + ", 65536 x 65536 pixels in " +
                    std::to_string(wide.size()) + " bytes; need at most 1032 bytes of rows a byte");
}

TEST(Image, Jpeg) {
  SKIP_WITHOUT_LIBRARY(nn::read_image(golden("picture.jpg")));
  const ag::Tensor picture = nn::read_image(golden("picture.jpg"));
  EXPECT_EQ(picture.shape(), (ag::Shape{3, 16, 24}));
  for (std::int64_t k = 0; k < 3; ++k) {
    for (std::int64_t c = 0; c < 3; ++c) EXPECT_NEAR(picture.at({c, 8, 8 * k + 4}), c == k, 0.02);
  }
  const auto load = [](const std::string& p) { nn::read_image(p); };
  EXPECT_LE(attack(slurp(golden("picture.jpg")), 2000, load), 2);
}

TEST(Wav, RoundTrip) {
  const Folder folder;
  const std::string path = folder / "a.wav";
  const ag::Tensor x = ag::tensor({{0.5, -1.0, 2.0}, {0.25, NAN, -0.125}});
  nn::write_wav(path, {x, 8000});
  SKIP_WITHOUT_LIBRARY(nn::read_wav(path));
  const nn::Audio back = nn::read_wav(path);
  EXPECT_EQ(back.sample_rate, 8000);
  expect_values(back.samples, {0.5, -1, 32767 / 32768.0, 0.25, 0, -0.125});
  EXPECT_EQ(attack(slurp(path), 5000, [](const std::string& p) { nn::read_wav(p); }), 0);
  EXPECT_THROW(nn::write_wav(path, {ag::ones({2, 2, 2}), 8000}), ag::ShapeError);
  EXPECT_THROW(nn::write_wav(path, {ag::ones({2}), 0}), ag::ValueError);
}

TEST(Wav, RefusesNoChannelsAndNoRate) {
  const Folder folder;
  const std::string path = folder / "a.wav";
  nn::write_wav(path, {ag::zeros({1, 4}), 8000});
  SKIP_WITHOUT_LIBRARY(nn::read_wav(path));
  const std::string good = slurp(path);
  const auto refuses = [&](std::size_t at, const std::string& bytes, const std::string& what) {
    spill(path, std::string(good).replace(at, bytes.size(), bytes));
    expect_message<ag::IoError>("read_wav: the header is malformed: '" + path + "', " + what +
                                    "; need one channel or more, 1 to 2147483647 Hz",
                                [&] { nn::read_wav(path); });
  };
  refuses(24, "\0\0\0\0"s, "1 channels at 0 Hz");
  refuses(24, "\xff\xff\xff\xff", "1 channels at 4294967295 Hz");
  refuses(22, "\0\0"s, "0 channels at 8000 Hz");
}

TEST(Wav, DigitsOfTheRealData) {
  const std::string root = nn_test::real_data("fsdd");
  if (root.empty()) GTEST_SKIP() << "no real data; set AUTOGRAD_DATA to its folder";
  SKIP_WITHOUT_LIBRARY(nn::read_wav(root + "/recordings/0_jackson_0.wav"));
  int count = 0;
  for (const auto& entry : nn_test::fs::directory_iterator(root + "/recordings")) {
    if (++count % 30 != 0) continue;
    const nn::Audio audio = nn::read_wav(entry.path().string());
    EXPECT_EQ(audio.sample_rate, 8000);
    EXPECT_EQ(audio.samples.size(0), 1);
    EXPECT_GT(audio.samples.size(1), 500);
  }
  EXPECT_EQ(count, 3000);
}

}  // namespace
