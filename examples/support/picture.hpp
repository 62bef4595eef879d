// SPDX-License-Identifier: Apache-2.0
// The picture that the example xor writes: the loss curve on the left, the decision map on the right.
#pragma once

#include <cmath>
#include <cstdio>
#include <span>
#include <string>

#include "image.hpp"
#include "plot.hpp"

namespace support {

constexpr int kPanel = 300;  // pixels a side of the area that each chart fills
constexpr int kMargin = 60;  // around it, for frame and labels
constexpr Color kBlue{38, 84, 164}, kLight{250, 246, 235}, kDark{196, 92, 60};

/// `share` of the way from a to b.
inline Color mix(const Color& a, const Color& b, double share) {
  Color color{};
  for (int i = 0; i < 3; ++i) {
    color[i] = static_cast<std::uint8_t>(std::lround(a[i] + share * (b[i] - a[i])));
  }
  return color;
}

/// The values as a curve, logarithmic upwards, with decades as gray lines, in the panel at (x, y).
inline void draw_curve(Image& image, int x, int y, std::span<const double> values) {
  const auto [low, high] = log_range(values);
  const auto row = [&](double share) { return y + static_cast<int>((1 - share) * (kPanel - 1)); };
  for (int decade = static_cast<int>(std::ceil(low)); decade <= high; ++decade) {
    const int line = row((decade - low) / (high - low));
    image.rectangle(x, line, kPanel, 1, kGray);
    image.text(x - 46, line - 5, "1E" + std::to_string(decade));
  }
  int column = x;
  for (const auto& [bottom, top] : log_curve(values, kPanel)) {
    if (bottom <= top) image.rectangle(column, row(top) - 1, 1, row(bottom) - row(top) + 2, kBlue);
    ++column;
  }
  image.frame(x, y, kPanel, kPanel, kBlack);
  image.text(x, y - 20, "LOSS");
  image.text(x + kPanel - 8 * static_cast<int>(std::to_string(values.size()).size()),
             y + kPanel + 10, std::to_string(values.size()));
  image.text(x, y + kPanel + 10, "1");
  image.text(x + kPanel / 2 - 20, y + kPanel + 10, "EPOCH");
}

/// A grid of kPanel by kPanel predictions from 0 (light) to 1 (dark), its 0.5 line in black, and
/// the markers as disks, in the panel at (x, y).
inline void draw_map(Image& image, int x, int y, const Grid& grid,
                     std::span<const Marker> markers) {
  for (int r = 0; r < grid.height; ++r) {
    for (int c = 0; c < grid.width; ++c) {
      const double share = std::isfinite(grid.at(r, c)) ? grid.at(r, c) : 0.5;
      image.set(x + c, y + r, grid.crosses(r, c, 0.5f) ? kBlack : mix(kLight, kDark, share));
    }
  }
  for (const Marker& marker : markers) {
    const int column = x + grid.column(marker.x1), row = y + grid.row(marker.x2);
    image.disk(column, row, 8, kBlack);
    image.disk(column, row, 6, marker.positive ? kDark : kLight);
  }
  image.frame(x, y, kPanel, kPanel, kBlack);
  for (int tick = 0; tick <= 1; ++tick) {
    image.text(x + grid.column(tick) - 3, y + kPanel + 10, std::to_string(tick));
    image.text(x - 16, y + grid.row(tick) - 5, std::to_string(tick));
  }
  image.text(x, y - 20, "PREDICTION");
  image.text(x + kPanel / 2 - 8, y + kPanel + 10, "X1");
  image.text(x - 26, y + kPanel / 2 - 5, "X2");
}

/// Both panels side by side. The grid has kPanel by kPanel values.
inline Image training_picture(std::span<const double> losses, const Grid& grid,
                              std::span<const Marker> markers) {
  Image image(2 * (kPanel + kMargin) + kMargin, kPanel + 2 * kMargin);
  draw_curve(image, kMargin, kMargin, losses);
  draw_map(image, kPanel + 2 * kMargin, kMargin, grid, markers);
  return image;
}

}  // namespace support
