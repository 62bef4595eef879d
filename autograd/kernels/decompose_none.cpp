// SPDX-License-Identifier: Apache-2.0
// What stands in for decompose_*.cpp in a library that was built without Eigen: everything throws.
#if !AUTOGRAD_EIGEN
#include <string>

#include "../error.hpp"
#include "decompositions.hpp"

namespace autograd::kernels {

namespace {

[[noreturn]] void missing(const char* function) {
  throw Error(std::string(function) +
              ": not there: the library was built without Eigen; need Eigen 3 when it is built "
              "(libeigen3-dev)");
}

}  // namespace

bool has_decompositions() { return false; }

template <class T> std::ptrdiff_t lu_inverse(const T*, T*, std::size_t) { missing("inverse"); }
template <class T> std::ptrdiff_t lu_solve(const T*, const T*, T*, std::size_t, std::size_t) {
  missing("solve");
}
template <class T> T lu_determinant(const T*, std::size_t) { missing("det"); }
template <class T> void lu_log_determinant(const T*, T*, T*, std::size_t) { missing("slogdet"); }
template <class T>
void triangular_solve(const T*, const T*, T*, std::size_t, std::size_t, bool, bool) {
  missing("solve_triangular");
}
template <class T> std::ptrdiff_t cholesky(const T*, T*, std::size_t) { missing("cholesky"); }
template <class T> void qr(const T*, T*, T*, std::size_t, std::size_t) { missing("qr"); }
template <class T> bool eigh(const T*, T*, T*, std::size_t) { missing("eigh"); }
template <class T> bool svd(const T*, T*, T*, T*, std::size_t, std::size_t) { missing("svd"); }
template <class T> bool cofactors(const T*, T*, std::size_t) { missing("cofactors"); }
template <class T> bool cofactors_vjp(const T*, const T*, T*, std::size_t) {
  missing("backward of det");
}
template <class T> void matrix_exp(const T*, T*, std::size_t) { missing("matrix_exp"); }

template std::ptrdiff_t lu_inverse(const float*, float*, std::size_t);
template std::ptrdiff_t lu_solve(const float*, const float*, float*, std::size_t, std::size_t);
template float lu_determinant(const float*, std::size_t);
template void lu_log_determinant(const float*, float*, float*, std::size_t);
template void triangular_solve(const float*, const float*, float*, std::size_t, std::size_t, bool,
                               bool);
template std::ptrdiff_t cholesky(const float*, float*, std::size_t);
template void qr(const float*, float*, float*, std::size_t, std::size_t);
template bool eigh(const float*, float*, float*, std::size_t);
template bool svd(const float*, float*, float*, float*, std::size_t, std::size_t);
template bool cofactors(const float*, float*, std::size_t);
template bool cofactors_vjp(const float*, const float*, float*, std::size_t);
template void matrix_exp(const float*, float*, std::size_t);
template std::ptrdiff_t lu_inverse(const double*, double*, std::size_t);
template std::ptrdiff_t lu_solve(const double*, const double*, double*, std::size_t, std::size_t);
template double lu_determinant(const double*, std::size_t);
template void lu_log_determinant(const double*, double*, double*, std::size_t);
template void triangular_solve(const double*, const double*, double*, std::size_t, std::size_t,
                               bool, bool);
template std::ptrdiff_t cholesky(const double*, double*, std::size_t);
template void qr(const double*, double*, double*, std::size_t, std::size_t);
template bool eigh(const double*, double*, double*, std::size_t);
template bool svd(const double*, double*, double*, double*, std::size_t, std::size_t);
template bool cofactors(const double*, double*, std::size_t);
template bool cofactors_vjp(const double*, const double*, double*, std::size_t);
template void matrix_exp(const double*, double*, std::size_t);

}  // namespace autograd::kernels
#endif
