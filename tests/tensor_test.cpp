// SPDX-License-Identifier: Apache-2.0
// The members of Tensor: element access over dtypes and strides, gradients as plain members, and the
// exact messages of misuse.
#include <gtest/gtest.h>
#include <autograd/create.hpp>

#include <functional>
#include <sstream>

namespace autograd {
namespace {

template <class E> std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no such exception was thrown";
}

Tensor transposed(const Tensor& x) {
  const std::array<std::int64_t, kMaxDim> strides{1, x.size(1)};
  return Tensor::adopt(
      detail::make_view(x.node(), x.node()->data, {x.size(1), x.size(0)}, strides));
}

TEST(TensorTest, ShapeAndElements) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(x.shape(), Shape({2, 3}));
  EXPECT_EQ(x.dim(), 2);
  EXPECT_EQ(x.numel(), 6);
  EXPECT_EQ(x.dtype(), float32);
  EXPECT_EQ(x.size(-1), 3);
  EXPECT_EQ(x.strides(), (std::vector<std::int64_t>{3, 1}));
  EXPECT_TRUE(x.is_contiguous());
  EXPECT_EQ(x.at({1, 2}), 6);
  EXPECT_EQ(x.at({-2, -1}), 3);
  EXPECT_THROW(x.size(2), ValueError);
}

TEST(TensorTest, DtypesPrintTheirNames) {
  std::ostringstream out;
  out << float32 << ' ' << float64 << ' ' << int64 << ' ' << boolean;
  EXPECT_EQ(out.str(), "float32 float64 int64 bool");
}

TEST(TensorTest, ViewsAreReadThroughTheirStrides) {
  const Tensor t = transposed(tensor({{1, 2, 3}, {4, 5, 6}}));
  EXPECT_FALSE(t.is_contiguous());
  EXPECT_EQ(t.at({2, 0}), 3);
  EXPECT_EQ(t.at({0, 1}), 4);
  EXPECT_EQ(to_vector<float>(t), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_TRUE(transposed(tensor({{1, 2, 3}})).is_contiguous());
}

TEST(TensorTest, ItemAndAtOfEveryDtype) {
  for (DType dtype : {float32, float64, int64, boolean}) {
    EXPECT_EQ(tensor(1, dtype).item(), 1) << name(dtype);
    EXPECT_EQ(tensor({{1}}, dtype).item(), 1) << name(dtype);
    EXPECT_EQ(tensor({0, 1}, dtype).at({1}), 1) << name(dtype);
  }
  EXPECT_EQ(message_of<ValueError>([] {
              tensor({{1, 2, 3}, {4, 5, 6}}).item();
            }),
            "item: not one element: shape [2, 3]; need numel() == 1 (6 != 1)");
  EXPECT_THROW(tensor({}).item(), ValueError);
}

TEST(TensorTest, AtSaysWhatIsWrong) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(message_of<ValueError>([&] {
              (void)x.at({2, 0});
            }),
            "at: index 0 out of range: 2 for shape [2, 3]; need at least -2 and less than 2");
  EXPECT_EQ(message_of<ValueError>([&] {
              (void)x.at({0, -4});
            }),
            "at: index 1 out of range: -4 for shape [2, 3]; need at least -3 and less than 3");
  EXPECT_EQ(message_of<ValueError>([&] { (void)x.at({1}); }),
            "at: wrong number of indices: 1 for shape [2, 3]; need one for each axis (1 != 2)");
}

TEST(TensorTest, DataOfTheRightTypeOnly) {
  Tensor x = tensor({1, 2, 3});
  x.mutable_data<float>()[1] = 7;
  EXPECT_EQ(x.data<float>()[1], 7);
  EXPECT_EQ(
      message_of<TypeError>([&] { (void)x.data<double>(); }),
      "data: other dtype: the tensor holds float32, asked for float64; need the same (convert "
      "with to(x, dtype))");
  EXPECT_THROW((void)transposed(tensor({{1, 2}, {3, 4}})).data<float>(), ValueError);
}

TEST(TensorTest, UndefinedTensorsThrow) {
  const Tensor none;
  EXPECT_FALSE(none.defined());
  EXPECT_THROW((void)none.shape(), ValueError);
  EXPECT_THROW((void)none.item(), ValueError);
  EXPECT_THROW((void)none.grad(), ValueError);
}

TEST(TensorTest, CopiesShareElements) {
  Tensor a = tensor({1, 2}), b = a;
  b.mutable_data<float>()[0] = 9;
  EXPECT_EQ(a.at({0}), 9);
  a = *&a;
  EXPECT_EQ(a.at({1}), 2);
  const Tensor moved = std::move(a);
  EXPECT_FALSE(a.defined());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved.at({0}), 9);
}

TEST(TensorTest, GradientsAreSetSharedAndRemoved) {
  Tensor x = zeros({2});
  EXPECT_FALSE(x.has_grad());
  EXPECT_EQ(message_of<TapeError>([&] { (void)x.grad(); }),
            "Tensor::grad: no sweep has reached this tensor: it has shape [2] and is no parameter; "
            "need tape.backward(...) of something computed from it, on a tape where it is an input "
            "(tape.input) or a parameter (requires_grad)");
  x.set_grad(ones({2}));
  EXPECT_EQ(x.grad().at({1}), 1);
  x.set_grad(x.grad());
  EXPECT_EQ(x.grad().at({1}), 1);
  x.zero_grad();
  EXPECT_FALSE(x.has_grad());
  EXPECT_EQ(message_of<ShapeError>([&] { x.set_grad(ones({3})); }),
            "set_grad: other shape: the gradient is [3], the tensor [2]; need the same");
  EXPECT_THROW(x.set_grad(ones({2}, float64)), TypeError);
  EXPECT_THROW(x.set_grad(x), ValueError);
}

TEST(TensorTest, OnlyFloatingLeavesRequireGrad) {
  Tensor x = zeros({2});
  EXPECT_TRUE(x.set_requires_grad().requires_grad());
  EXPECT_FALSE(x.set_requires_grad(false).requires_grad());
  EXPECT_EQ(
      message_of<TypeError>([] { ones({2}, int64).set_requires_grad(); }),
      "set_requires_grad: not differentiable: the tensor holds int64; need float32 or float64 "
      "(convert with to(x, float32))");
  EXPECT_FALSE(ones({2}, int64).set_requires_grad(false).requires_grad());
  Tensor recorded = zeros({2});
  recorded.node()->generation = 5;
  EXPECT_THROW(recorded.set_requires_grad(), TapeError);
  Tensor parameter = zeros({2}).set_requires_grad();
  parameter.node()->generation = 5;  // as a tape that used it leaves it
  EXPECT_TRUE(parameter.set_requires_grad(false).set_requires_grad().requires_grad());
}

}  // namespace
}  // namespace autograd
