// SPDX-License-Identifier: Apache-2.0
// Further optimizers with a step size for each element: NAdam, RAdam, Adagrad, Adadelta, Lion. What
// optim.hpp says of all holds here: p an element, g its gradient, m and v running means of g and g^2.
#pragma once

#include <utility>
#include <vector>

#include "optim.hpp"

namespace nn {

struct NAdamOptions {
  double lr = 2e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient
  double momentum_decay = 4e-3;
};

/// Adam with Nesterov's momentum: with mu_t = b1 (1 - 0.96^(t momentum_decay) / 2) and P_t their
/// product, p -= lr ((1 - mu_t) / (1 - P_t) g + mu_(t+1) / (1 - P') m) / (sqrt(v') + eps), where P' is
/// P_t mu_t mu_(t+1), as PyTorch 1.13 has it (the paper: P_t mu_(t+1)).
/// Dozat: Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
class NAdam : public Optimizer {
 public:
  explicit NAdam(std::vector<Tensor> parameters, NAdamOptions options = {});
  void step() override;

 private:
  NAdamOptions options_;
};

struct RAdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient
};

/// Adam that goes by m' alone until v is made of enough gradients (rho_t > 5), and then scales by the
/// rectification. Liu et al.: On the variance of the adaptive learning rate and beyond, ICLR 2020.
class RAdam : public Optimizer {
 public:
  explicit RAdam(std::vector<Tensor> parameters, RAdamOptions options = {});
  void step() override;

 private:
  RAdamOptions options_;
};

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0.0;  ///< step t takes lr / (1 + (t - 1) lr_decay)
  double weight_decay = 0.0;
  double initial_accumulator_value = 0.0;
  double eps = 1e-10;
  bool maximize = false;
};

/// s += g^2, p -= lr g / (sqrt(s) + eps).
/// Duchi, Hazan, Singer: Adaptive subgradient methods, JMLR 12, 2011.
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(std::vector<Tensor> parameters, AdagradOptions options = {});
  void step() override;

 private:
  AdagradOptions options_;
};

struct AdadeltaOptions {
  double lr = 1.0;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0.0;
  bool maximize = false;
};

/// v = rho v + (1 - rho) g^2, d = sqrt(u + eps) / sqrt(v + eps) g, u = rho u + (1 - rho) d^2,
/// p -= lr d. Zeiler: ADADELTA, arXiv 1212.5701.
class Adadelta : public Optimizer {
 public:
  explicit Adadelta(std::vector<Tensor> parameters, AdadeltaOptions options = {});
  void step() override;

 private:
  AdadeltaOptions options_;
};

struct LionOptions {
  double lr = 1e-4;  ///< three to ten times smaller than Adam's
  std::pair<double, double> betas = {0.9, 0.99};
  double weight_decay = 0.0;  ///< decoupled; three to ten times larger than AdamW's
  bool maximize = false;
};

/// p -= lr (sign(b1 m + (1 - b1) g) + weight_decay p), then m = b2 m + (1 - b2) g; sign(0) = 0.
/// Chen et al.: Symbolic discovery of optimization algorithms, arXiv 2302.06675, algorithm 2.
class Lion : public Optimizer {
 public:
  explicit Lion(std::vector<Tensor> parameters, LionOptions options = {});
  void step() override;

 private:
  LionOptions options_;
};

}  // namespace nn
