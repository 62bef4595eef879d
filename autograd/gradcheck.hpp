// SPDX-License-Identifier: Apache-2.0
// The checker the library tests itself with: derivatives against central differences in float64.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "functions.hpp"
#include "tensor.hpp"

namespace autograd {

struct GradcheckOptions {
  double rtol = 1e-6;  ///< an element passes when |analytic - numeric| <= atol + rtol |numeric|
  double atol = 1e-6;
  double step = 0;                ///< h; 0: cbrt(eps) max(1, |x|) for each element
  bool fast = false;              ///< compare along one random direction instead of every element
  bool check_determinism = true;  ///< run f twice and require the same bits
  std::uint64_t seed = 1;         ///< of the cotangent and of the direction of the fast mode
  std::string name = "f";         ///< how messages call the function
};

/// What gradcheck found; true when every element passed.
class GradcheckReport {
 public:
  struct Failure {
    std::string what;  ///< "gradient", "gradient at a kink" or "nondeterministic value"
    std::int64_t input = 0;
    std::int64_t element = 0;  ///< row-major position in that input
    double analytic = 0, numeric = 0;
    double error_over_tolerance = 0;
  };

  explicit operator bool() const { return passed_; }
  /// One sentence when it passed; else the worst element with its function, input, element, both
  /// values and the error over the tolerance, and how many others failed.
  const std::string& message() const { return message_; }
  /// The worst element of each input that failed.
  const std::vector<Failure>& failures() const { return failures_; }
  /// The largest gradient seen, in magnitude: a check of zeros proves little.
  double largest_gradient() const { return largest_; }

  GradcheckReport() = default;
  GradcheckReport(bool passed, std::string message, std::vector<Failure> failures, double largest)
      : passed_(passed),
        message_(std::move(message)),
        failures_(std::move(failures)),
        largest_(largest) {}

 private:
  bool passed_ = false;
  std::string message_;
  std::vector<Failure> failures_;
  double largest_ = 0;
};

/// Compares the gradient of f (any output shape; contracted with a random cotangent) with central
/// differences at `inputs`, which must be float64. Elements of the inputs are nudged one by one, so f
/// must be smooth within h of them. Throws TypeError for other dtypes, ValueError for inputs with
/// repeated memory and for rtol, atol or step negative or not finite; what f throws passes through.
GradcheckReport gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});
/// The same for the gradient of f as a function of the inputs and of the cotangent: second order.
GradcheckReport gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});

namespace detail {

/// gradcheck of analytic * scale + shift: how the tests show that a wrong derivative is found.
GradcheckReport gradcheck_changed(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                  const GradcheckOptions& options, double scale, double shift);

}  // namespace detail
}  // namespace autograd
