// SPDX-License-Identifier: Apache-2.0
// Hooks on gradients: when they are called and with what, replacement, order, removal, exceptions, retained
// and recorded sweeps, tapes that nest.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"

namespace {

namespace ag = autograd;
using ag::HookHandle;
using ag::Tape;
using ag::TapeError;
using ag::Tensor;
using autograd::check::message_of;

TEST(Hooks, LeafSeesItsGradient) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({1, 2}));
  std::vector<double> seen;
  x.register_hook([&](const Tensor& g) { seen.push_back(g.at({1})); });
  tape.backward(ag::sum(x * x + x * 3.0));
  EXPECT_EQ(seen, (std::vector<double>{7}));  // once, complete
  EXPECT_EQ(x.grad().at({1}), 7);
}

TEST(Hooks, RecordedTensorSeesItsGradientWhenItIsComplete) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({1, 2}));
  const Tensor h = x * 2.0;
  const Tensor early = h * h;  // used before the hook is there
  int calls = 0;
  h.register_hook([&](const Tensor& g) {
    ++calls;
    EXPECT_EQ(g.at({1}), 2 * 4 + 5);
  });
  tape.backward(ag::sum(early + h * 5.0));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(x.grad().at({1}), 26);
}

TEST(Hooks, ReplacementGoesOn) {
  Tape tape;
  const Tensor x = tape.input(ag::tensor({1, 2}));
  const Tensor h = ag::exp(x);
  h.register_hook([](const Tensor& g) { return g * 0.0 + 10.0; });
  x.register_hook([](const Tensor& g) { return g * 2.0; });
  tape.backward(ag::sum(h));
  EXPECT_NEAR(x.grad().at({0}), 2 * 10 * std::exp(1.0), 1e-5);
}

TEST(Hooks, RunInOrderEachWithWhatTheOneBeforeLeft) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({1}));
  const Tensor h = x + 1.0;
  std::string order;
  h.register_hook([&](const Tensor& g) {
    order += 'a';
    return g + 1.0;
  });
  h.register_hook([&](const Tensor& g) {
    order += 'b';
    EXPECT_EQ(g.item(), 2);
  });
  h.register_hook([&](const Tensor& g) {
    order += 'c';
    return g * 10.0;
  });
  tape.backward(h);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(x.grad().item(), 20);
}

TEST(Hooks, Removal) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({1}));
  const Tensor h = x * 3.0;
  int calls = 0;
  HookHandle first = h.register_hook([&](const Tensor&) { ++calls; });
  HookHandle leaf = x.register_hook([&](const Tensor&) { ++calls; });
  tape.backward(h, {.retain = true});
  EXPECT_EQ(calls, 2);
  first.remove();
  first.remove();
  leaf.remove();
  tape.backward(h, {.retain = true});
  EXPECT_EQ(calls, 2);
  HookHandle().remove();
}

TEST(Hooks, RemovalDuringTheSweep) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({1}));
  const Tensor h = x * 3.0;
  int calls = 0;
  HookHandle self, other;
  self = h.register_hook([&](const Tensor& g) {
    ++calls;
    self.remove();
    other.remove();
    return g * 2.0;
  });
  other = h.register_hook([&](const Tensor&) { calls += 100; });
  tape.backward(h, {.retain = true});
  EXPECT_EQ(x.grad().item(), 6);
  tape.backward(h, {.retain = true});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(x.grad().item(), 9);
}

TEST(Hooks, RetainedSweepsCallAgain) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({1}));
  const Tensor h = x * 3.0;
  int calls = 0;
  h.register_hook([&](const Tensor&) { ++calls; });
  for (int i = 0; i < 3; ++i) tape.backward(h * 1.0, {.retain = true});
  EXPECT_EQ(calls, 3);
}

TEST(Hooks, ParametersKeepThemFromTapeToTape) {
  Tensor w = ag::ones({2});
  w.set_requires_grad();
  int calls = 0;
  HookHandle handle = w.register_hook([&](const Tensor& g) {
    ++calls;
    return g * 0.5;
  });
  for (int i = 0; i < 2; ++i) {
    Tape tape;
    tape.backward(ag::sum(w * 4.0));
  }
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(w.grad().at({0}), 4);
  handle.remove();
  w.set_requires_grad(false);
}

TEST(Hooks, LivesNoLongerThanItsTensor) {
  const auto token = std::make_shared<int>(0);
  {
    Tensor w = ag::ones({2});
    w.set_requires_grad();
    w.register_hook([token](const Tensor&) {});
    Tape tape;
    const Tensor h = w * 2.0;
    h.register_hook([token](const Tensor&) {});
    EXPECT_EQ(token.use_count(), 3);
    tape.backward(ag::sum(h));
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Hooks, ExceptionsLeaveTapeAndGradientsAlone) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({2})), z = tape.input(ag::ones({2}));
  tape.backward(ag::sum(x + z));
  for (const bool leaf : {false, true}) {
    const Tensor h = x * z;
    HookHandle handle = (leaf ? x : h).register_hook([](const Tensor&) { throw 7; });
    const std::size_t size = tape.size();
    EXPECT_THROW(tape.backward(ag::sum(h), {.retain = true}), int);
    EXPECT_EQ(tape.size(), size + 1);  // the sum
    EXPECT_EQ(x.grad().at({0}), 1);
    EXPECT_EQ(z.grad().at({0}), 1);
    handle.remove();
    tape.backward(ag::sum(h * 0.0));
  }
}

TEST(Hooks, Misuse) {
  EXPECT_EQ(
      message_of<TapeError>([] {
        ag::ones({2, 3}).register_hook([](const Tensor&) {});
      }),
      "register_hook: this tensor needs no gradient: its shape is [2, 3]; need a parameter, an "
      "input (tape.input) or what a tape in scope recorded");
  Tensor kept;
  {
    Tape tape;
    kept = tape.input(ag::ones({1})) * 2.0;
  }
  EXPECT_NE(message_of<TapeError>([&] {
              kept.register_hook([](const Tensor&) {});
            }).find("the tape of this tensor has ended or was swept"),
            std::string::npos);
  EXPECT_THROW(Tensor().register_hook([](const Tensor&) {}), ag::ValueError);

  Tape tape;
  const Tensor x = tape.input(ag::ones({2}));
  HookHandle handle = x.register_hook([](const Tensor&) { return ag::ones({3}); });
  EXPECT_EQ(
      message_of<ag::ShapeError>([&] { tape.backward(ag::sum(x)); }),
      "register_hook: the replacement does not fit: the hook returned float32 [3], the gradient "
      "is float32 [2]; need equal shape and dtype (or nothing, to leave the gradient)");
  handle.remove();
  x.register_hook([](const Tensor& g) { ag::fill_(ag::detach(g), 0.0); });
  EXPECT_NE(message_of<TapeError>([&] { tape.backward(ag::sum(x)); }).find("in place"),
            std::string::npos);
}

TEST(Hooks, GatheredTermsCallWhatLiesBeforeTheMarkOnce) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({2}));
  const Tensor h = x * 2.0;
  int calls = 0;
  h.register_hook([&](const Tensor& g) {
    ++calls;
    EXPECT_EQ(g.at({0}), 3);
  });
  const Tape::Mark mark = tape.mark();
  tape.backward_to(ag::sum(h), mark);
  tape.backward_to(ag::sum(h * 2.0), mark);
  EXPECT_EQ(calls, 0);
  tape.backward_from(mark);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(x.grad().at({0}), 6);
}

// The hook squares the gradient of h = x^3: with y = h^2, dy/dx = (2 h)^2 3 x^2 = 12 x^8, whose derivative is
// 96 x^7.
TEST(Hooks, RecordedSweepsRecordTheHook) {
  Tape outer;
  const Tensor x = outer.input(ag::tensor({1.5}, ag::float64));
  Tensor g;
  {
    Tape inner;
    const Tensor t = inner.input(x);
    const Tensor h = t * t * t;
    HookHandle handle = h.register_hook([](const Tensor& dh) { return ag::square(dh); });
    g = inner.gradients(ag::square(h), Tensor(), {t})[0];
    handle.remove();  // the outer tape recorded h too, and would square its gradient
  }
  EXPECT_NEAR(g.item(), 12 * std::pow(1.5, 8), 1e-10);
  outer.backward(g);
  EXPECT_NEAR(x.grad().item(), 96 * std::pow(1.5, 7), 1e-9);
}

TEST(Hooks, SecondOrderThroughTheDrivers) {
  const auto f = [](const std::vector<Tensor>& in) {
    in[0].register_hook([](const Tensor& g) { return g * g; });  // (3 x^2)^2 = 9 x^4
    return ag::sum(in[0] * in[0] * in[0]);
  };
  const Tensor x = ag::tensor({1.5}, ag::float64);
  EXPECT_NEAR(ag::grad(f, {x})[0].item(), 9 * std::pow(1.5, 4), 1e-12);
  Tape outer;
  const Tensor t = outer.input(x);
  outer.backward(ag::grad(f, {t})[0]);
  EXPECT_NEAR(t.grad().item(), 36 * std::pow(1.5, 3), 1e-12);
}

TEST(Hooks, AnomalyModeRunsThem) {
  Tape tape;
  const Tensor x = tape.input(ag::ones({2}));
  const Tensor h = x * 2.0;
  h.register_hook([](const Tensor& g) { return g * 5.0; });
  const ag::AnomalyMode guard;
  tape.backward(ag::sum(h));
  EXPECT_EQ(x.grad().at({0}), 10);
}

}  // namespace
