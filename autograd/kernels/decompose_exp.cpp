// SPDX-License-Identifier: Apache-2.0
// The matrix exponential by scaling and squaring: Higham, The scaling and squaring method for the matrix
// exponential revisited, SIAM J. Matrix Anal. Appl. 26 (2005). Pade approximants of degree 3 to 13,
// the smallest whose backward error is below the unit roundoff (his table 2.3; for float degree 7).
#if AUTOGRAD_EIGEN
#include "eigen-inl.hpp"

#include <Eigen/LU>

#include <cmath>
#include <limits>
#include <span>

namespace autograd::kernels {

namespace {

struct Degree {
  int degree;
  double norm;  // the largest that it serves
};
constexpr Degree kFloat[] = {
    {3, 4.258730016922831e-1}, {5, 1.880152677804762}, {7, 3.925724783138660}};
constexpr Degree kDouble[] = {{3, 1.495585217958292e-2},
                              {5, 2.539398330063230e-1},
                              {7, 9.504178996162932e-1},
                              {9, 2.097847961257068},
                              {13, 5.371920351148152}};

// The coefficients of the numerator of degree p, the last one 1: b_j / b_(j+1) =
// (j + 1) (2 p - j) / (p - j), from (2.2) there.
void coefficients(int p, double* b) {
  b[p] = 1;
  for (int j = p - 1; j >= 0; --j) b[j] = b[j + 1] * (j + 1) * (2 * p - j) / (p - j);
}

template <class T> Matrix<T> pade(const Matrix<T>& a, int p) {
  double b[14];
  coefficients(p, b);
  const Index n = a.rows();
  const Matrix<T> square = a * a;
  // Horner's rule in a^2 for the even and the odd coefficients.
  Matrix<T> odd = Matrix<T>::Identity(n, n) * static_cast<T>(b[p]);
  Matrix<T> even = Matrix<T>::Identity(n, n) * static_cast<T>(b[p - 1]);
  for (int j = p - 2; j > 0; j -= 2) {
    odd = square * odd;
    odd.diagonal().array() += static_cast<T>(b[j]);
    even = square * even;
    even.diagonal().array() += static_cast<T>(b[j - 1]);
  }
  const Matrix<T> u = a * odd;
  return (even - u).partialPivLu().solve(even + u);
}

}  // namespace

template <class T> void matrix_exp(const T* a, T* y, std::size_t n) {
  if (n == 0) return;
  const std::span<const Degree> degrees = sizeof(T) == sizeof(float)
                                              ? std::span<const Degree>(kFloat)
                                              : std::span<const Degree>(kDouble);
  Matrix<T> x = matrix(a, n, n);
  const double norm = static_cast<double>(x.cwiseAbs().colwise().sum().maxCoeff());
  if (!x.allFinite() || std::isinf(norm)) {
    matrix(y, n, n).setConstant(std::numeric_limits<T>::quiet_NaN());
    return;
  }
  const Degree* chosen = &degrees.back();
  for (const Degree& degree : degrees) {
    if (norm <= degree.norm) {
      chosen = &degree;
      break;
    }
  }
  int squarings = 0;
  if (norm > chosen->norm) {
    squarings = std::max(0, static_cast<int>(std::ceil(std::log2(norm / chosen->norm))));
    x *= std::ldexp(T{1}, -squarings);
  }
  Matrix<T> result = pade(x, chosen->degree);
  for (int i = 0; i < squarings; ++i) result = (result * result).eval();
  matrix(y, n, n) = result;
}

template void matrix_exp(const float*, float*, std::size_t);
template void matrix_exp(const double*, double*, std::size_t);

}  // namespace autograd::kernels
#endif
