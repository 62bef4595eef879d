// SPDX-License-Identifier: Apache-2.0
// Pictures made of text: a line chart on a logarithmic axis and a map of a function of two variables.
// Nothing here prints; both return text whose lines end in newlines, in UTF-8. The same data as a
// picture file: image.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Values of a function on a regular grid over [low, high]^2, row 0 at the top (the largest x2).
struct Grid {
  int width = 0, height = 0;
  double low = 0, high = 1;
  std::vector<float> values;  // [height, width]

  double x1(int column) const { return low + (high - low) * (column + 0.5) / width; }
  double x2(int row) const { return high - (high - low) * (row + 0.5) / height; }
  int column(double x) const { return static_cast<int>((x - low) / (high - low) * width); }
  int row(double x) const { return static_cast<int>((high - x) / (high - low) * height); }
  float at(int r, int c) const { return values[static_cast<std::size_t>(r) * width + c]; }
  /// Whether the values cross `level` between this cell and its right or lower neighbor.
  bool crosses(int r, int c, float level) const {
    const bool here = at(r, c) > level;
    return (c + 1 < width && (at(r, c + 1) > level) != here) ||
           (r + 1 < height && (at(r + 1, c) > level) != here);
  }
};

/// A point to mark in a map, and the class it belongs to.
struct Marker {
  double x1, x2;
  bool positive;
};

/// The finite positive values' smallest and largest decimal logarithm, a little apart at least.
inline std::pair<double, double> log_range(std::span<const double> values) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double value : values) {
    if (!(value > 0) || !std::isfinite(value)) continue;
    low = std::min(low, std::log10(value));
    high = std::max(high, std::log10(value));
  }
  if (low > high) return {-1.0, 0.0};
  return {std::min(low, high - 0.01), high};
}

/// For each of `columns` columns, where the curve starts and ends in it: 0 at the bottom of the
/// range, 1 at its top. Columns without a drawable value are marked by first > second.
inline std::vector<std::pair<double, double>> log_curve(std::span<const double> values,
                                                        int columns) {
  const auto [low, high] = log_range(values);
  std::vector<std::pair<double, double>> curve;
  const std::size_t n = values.size();
  for (int c = 0; c < columns; ++c) {
    const std::size_t first = c * n / columns, end = std::max(first + 1, (c + 1) * n / columns);
    const std::size_t begin = first > 0 ? first - 1 : 0;  // joined to the column on the left
    std::pair<double, double> extent{1, 0};
    for (std::size_t i = begin; i < std::min(end, n); ++i) {
      if (!(values[i] > 0) || !std::isfinite(values[i])) continue;
      const double y = (std::log10(values[i]) - low) / (high - low);
      extent = {std::min(extent.first, y), std::max(extent.second, y)};
    }
    curve.push_back(extent);
  }
  return curve;
}

/// One character of the braille block: bit i of `dots` is its dot i + 1. UTF-8, three bytes.
inline std::string braille(unsigned dots) {
  const unsigned code = 0x2800 + dots;
  return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

/// The values from left to right as a curve, logarithmic upwards; braille characters give every
/// character cell two by four dots. `unit` names the horizontal axis.
inline std::string line_chart(std::span<const double> values, int width, int height,
                              const std::string& unit) {
  constexpr std::array<std::array<unsigned, 2>, 4> kDots{
      {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
  const int columns = 2 * width, rows = 4 * height;
  std::vector<unsigned> cells(static_cast<std::size_t>(width) * height);
  const auto row_of = [&](double y) { return static_cast<int>(std::lround((1 - y) * (rows - 1))); };
  int column = 0;
  for (const auto& [bottom, top] : log_curve(values, columns)) {
    for (int r = row_of(top); bottom <= top && r <= row_of(bottom); ++r) {
      cells[static_cast<std::size_t>(r / 4) * width + column / 2] |= kDots[r % 4][column % 2];
    }
    ++column;
  }

  const auto [low, high] = log_range(values);
  std::string text;
  for (int r = 0; r < height; ++r) {
    std::array<char, 16> label{};
    if (r == 0) std::snprintf(label.data(), label.size(), "%.1e", std::pow(10, high));
    if (r == height - 1) std::snprintf(label.data(), label.size(), "%.1e", std::pow(10, low));
    std::array<char, 32> margin{};
    std::snprintf(margin.data(), margin.size(), "%9s |", label.data());
    text += margin.data();
    for (int c = 0; c < width; ++c) text += braille(cells[static_cast<std::size_t>(r) * width + c]);
    text += '\n';
  }
  const std::string last = std::to_string(values.size()) + " " + unit;
  const int gap = std::max(1, width - 1 - static_cast<int>(last.size()));
  text += std::string(10, ' ') + '+' + std::string(width, '-') + '\n';
  return text + std::string(11, ' ') + '1' + std::string(gap, ' ') + last + '\n';
}

/// Values from 0 (blank) to 1 (solid) in five shades; markers as X (positive) and O. Both axes have
/// ticks at 0 and 1.
inline std::string heat_map(const Grid& grid, std::span<const Marker> markers) {
  constexpr std::array<const char*, 5> kShades{" ", "\u2591", "\u2592", "\u2593", "\u2588"};
  std::string text;
  for (int r = 0; r < grid.height; ++r) {
    const char* tick = r == grid.row(1) ? "1" : r == grid.row(0) ? "0" : " ";
    text += std::string(8, ' ') + tick + " |";
    for (int c = 0; c < grid.width; ++c) {
      const auto marked = std::find_if(markers.begin(), markers.end(), [&](const Marker& m) {
        return grid.row(m.x2) == r && grid.column(m.x1) == c;
      });
      const float value = grid.at(r, c);
      const int shade = std::isfinite(value) ? std::clamp(static_cast<int>(value * 5), 0, 4) : 0;
      text += marked == markers.end() ? kShades[shade] : marked->positive ? "X" : "O";
    }
    text += "|\n";
  }
  std::string ticks(grid.width, ' ');
  ticks[grid.column(0)] = '0';
  ticks[grid.column(1)] = '1';
  return text + std::string(10, ' ') + '+' + std::string(grid.width, '-') + "+\n" +
         std::string(11, ' ') + ticks + '\n';
}

}  // namespace support
