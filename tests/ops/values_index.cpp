// SPDX-License-Identifier: Apache-2.0
// Values of views, of tensors put together and of chosen elements: loops that follow the definition, on
// every layout.
#include <algorithm>
#include <numeric>

#include "structured_values.hpp"

namespace ops_test {
namespace {

using namespace autograd;
using Index = std::vector<std::int64_t>;  // a place, not what x(...) takes

void check_permute() {
  for (const Tensor& x : layouts()) {
    const Shape& s = x.shape();
    Axes order{0, 1, 2};
    do {
      const auto from = [&](int i) {
        return static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
      };
      const Tensor want = built({s[static_cast<int>(from(0))], s[static_cast<int>(from(1))],
                                 s[static_cast<int>(from(2))]},
                                [&](const Index& i) {
                                  Index place(3);
                                  for (int k = 0; k < 3; ++k)
                                    place[from(k)] = i[static_cast<std::size_t>(k)];
                                  return at(x, place);
                                });
      expect_same(permute(x, order), want);
      expect_same(movedim(x, order, {0, 1, 2}), want);
      EXPECT_EQ(permute(x, order).node()->base, x.node()->base);
    } while (std::next_permutation(order.begin(), order.end()));
    expect_same(movedim(x, -1, 0), permute(x, {2, 0, 1}));
  }
}

// What Python's slice object says, one element after the other.
std::vector<std::int64_t> taken(std::int64_t n, const Slice& s) {
  std::vector<std::int64_t> places;
  const auto wrap = [&](std::int64_t i) { return i < 0 ? i + n : i; };
  if (s.step > 0) {
    const std::int64_t stop = s.stop ? wrap(*s.stop) : n;
    for (std::int64_t i = std::max<std::int64_t>(s.start ? wrap(*s.start) : 0, 0);
         i < std::min(stop, n); i += s.step) {
      places.push_back(i);
    }
  } else {
    const std::int64_t stop = s.stop ? wrap(*s.stop) : -1;
    for (std::int64_t i = std::min(s.start ? wrap(*s.start) : n - 1, n - 1);
         i > std::max<std::int64_t>(stop, -1); i += s.step) {
      places.push_back(i);
    }
  }
  return places;
}

void check_slice() {
  std::vector<std::optional<std::int64_t>> ends{std::nullopt};
  for (std::int64_t i = -7; i <= 7; ++i) ends.push_back(i);
  for (const Tensor& x :
       {random({5}), select(transpose(random({5, 3})), 0, 1), random({0}), random({1})}) {
    for (const auto& start : ends) {
      for (const auto& stop : ends) {
        for (std::int64_t step : {1, 2, 3, 9, -1, -2, -5, -9}) {
          const Slice s = slice(start, stop, step);
          Doubles want;
          for (std::int64_t i : taken(x.numel(), s)) want.push_back(at(x, {i}));
          SCOPED_TRACE(std::to_string(start.value_or(99)) + ":" +
                       std::to_string(stop.value_or(99)) + ":" + std::to_string(step));
          expect_same(x(s), autograd::tensor(want));
          EXPECT_EQ(x(s).node()->base == x.node()->base, step > 0);
        }
      }
    }
  }
  for (const Tensor& x : layouts()) {
    const Shape& s = x.shape();
    expect_same(narrow(x, 0, -s[0], s[0]), contiguous(x));
    expect_same(select(x, 1, -1), built({s[0], s[2]}, [&](const Index& i) {
                  return at(x, {i[0], s[1] - 1, i[1]});
                }));
    expect_same(x(newaxis, ellipsis, 0, newaxis), built({1, s[0], s[1], 1}, [&](const Index& i) {
                  return at(x, {i[1], i[2], 0});
                }));
    for (std::int64_t axis : {0, 1, -1}) {
      expect_same(cat(split(x, 2, axis), axis), contiguous(x));
      expect_same(cat(chunk(x, 3, axis), axis), contiguous(x));
      expect_same(stack(unbind(x, axis), axis), contiguous(x));
      for (const Tensor& part : split(x, 2, axis)) EXPECT_EQ(part.node()->base, x.node()->base);
    }
  }
}

void check_unslice() {
  for (const Tensor& x : layouts()) {
    const Shape& s = x.shape();
    expect_same(pad(x, {1, 2, 0, 1, 2, 0}, {.value = 7}),
                built({s[0] + 2, s[1] + 1, s[2] + 3}, [&](const Index& i) {
                  const bool inside = i[0] >= 2 && i[1] < s[1] && i[2] >= 1 && i[2] <= s[2];
                  return inside ? at(x, {i[0] - 2, i[1], i[2] - 1}) : 7.0;
                }));
    expect_same(pad(x, {-1, 2}), built({s[0], s[1], s[2] + 1}, [&](const Index& i) {
                  return i[2] < s[2] - 1 ? at(x, {i[0], i[1], i[2] + 1}) : 0.0;
                }));
  }
  expect_values(pad(i64({1, 2}), {1, 1}, {.value = -3}), {-3, 1, 2, -3});
}

void check_diagonal() {
  for (std::int64_t offset : {0, 1, -1, 3, -9, 9}) {
    const Tensor x = permute(random({5, 2, 4}), {1, 0, 2});  // [2, 5, 4]
    const std::int64_t down = std::max<std::int64_t>(-offset, 0),
                       right = std::max<std::int64_t>(offset, 0);
    const std::int64_t n = std::max<std::int64_t>(std::min(5 - down, 4 - right), 0);
    expect_same(diagonal(x, {.offset = offset, .axis1 = 1, .axis2 = 2}),
                built({2, n}, [&](const Index& i) {
                  return at(x, {i[0], i[1] + down, i[1] + right});
                }));
    if (offset == 9 || offset == -9) continue;
    const Tensor v = transpose(random({3, 2}));  // [2, 3]
    const std::int64_t m = 3 + std::abs(offset);
    expect_same(diag_embed(v, {.offset = offset, .axis1 = 0, .axis2 = -1}),
                built({m, 2, m}, [&](const Index& i) {
                  const std::int64_t k = i[0] - down;
                  return i[2] - i[0] == offset && k >= 0 && k < 3 ? at(v, {i[1], k}) : 0.0;
                }));
  }
  expect_same(diag(f64({1, 2})), f64({{1, 0}, {0, 2}}));
  expect_same(diag(f64({{1, 2}, {3, 4}})), f64({1, 4}));
}

void check_windows() {
  const Tensor x = transpose(random({7, 2}));
  expect_same(unfold(x, 1, 3, 2), built({2, 3, 3}, [&](const Index& i) {
                return at(x, {i[0], 2 * i[1] + i[2]});
              }));
  expect_same(unfold(x, -1, 0, 3), random({2, 3, 0}));
  const Tensor image = random({2, 3, 5, 6});
  for (const UnfoldOptions& o :
       {UnfoldOptions{.kernel_size = {2, 3}},
        UnfoldOptions{.kernel_size = {3, 2}, .dilation = {2, 3}, .padding = {2, 1}},
        UnfoldOptions{.kernel_size = {2, 2}, .padding = {1, 0}, .stride = {2, 3}}}) {
    const auto count = [&](std::size_t k, std::int64_t extent) {
      return (extent + 2 * o.padding[k] - o.dilation[k] * (o.kernel_size[k] - 1) - 1) /
                 o.stride[k] +
             1;
    };
    const std::int64_t rows = count(0, 5), columns = count(1, 6), kh = o.kernel_size[0],
                       kw = o.kernel_size[1];
    // The pixel under a tap of a window; outside of the image: none.
    const auto pixel = [&](const Index& i, std::int64_t& h, std::int64_t& w) {
      const std::int64_t tap = i[1] % (kh * kw), window = i[2];
      h = window / columns * o.stride[0] + tap / kw * o.dilation[0] - o.padding[0];
      w = window % columns * o.stride[1] + tap % kw * o.dilation[1] - o.padding[1];
      return h >= 0 && h < 5 && w >= 0 && w < 6;
    };
    std::int64_t h = 0, w = 0;
    const Tensor patches = built({2, 3 * kh * kw, rows * columns}, [&](const Index& i) {
      return pixel(i, h, w) ? at(image, {i[0], i[1] / (kh * kw), h, w}) : 0.0;
    });
    expect_same(unfold(image, o), patches);
    expect_same(unfold(image(0), o), contiguous(patches(0)));
    Tensor sums = zeros({2, 3, 5, 6}, float64);
    for_each_index(patches.shape(), [&](const Index& i) {
      if (!pixel(i, h, w)) return;
      sums.mutable_data<double>()[static_cast<std::size_t>(
          ((i[0] * 3 + i[1] / (kh * kw)) * 5 + h) * 6 + w)] += at(patches, i);
    });
    expect_same(fold(patches, {5, 6}, o), sums, kTight);
    expect_same(fold(patches(1), {5, 6}, o), contiguous(sums(1)), kTight);
  }
}

void check_flip() {
  for (const Tensor& x : layouts()) {
    const Shape& s = x.shape();
    expect_same(flip(x, {2, 0}), built(s, [&](const Index& i) {
                  return at(x, {s[0] - 1 - i[0], i[1], s[2] - 1 - i[2]});
                }));
    EXPECT_NE(flip(x, {2, 0}).node()->base, x.node()->base);
    expect_same(roll(x, {-1, 7}, {0, 2}), built(s, [&](const Index& i) {
                  return at(x, {(i[0] + 1) % s[0], i[1], ((i[2] - 7) % s[2] + s[2]) % s[2]});
                }));
    expect_same(roll(x, 1), reshape(roll(reshape(x, {-1}), {1}, {0}), s));
  }
  EXPECT_EQ(flip(random({0, 3}), {0}).shape(), Shape({0, 3}));
}

void check_cat() {
  for (const Tensor& x : layouts()) {
    const Shape& s = x.shape();
    for (int axis = 0; axis < 3; ++axis) {
      const auto k = static_cast<std::size_t>(axis);
      Shape more = s, none = s;
      more[axis] = 2;
      none[axis] = 0;
      const Tensor y = random(more, 3);
      Shape all = s;
      all[axis] = 2 * s[axis] + 2;
      expect_same(cat({x, y, random(none), x}, axis - 3), built(all, [&](Index i) {
                    const std::int64_t n = s[axis];
                    const bool other = i[k] >= n && i[k] < n + 2;
                    i[k] = other ? i[k] - n : i[k] < n ? i[k] : i[k] - n - 2;
                    return at(other ? y : x, i);
                  }));
    }
    expect_same(stack({x, x}, -1), built({s[0], s[1], s[2], 2}, [&](Index i) {
                  i.pop_back();
                  return at(x, i);
                }));
    expect_same(repeat(x, {2, 1, 3}), built({2 * s[0], s[1], 3 * s[2]}, [&](const Index& i) {
                  return at(x, {i[0] % s[0], i[1], i[2] % s[2]});
                }));
    expect_same(tile(x, {2}), repeat(x, {1, 1, 2}));
    expect_same(repeat_interleave(x, 2, 1), built({s[0], 2 * s[1], s[2]}, [&](const Index& i) {
                  return at(x, {i[0], i[1] / 2, i[2]});
                }));
  }
  expect_same(repeat_interleave(f64({1, 2, 3}), i64({2, 0, 1}), 0), f64({1, 1, 3}));
  EXPECT_EQ(cat({i64({1}), f64({2})}).dtype(), float64);
  EXPECT_EQ(repeat(random({2, 3}), {4, 0, 1, 5}).shape(), Shape({4, 0, 2, 15}));
}

void check_grids() {
  const Tensor a = random({3}, 5), b = random({4}, 6), c = random({}, 7);
  const auto grid = meshgrid({a, b, c});
  ASSERT_EQ(grid.size(), 3u);
  expect_same(contiguous(grid[0]), built({3, 4, 1}, [&](const Index& i) { return at(a, {i[0]}); }));
  expect_same(contiguous(grid[1]), built({3, 4, 1}, [&](const Index& i) { return at(b, {i[1]}); }));
  expect_same(contiguous(grid[2]), built({3, 4, 1}, [&](const Index&) { return c.item(); }));
  const auto turned = meshgrid({a, b, c}, {.indexing = MeshIndexing::xy});
  for (std::size_t k = 0; k < 3; ++k) expect_same(turned[k], transpose(grid[k], 0, 1));
  EXPECT_TRUE(meshgrid({}).empty());
  EXPECT_EQ(atleast_1d(c).shape(), Shape({1}));
  EXPECT_EQ(atleast_2d(c).shape(), Shape({1, 1}));
  EXPECT_EQ(atleast_2d(a).shape(), Shape({1, 3}));
  EXPECT_EQ(atleast_3d(a).shape(), Shape({1, 3, 1}));
  EXPECT_EQ(atleast_3d(random({2, 3})).shape(), Shape({2, 3, 1}));
  EXPECT_EQ(atleast_3d(random({2, 3, 4})).shape(), Shape({2, 3, 4}));
}

void check_integers() {
  const Tensor x = transpose(f64({{0, 1, kNan}, {-2, 0, 0}}));  // [3, 2]
  expect_same(nonzero(x), i64({{0, 1}, {1, 0}, {2, 0}}));
  EXPECT_EQ(nonzero(zeros({2, 0, 3})).shape(), Shape({0, 3}));
  expect_same(one_hot(i64({1, 0})), i64({{0, 1}, {1, 0}}));
  expect_same(one_hot(transpose(i64({{2}, {0}})), 3), i64({{{0, 0, 1}, {1, 0, 0}}}));
  EXPECT_EQ(one_hot(i64({}), 3).shape(), Shape({0, 3}));
  expect_same(masked_fill(i64({1, 2}), i64({1, 2}) == 2.0, -7), i64({1, -7}));
}

void check_triangle() {
  for (const Tensor& x : layouts()) {
    for (std::int64_t k : {-9, -1, 0, 2, 9}) {
      expect_same(tril(x, k), built(x.shape(), [&](const Index& i) {
                    return i[2] - i[1] <= k ? at(x, i) : 0.0;
                  }));
      expect_same(triu(x, k), built(x.shape(), [&](const Index& i) {
                    return i[2] - i[1] >= k ? at(x, i) : 0.0;
                  }));
    }
  }
}

// index_select and what adds or copies slices back, on every layout and axis.
void check_slices() {
  const Index places{2, 0, 2};
  const Tensor index = i64({2, 0, 2});
  for (const Tensor& x : {layouts()[0], layouts()[1], layouts()[2], layouts()[4]}) {
    for (int axis = 0; axis < 3; ++axis) {
      const auto k = static_cast<std::size_t>(axis);
      Shape s = x.shape();
      s[axis] = 3;
      const Tensor source = random(s, 4);
      expect_same(index_select(x, axis, index), built(s, [&](Index i) {
                    i[k] = places[static_cast<std::size_t>(i[k])];
                    return at(x, i);
                  }));
      const auto changed = [&](bool adds) {
        return built(x.shape(), [&](Index i) {
          double value = at(x, i);
          const std::int64_t target = i[k];
          for (i[k] = 0; i[k] < 3; ++i[k]) {
            if (places[static_cast<std::size_t>(i[k])] != target) continue;
            value = adds ? value + 0.5 * at(source, i) : at(source, i);
          }
          return value;
        });
      };
      expect_same(index_add(x, axis, index, source, {.alpha = 0.5}), changed(true));
      expect_same(index_copy(x, axis - 3, index, source), changed(false));
    }
  }
  expect_same(index_select(f64({5, 6}), 0, autograd::tensor(1, autograd::int64)), f64({6}));
  const Tensor line = f64({1, 2, 3, 4});
  expect_same(pad(line, {3, 2}, {.mode = PadMode::reflect}), f64({4, 3, 2, 1, 2, 3, 4, 3, 2}));
  expect_same(pad(line, {1, 2}, {.mode = PadMode::replicate}), f64({1, 1, 2, 3, 4, 4, 4}));
  expect_same(pad(line, {2, 1}, {.mode = PadMode::circular}), f64({3, 4, 1, 2, 3, 4, 1}));
  expect_same(pad(line, {-1, 2}, {.mode = PadMode::reflect}), f64({2, 3, 4, 3, 2}));
}

// gather and scatter by the definition; the index is smaller than x.
void check_elements() {
  const Tensor index = i64({{{1, 0}, {2, 2}}, {{0, 1}, {1, 1}}});
  for (const Tensor& x : {layouts()[0], layouts()[1], layouts()[2], layouts()[4]}) {
    for (int axis = 0; axis < 3; ++axis) {
      const auto k = static_cast<std::size_t>(axis);
      const Tensor source = transpose(random({2, 3, 4}, 9));  // larger than the index
      const auto place = [&](const Index& i) {
        return static_cast<std::int64_t>(index.at({i[0], i[1], i[2]}));
      };
      expect_same(gather(x, axis, index), built(index.shape(), [&](Index i) {
                    i[k] = place(i);
                    return at(x, i);
                  }));
      Tensor added = built(x.shape(), [&](const Index& i) { return at(x, i); });
      Tensor replaced = contiguous(added * 1.0);
      for_each_index(index.shape(), [&](Index i) {
        const double value = at(source, i);
        i[k] = place(i);
        const auto offset =
            static_cast<std::size_t>((i[0] * x.shape()[1] + i[1]) * x.shape()[2] + i[2]);
        added.mutable_data<double>()[offset] += value;
        replaced.mutable_data<double>()[offset] = value;
      });
      expect_same(scatter_add(x, axis, index, source), added);
      expect_same(scatter(x, axis - 3, index, source), replaced);
      expect_same(take_along_dim(x, index(slice(0, 1), slice(0, 1)), 2),
                  built({x.shape()[0], x.shape()[1], 2}, [&](const Index& i) {
                    return at(x, {i[0], i[1], i[2] == 0 ? 1 : 0});
                  }));
    }
  }
}

}  // namespace

void add_index_checks(Checks& checks) {
  checks.insert({{"permute", check_permute},
                 {"slice", check_slice},
                 {"unslice", check_unslice},
                 {"diagonal", check_diagonal},
                 {"diag_embed", check_diagonal},
                 {"unfold", check_windows},
                 {"fold", check_windows},
                 {"flip", check_flip},
                 {"cat",
                  [] {
                    check_cat();
                    check_grids();
                  }},
                 {"tril, triu", check_triangle},
                 {"index_select", check_slices},
                 {"index_add", check_slices},
                 {"index_copy", check_slices},
                 {"gather",
                  [] {
                    check_elements();
                    check_integers();
                  }},
                 {"scatter", check_elements},
                 {"scatter_add", check_elements}});
}

}  // namespace ops_test
