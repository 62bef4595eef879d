// SPDX-License-Identifier: Apache-2.0
// What tensors print as.
#include <gtest/gtest.h>
#include <autograd/create.hpp>

#include <limits>
#include <sstream>

namespace autograd {
namespace {

std::string printed(const Tensor& x) {
  std::ostringstream out;
  out << x;
  EXPECT_EQ(out.str(), to_string(x));
  return out.str();
}

TEST(Format, ScalarsRowsAndMatrices) {
  EXPECT_EQ(printed(tensor(60)), "60");
  EXPECT_EQ(printed(tensor({44, 14, -72})), "[44, 14, -72]");
  EXPECT_EQ(printed(tensor({{4, 0, 4}, {10, 0, 10}})), "[[4, 0, 4],\n [10, 0, 10]]");
  EXPECT_EQ(printed(tensor({{1}})), "[[1]]");
}

TEST(Format, MoreAxesAlignTheirBrackets) {
  EXPECT_EQ(printed(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})),
            "[[[1, 2],\n"
            "  [3, 4]],\n"
            " [[5, 6],\n"
            "  [7, 8]]]");
}

TEST(Format, Numbers) {
  const double inf = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(printed(tensor({0.1, 1e-7, 123456789.0, 1.0 / 3, 2.25, -0.5})),
            "[0.1, 1e-07, 1.23457e+08, 0.333333, 2.25, -0.5]");
  EXPECT_EQ(printed(tensor({nan, -nan, inf, -inf}, float64)), "[nan, nan, inf, -inf]");
  EXPECT_EQ(printed(tensor({1, 0}, boolean)), "[true, false]");
  EXPECT_EQ(printed(tensor({std::int64_t{1} << 60, std::int64_t{-3}}, int64)),
            "[1152921504606846976, -3]");
}

TEST(Format, EmptyTensors) {
  EXPECT_EQ(printed(tensor({})), "[]");
  EXPECT_EQ(printed(empty({3, 0})), "[]");
  EXPECT_THROW(printed(Tensor()), ValueError);
}

TEST(Format, LongTensorsAreAbbreviated) {
  EXPECT_EQ(printed(arange(1001)), "[0, 1, 2, ..., 998, 999, 1000]");
  EXPECT_EQ(printed(arange(1000)).find("..."), std::string::npos);
  EXPECT_EQ(printed(tensor(to_vector<float>(arange(2000)), {1000, 2})),
            "[[0, 1],\n [2, 3],\n [4, 5],\n ...,\n [1994, 1995],\n [1996, 1997],\n [1998, 1999]]");
  EXPECT_EQ(printed(tensor(to_vector<float>(arange(4000)), {2, 2, 1000})),
            "[[[0, 1, 2, ..., 997, 998, 999],\n"
            "  [1000, 1001, 1002, ..., 1997, 1998, 1999]],\n"
            " [[2000, 2001, 2002, ..., 2997, 2998, 2999],\n"
            "  [3000, 3001, 3002, ..., 3997, 3998, 3999]]]");
}

TEST(Format, StridedViews) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  const std::array<std::int64_t, kMaxDim> strides{1, 3};
  const Tensor t = Tensor::adopt(detail::make_view(x.node(), x.node()->data, {3, 2}, strides));
  EXPECT_EQ(printed(t), "[[1, 4],\n [2, 5],\n [3, 6]]");
}

}  // namespace
}  // namespace autograd
