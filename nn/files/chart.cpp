// SPDX-License-Identifier: Apache-2.0
// A canvas of pixels with rectangles, lines and a font of 3 x 5 dots: all that these charts need.
#include "chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "file.hpp"
#include "image.hpp"

namespace nn {

using autograd::ShapeError;
using autograd::Tensor;
using autograd::ValueError;

namespace {

using Color = std::array<unsigned char, 3>;
constexpr Color kBlack{0, 0, 0}, kGray{205, 205, 205}, kWhite{255, 255, 255};
// Okabe and Ito's palette, told apart by the color-blind too.
constexpr Color kColors[] = {{0, 114, 178}, {213, 94, 0},   {0, 158, 115}, {204, 121, 167},
                             {230, 159, 0}, {86, 180, 233}, {0, 0, 0},     {150, 140, 20}};

class Canvas {
 public:
  Canvas(int width, int height) : width_(width), height_(height) {
    bytes_.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, '\xff');
  }

  void rectangle(int x, int y, int width, int height, const Color& color) {
    for (int j = std::max(y, 0); j < std::min(y + height, height_); ++j) {
      for (int i = std::max(x, 0); i < std::min(x + width, width_); ++i) {
        std::memcpy(&bytes_[(static_cast<std::size_t>(j) * static_cast<std::size_t>(width_) +
                             static_cast<std::size_t>(i)) *
                            3],
                    color.data(), 3);
      }
    }
  }
  void frame(int x, int y, int width, int height) {
    rectangle(x - 1, y - 1, width + 2, 1, kBlack);
    rectangle(x - 1, y + height, width + 2, 1, kBlack);
    rectangle(x - 1, y, 1, height, kBlack);
    rectangle(x + width, y, 1, height, kBlack);
  }
  void line(double x0, double y0, double x1, double y1, const Color& color) {
    const int steps = 1 + static_cast<int>(std::max(std::abs(x1 - x0), std::abs(y1 - y0)));
    for (int i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps;
      rectangle(static_cast<int>(x0 + share * (x1 - x0)), static_cast<int>(y0 + share * (y1 - y0)),
                2, 2, color);
    }
  }
  void text(int x, int y, const std::string& words, const Color& color = kBlack) {
    for (const char letter : words) {
      const unsigned dots = glyph(letter);
      for (int bit = 0; bit < 15; ++bit) {
        if (dots >> (14 - bit) & 1) rectangle(x + bit % 3 * 2, y + bit / 3 * 2, 2, 2, color);
      }
      x += kLetter;
    }
  }
  static int width_of(const std::string& words) { return kLetter * static_cast<int>(words.size()); }

  void write(const std::string& path, const char* function) const {
    const std::string png = detail::encode_png({function, path}, {width_, height_, 3, bytes_});
    detail::OutputFile file(function, path);
    file.write(png);
    file.commit();
  }

 private:
  static constexpr int kLetter = 8;  // pixels: three dots of two and a gap

  /// 3 x 5 dots, row by row, the first in bit 14: an octal digit is a row.
  static unsigned glyph(char letter) {
    constexpr const char* kLetters = "0123456789-.+_/:ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    constexpr std::array<unsigned, 42> kDots{
        075557, 026227, 071747, 071717, 055711, 074717, 074757, 071111, 075757, 075717, 000700,
        000002, 002720, 000007, 011244, 002020, 025755, 065656, 034443, 065556, 074747, 074744,
        034553, 055755, 072227, 011152, 055655, 044447, 057755, 065555, 025552, 075744, 025563,
        065655, 034216, 072222, 055557, 055552, 055775, 055255, 055222, 071247};
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 32);
    const char* found = letter ? std::strchr(kLetters, letter) : nullptr;
    return found ? kDots[static_cast<std::size_t>(found - kLetters)] : 0;
  }

  int width_, height_;
  std::string bytes_;
};

std::string number_text(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;

  bool has(double v) const { return std::isfinite(v) && (!logarithmic || v > 0); }
  double share(double v) const { return ((logarithmic ? std::log10(v) : v) - low) / (high - low); }
  double value(double s) const {
    const double v = low + s * (high - low);
    return logarithmic ? std::pow(10, v) : v;
  }
};

Axis axis_of(const std::vector<Curve>& curves, bool logarithmic) {
  Axis axis{INFINITY, -INFINITY, logarithmic};
  for (const Curve& curve : curves) {
    for (const double v : curve.values) {
      if (!axis.has(v)) continue;
      const double at = logarithmic ? std::log10(v) : v;
      axis.low = std::min(axis.low, at);
      axis.high = std::max(axis.high, at);
    }
  }
  if (axis.low > axis.high) axis = {0, 1, logarithmic};
  const double room = std::max({(axis.high - axis.low) / 20, std::abs(axis.high) * 1e-6, 1e-300});
  return {axis.low - room, axis.high + room, logarithmic};
}

constexpr int kLeft = 90, kTop = 40, kWide = 640, kHigh = 360;

void draw_curve(Canvas& canvas, const Curve& curve, const Axis& axis, const Color& color) {
  const double last = static_cast<double>(std::max<std::size_t>(curve.values.size(), 2) - 1);
  double x0 = 0, y0 = 0;
  bool joined = false;
  for (std::size_t i = 0; i < curve.values.size(); ++i) {
    const double v = curve.values[i];
    const bool here = axis.has(v);
    const double x = kLeft + (kWide - 2) * static_cast<double>(i) / last;
    const double y = here ? kTop + (kHigh - 2) * (1 - axis.share(v)) : 0;
    if (here) canvas.line(joined ? x0 : x, joined ? y0 : y, x, y, color);
    joined = here;
    x0 = x;
    y0 = y;
  }
}

}  // namespace

void write_curves(const std::string& path, const std::vector<Curve>& curves,
                  const ChartOptions& options) {
  if (curves.empty() || curves.size() > std::size(kColors)) {
    throw ValueError("write_curves: number of curves: " + std::to_string(curves.size()) +
                     "; need 1 to 8");
  }
  Canvas canvas(kLeft + kWide + 30, kTop + kHigh + 60);
  const Axis axis = axis_of(curves, options.logarithmic);
  for (int tick = 0; tick <= 4; ++tick) {
    const int y = kTop + (kHigh - 1) * (4 - tick) / 4;
    canvas.rectangle(kLeft, y, kWide, 1, kGray);
    const std::string label = number_text(axis.value(tick / 4.0));
    canvas.text(kLeft - 8 - Canvas::width_of(label), y - 5, label);
  }
  std::size_t longest = 0;
  int legend = kLeft;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    draw_curve(canvas, curves[k], axis, kColors[k]);
    longest = std::max(longest, curves[k].values.size());
    canvas.text(legend, kTop + kHigh + 34, curves[k].name, kColors[k]);
    legend += Canvas::width_of(curves[k].name) + 24;
  }
  canvas.frame(kLeft, kTop, kWide, kHigh);
  canvas.text(kLeft, 14, options.title);
  const std::string end =
      number_text(options.x_last != 0 ? options.x_last : static_cast<double>(longest));
  canvas.text(kLeft + kWide - Canvas::width_of(end), kTop + kHigh + 10, end);
  canvas.text(kLeft + (kWide - Canvas::width_of(options.x_name)) / 2, kTop + kHigh + 10,
              options.x_name);
  canvas.write(path, "write_curves");
}

namespace {

/// The counts, row by row, checked.
std::vector<double> checked_counts(const Tensor& counts, const std::vector<std::string>& names) {
  const bool square = counts.dim() == 2 && counts.size(0) == counts.size(1);
  if (!square || counts.size(0) < 1 || counts.size(0) > 512) {
    throw ShapeError("write_confusion_matrix: not a matrix of classes: " +
                     to_string(counts.shape()) + "; need [k, k] with 1 <= k <= 512");
  }
  const std::int64_t k = counts.size(0);
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != k) {
    throw ValueError("write_confusion_matrix: number of names: " + std::to_string(names.size()) +
                     "; need none or " + std::to_string(k));
  }
  std::vector<double> values = autograd::to_vector<double>(
      autograd::contiguous(autograd::to(autograd::detach(counts), autograd::float64)));
  for (const double v : values) {
    if (v >= 0 && v < 1e15) continue;
    throw ValueError("write_confusion_matrix: not a count: " + autograd::detail::text(v) +
                     "; need 0 <= count < 10^15");
  }
  return values;
}

struct Matrix {
  int k, cell, left, top;
  bool numbers;
  std::vector<double> values;

  double at(int r, int c) const { return values[static_cast<std::size_t>(r * k + c)]; }
};

void draw_row(Canvas& canvas, const Matrix& m, int r) {
  double total = 0;
  for (int c = 0; c < m.k; ++c) total += m.at(r, c);
  for (int c = 0; c < m.k; ++c) {
    const double share = total > 0 ? std::sqrt(m.at(r, c) / total) : 0;  // small errors are seen
    Color color;
    for (std::size_t i = 0; i < 3; ++i) {
      color[i] = static_cast<unsigned char>(255 - share * (255 - kColors[0][i]));
    }
    const int x = m.left + c * m.cell, y = m.top + r * m.cell;
    canvas.rectangle(x, y, m.cell, m.cell, color);
    if (!m.numbers || m.at(r, c) == 0) continue;
    const std::string label = std::to_string(std::llround(m.at(r, c)));
    canvas.text(x + (m.cell - Canvas::width_of(label)) / 2, y + m.cell / 2 - 5, label,
                share > 0.6 ? kWhite : kBlack);
  }
}

}  // namespace

void write_confusion_matrix(const std::string& path, const Tensor& counts,
                            const std::vector<std::string>& names) {
  Matrix m{0, 0, 0, 50, false, checked_counts(counts, names)};
  m.k = static_cast<int>(counts.size(0));
  m.numbers = m.k <= 32;
  const double largest = *std::max_element(m.values.begin(), m.values.end());
  const auto digits = static_cast<int>(std::to_string(std::llround(largest)).size());
  m.cell = m.numbers ? std::max(32, 8 * digits + 8) : std::max(1, 768 / m.k);
  std::size_t letters = 2;
  for (const std::string& name : names) letters = std::max(letters, name.substr(0, 12).size());
  m.left = 30 + 8 * static_cast<int>(letters);
  Canvas canvas(std::max(m.left + m.k * m.cell, 300) + 30, m.top + m.k * m.cell + 30);
  canvas.text(m.left, 10, "PREDICTED - ROWS ARE THE TRUTH");
  for (int r = 0; r < m.k; ++r) {
    draw_row(canvas, m, r);
    if (!m.numbers) continue;
    const std::string name =
        names.empty() ? std::to_string(r) : names[static_cast<std::size_t>(r)].substr(0, 12);
    const int middle = m.top + r * m.cell + m.cell / 2 - 5;
    canvas.text(m.left - 10 - Canvas::width_of(name), middle, name);
    const std::string head = name.substr(0, static_cast<std::size_t>(m.cell / 8 - 1));
    canvas.text(m.left + r * m.cell + (m.cell - Canvas::width_of(head)) / 2, m.top - 18, head);
  }
  canvas.frame(m.left, m.top, m.k * m.cell, m.k * m.cell);
  canvas.write(path, "write_confusion_matrix");
}

}  // namespace nn
