// SPDX-License-Identifier: Apache-2.0
// Products and scans along one axis. Their derivatives are scans again: with s_e = dy_e + c_e s_(e+1),
// a linear recurrence from the end, and a factor before it, no division is needed, so that zeros and
// infinities far down are nothing special, in one pass and at every order. A scalar is a line of one.
#pragma once

#include "op.hpp"

namespace autograd::ops {

/// The product of x along the axis.
struct Prod {
  static constexpr OpInfo info{"prod", "product of x along an axis",
                               "dy times the product of the others",
                               "no division: zeros and second order are exact"};
  static std::vector<OpCase> cases();
  int axis = 0;
  bool keepdim = false;

  Saves saved() const { return Saves::inputs; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// y_e = x_0 + ... + x_e.
struct CumSum {
  static constexpr OpInfo info{"cumsum", "x_0 + ... + x_e along an axis",
                               "sum of dy_e, dy_(e+1), ..."};
  static std::vector<OpCase> cases();
  int axis = 0;
  bool reverse = false;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// y_e = x_0 ... x_e.
struct CumProd {
  static constexpr OpInfo info{"cumprod", "x_0 ... x_e along an axis",
                               "y_(e-1) s_e, s_e = dy_e + x_(e+1) s_(e+1)",
                               "no division: zeros and second order are exact"};
  static std::vector<OpCase> cases();
  int axis = 0;
  bool reverse = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// y_e = ln(exp(x_0) + ... + exp(x_e)).
struct LogCumSumExp {
  static constexpr OpInfo info{"logcumsumexp", "ln(e^x_0 + ... + e^x_e) along an axis",
                               "e^(x_e - y_e) s_e, s_e = dy_e + e^(y_e - y_(e+1)) s_(e+1)",
                               "-inf and +inf as for logsumexp"};
  static std::vector<OpCase> cases();
  int axis = 0;
  bool reverse = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};
/// y_e = a_e y_(e-1) + b_e, from 0; what the backward passes above are made of.
struct LinearScan {
  static constexpr OpInfo info{"linear_scan", "y_e = a_e y_(e-1) + b_e along an axis",
                               "db_e = dy_e + a_(e+1) db_(e+1), da_e = db_e y_(e-1)"};
  static constexpr unsigned kSavedInputs = 0b01;
  static std::vector<OpCase> cases();
  int axis = 0;
  bool reverse = false;

  Saves saved() const { return Saves::both; }
  Tensor forward(const Tensor& a, const Tensor& b) const;
  void backward(const Saved<2>& saved, const Tensor& dy, Gradients<2>& dx) const;
};
/// y_e = x_(e-by), `fill` where there is none.
struct Shift {
  static constexpr OpInfo info{"shift", "y_e = x_(e-by) along an axis, else a constant",
                               "dy shifted back"};
  static std::vector<OpCase> cases();
  int axis = 0;
  std::int64_t by = 1;
  double fill = 0;

  Saves saved() const { return Saves::nothing; }
  Tensor forward(const Tensor& x) const;
  void backward(const Saved<1>& saved, const Tensor& dy, Gradients<1>& dx) const;
};

// The public functions are in reductions.hpp; these are for backward passes. Recorded.
Tensor linear_scan(const Tensor& a, const Tensor& b, int axis, bool reverse);
Tensor shift(const Tensor& x, int axis, std::int64_t by, double fill = 0);

}  // namespace autograd::ops
