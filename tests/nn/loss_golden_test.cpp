// SPDX-License-Identifier: Apache-2.0
// Every loss in every reduction against PyTorch's values and gradients (tests/golden/loss.txt), and
// gradcheck to second order.
#include "../ops/golden.hpp"

#include <nn/nn.hpp>

namespace ops_test {
namespace {

using namespace autograd;
using nn::KlDivReduction;
using nn::Reduction;

Tensor labels() { return tensor({2, 0, -100, 1}, int64); }
Tensor places() {
  return tensor({{{0, 2}, {1, -100}, {2, 2}}, {{1, 0}, {-100, 1}, {0, 2}}}, int64);
}
Tensor signs(const Tensor& x) { return tensor({1, -1, -1, 1, 1, -1, 1, -1}, x.dtype()); }
Tensor counts(const Tensor& x) { return tensor({0, 1, 2, 5, 3, 0}, x.dtype()); }
Tensor three(const Tensor& x) { return tensor({1.0, 0.5, 2.0}, x.dtype()); }
Tensor multilabel() { return tensor({{1, 3, -1, 0}, {2, -1, 1, 1}, {-1, 0, 0, 0}}, int64); }

/// f(inputs, reduction) under "name,mean", "name,sum" and "name,none".
template <class F> void reductions(GoldenFunctions& all, const std::string& name, F f) {
  const std::pair<const char*, Reduction> each[] = {
      {"mean", Reduction::mean}, {"sum", Reduction::sum}, {"none", Reduction::none}};
  for (const auto& [suffix, reduction] : each) {
    all[name + "," + suffix] = [f, r = reduction](const Inputs& x) { return f(x, r); };
  }
}

void add_distances(GoldenFunctions& all) {
  reductions(all, "mse_loss", [](const Inputs& x, Reduction r) {
    return nn::mse_loss(x[0], x[1], {.reduction = r});
  });
  reductions(all, "l1_loss", [](const Inputs& x, Reduction r) {
    return nn::l1_loss(x[0], x[1], {.reduction = r});
  });
  reductions(all, "smooth_l1_loss", [](const Inputs& x, Reduction r) {
    return nn::smooth_l1_loss(x[0], x[1], {.reduction = r, .beta = 0.5});
  });
  reductions(all, "huber_loss", [](const Inputs& x, Reduction r) {
    return nn::huber_loss(x[0], x[1], {.reduction = r, .delta = 0.4});
  });
  all["smooth_l1_loss,zero"] = [](const Inputs& x) {
    return nn::smooth_l1_loss(x[0], x[1], {.beta = 0.0});
  };
}

void add_binary(GoldenFunctions& all) {
  reductions(all, "bce_loss", [](const Inputs& x, Reduction r) {
    return nn::bce_loss(sigmoid(x[0]), sigmoid(x[1]), {.reduction = r, .weight = three(x[0])});
  });
  reductions(all, "bce_with_logits_loss", [](const Inputs& x, Reduction r) {
    return nn::bce_with_logits_loss(3.0 * x[0], sigmoid(x[1]), {.reduction = r});
  });
  reductions(all, "bce_with_logits_loss,weights", [](const Inputs& x, Reduction r) {
    return nn::bce_with_logits_loss(3.0 * x[0], sigmoid(x[1]),
                                    {.reduction = r,
                                     .weight = three(x[0]),
                                     .pos_weight = tensor({0.5, 3.0, 1.5}, x[0].dtype())});
  });
}

void add_classes(GoldenFunctions& all) {
  reductions(all, "cross_entropy_loss", [](const Inputs& x, Reduction r) {
    return nn::cross_entropy_loss(3.0 * x[0], labels(), {.reduction = r});
  });
  reductions(all, "cross_entropy_loss,all", [](const Inputs& x, Reduction r) {
    return nn::cross_entropy_loss(3.0 * x[0], labels(),
                                  {.reduction = r, .label_smoothing = 0.2, .weight = three(x[0])});
  });
  reductions(all, "cross_entropy_loss,places", [](const Inputs& x, Reduction r) {
    return nn::cross_entropy_loss(3.0 * x[0], places(),
                                  {.reduction = r, .label_smoothing = 0.1, .weight = three(x[0])});
  });
  reductions(all, "cross_entropy_loss,probabilities", [](const Inputs& x, Reduction r) {
    return nn::cross_entropy_loss(3.0 * x[0], softmax(x[1], 1),
                                  {.reduction = r, .label_smoothing = 0.1, .weight = three(x[0])});
  });
  reductions(all, "cross_entropy_loss,probabilities_places", [](const Inputs& x, Reduction r) {
    return nn::cross_entropy_loss(3.0 * x[0], softmax(x[1], 1), {.reduction = r});
  });
  reductions(all, "nll_loss", [](const Inputs& x, Reduction r) {
    return nn::nll_loss(log_softmax(x[0], 1), labels(), {.reduction = r, .weight = three(x[0])});
  });
  reductions(all, "nll_loss,places", [](const Inputs& x, Reduction r) {
    return nn::nll_loss(log_softmax(x[0], 1), places(), {.reduction = r});
  });
}

void add_distributions(GoldenFunctions& all) {
  const std::pair<const char*, KlDivReduction> each[] = {{"mean", KlDivReduction::element_mean},
                                                         {"batchmean", KlDivReduction::batch_mean},
                                                         {"sum", KlDivReduction::sum},
                                                         {"none", KlDivReduction::none}};
  for (const auto& [name, reduction] : each) {
    all[std::string("kl_div_loss,") + name] = [r = reduction](const Inputs& x) {
      return nn::kl_div_loss(log_softmax(x[0], 1), softmax(x[1], 1), {.reduction = r});
    };
  }
  all["kl_div_loss,log"] = [](const Inputs& x) {
    return nn::kl_div_loss(log_softmax(x[0], 1), log_softmax(x[1], 1),
                           {.reduction = KlDivReduction::batch_mean, .log_target = true});
  };
  reductions(all, "gaussian_nll_loss", [](const Inputs& x, Reduction r) {
    return nn::gaussian_nll_loss(x[0], x[1], exp(x[2]), {.reduction = r});
  });
  all["gaussian_nll_loss,full"] = [](const Inputs& x) {
    return nn::gaussian_nll_loss(x[0], x[1], exp(x[2]), {.full = true});
  };
  all["gaussian_nll_loss,eps"] = [](const Inputs& x) {
    return nn::gaussian_nll_loss(x[0], x[1], exp(x[2]), {.eps = 0.9});
  };
  reductions(all, "poisson_nll_loss", [](const Inputs& x, Reduction r) {
    return nn::poisson_nll_loss(x[0], counts(x[0]), {.reduction = r});
  });
  all["poisson_nll_loss,full"] = [](const Inputs& x) {
    return nn::poisson_nll_loss(exp(x[0]), counts(x[0]),
                                {.log_input = false, .full = true, .eps = 0.1});
  };
}

void add_margins(GoldenFunctions& all) {
  reductions(all, "hinge_embedding_loss", [](const Inputs& x, Reduction r) {
    return nn::hinge_embedding_loss(x[0], signs(x[0]), {.reduction = r, .margin = 0.3});
  });
  reductions(all, "margin_ranking_loss", [](const Inputs& x, Reduction r) {
    return nn::margin_ranking_loss(x[0], x[1], signs(x[0]), {.reduction = r, .margin = 0.2});
  });
  reductions(all, "soft_margin_loss", [](const Inputs& x, Reduction r) {
    return nn::soft_margin_loss(5.0 * x[0], signs(x[0]), {.reduction = r});
  });
  reductions(all, "multi_margin_loss", [](const Inputs& x, Reduction r) {
    return nn::multi_margin_loss(x[0], tensor({2, 0, 3}, int64), {.reduction = r});
  });
  all["multi_margin_loss,all"] = [](const Inputs& x) {
    return nn::multi_margin_loss(
        x[0], tensor({2, 0, 3}, int64),
        {.margin = 0.5, .p = 2, .weight = tensor({1.0, 0.5, 2.0, 0.1}, x[0].dtype())});
  };
  reductions(all, "multilabel_margin_loss", [](const Inputs& x, Reduction r) {
    return nn::multilabel_margin_loss(x[0], multilabel(), {.reduction = r});
  });
  reductions(all, "multilabel_soft_margin_loss", [](const Inputs& x, Reduction r) {
    return nn::multilabel_soft_margin_loss(x[0], tensor({{1, 0, 1}, {0, 0, 1}}, x[0].dtype()),
                                           {.reduction = r, .weight = three(x[0])});
  });
  reductions(all, "cosine_embedding_loss", [](const Inputs& x, Reduction r) {
    return nn::cosine_embedding_loss(x[0], x[1], narrow(signs(x[0]), 0, 0, 4),
                                     {.reduction = r, .margin = 0.1});
  });
  reductions(all, "triplet_margin_loss", [](const Inputs& x, Reduction r) {
    return nn::triplet_margin_loss(x[0], x[1], x[2], {.reduction = r});
  });
  all["triplet_margin_loss,all"] = [](const Inputs& x) {
    return nn::triplet_margin_loss(x[0], x[1], x[2],
                                   {.margin = 0.5, .p = 3.0, .eps = 0.01, .swap = true});
  };
}

const GoldenFunctions& losses() {
  static const GoldenFunctions all = [] {
    GoldenFunctions f;
    add_distances(f);
    add_binary(f);
    add_classes(f);
    add_distributions(f);
    add_margins(f);
    return f;
  }();
  return all;
}

TEST(LossGolden, ValuesAndGradientsAsPyTorch) { check_golden("loss", losses()); }

TEST(LossGolden, Gradcheck) {
  for (const GoldenCase& c : golden_cases("loss")) {
    if (c.dtype != float64) continue;
    // Below eps the gradient of a variance is not the derivative, on purpose.
    if (c.name == "gaussian_nll_loss,eps") continue;
    const GoldenFunction& f = golden_function(losses(), c.name)->second;
    const TensorFunction value = [&](const Inputs& in) { return f(in, c.arguments).values; };
    const GradcheckReport first = gradcheck(value, c.x), second = gradgradcheck(value, c.x);
    EXPECT_TRUE(first) << c.name << ": " << first.message();
    EXPECT_TRUE(second) << c.name << ": " << second.message();
  }
}

}  // namespace
}  // namespace ops_test
