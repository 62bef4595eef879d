// SPDX-License-Identifier: Apache-2.0
// Every misuse of a tape throws TapeError with a message that names the fix, in release builds, and
// leaves the tape usable. Misuse of single operations is in their own tests.
#include <gtest/gtest.h>
#include <autograd/autograd.hpp>

#include <optional>
#include <thread>

#include "check.hpp"

namespace autograd {
namespace {

using check::message_of;

// f throws a TapeError whose message has every one of `words`; the tape in scope still works.
template <class F> void expect_misuse(std::initializer_list<const char*> words, F f) {
  const std::string message = message_of<TapeError>(f);
  for (const char* word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << "no '" << word << "' in: " << message;
  }
}

void expect_usable(Tape& tape) {
  const Var x = tape.input(3.0);
  tape.backward(x * x);
  EXPECT_EQ(x.grad(), 6);
  const Tensor w = tape.input(ones({2}, float64));
  tape.backward(sum(w * w * 2.0));
  EXPECT_EQ(w.grad().at({1}), 4);
}

TEST(MisuseTest, AScalarOfAnEndedTape) {
  Var kept;
  {
    Tape tape;
    kept = tape.input(2.0) * 3.0;
  }
  Tape tape;
  const Var x = tape.input(1.0);
  const std::size_t size = tape.size();
  Var y = x;
  expect_misuse({"another tape", "ended", "tape.input"}, [&] { y = x * kept; });
  expect_misuse({"another tape"}, [&] { y = kept * 2.0; });
  expect_misuse({"another tape"}, [&] { y += kept; });
  expect_misuse({"another tape"}, [&] { (void)stack({x, kept}); });
  expect_misuse({"backward: ", "another tape"}, [&] { tape.backward(kept); });
  expect_misuse({"Var::grad", "ended"}, [&] { kept.grad(); });
  EXPECT_FALSE(kept.has_grad());
  EXPECT_EQ(y.value(), 1);
  EXPECT_EQ(tape.size(), size);  // nothing was recorded
  y = x * kept.value();          // the fix
  expect_usable(tape);
}

TEST(MisuseTest, AScalarOfAnotherTape) {
  Tape outer;
  const Var x = outer.input(2.0);
  {
    Tape inner;
    expect_misuse({"another tape", "x.value()"}, [&] { (void)Var(x * 2.0); });
    expect_misuse({"another tape"}, [&] { (void)Var(x + inner.input(1.0)); });
    expect_usable(inner);
  }
  Var z;
  {
    Tape inner;
    z = inner.input(4.0) * 1.0;
  }
  expect_misuse({"another tape"}, [&] { (void)Var(x * z); });
  expect_usable(outer);
}

// A stamp is a code: no combination of operands of other tapes looks like the present one.
TEST(MisuseTest, ManyForeignOperandsAtOnce) {
  std::vector<Var> foreign;
  for (int i = 0; i < 300; ++i) {
    Tape tape;
    foreign.push_back(tape.input(1.0) * 1.0);
  }
  Tape tape;
  const Var x = tape.input(1.0);
  for (std::size_t i = 0; i + 3 < foreign.size(); ++i) {
    expect_misuse({"another tape"}, [&] {
      (void)Var(x + foreign[i] * foreign[i + 1] + foreign[i + 2] * foreign[i + 3]);
    });
  }
  expect_usable(tape);
}

TEST(MisuseTest, AConsumedRecording) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  tape.backward(h * 3.0);
  expect_misuse({"consumed", "retain"}, [&] { (void)Var(h * 2.0); });
  expect_misuse({"consumed", "retain"}, [&] { (void)Var(x * h); });
  expect_misuse({"consumed", "retain"}, [&] { tape.backward(h); });
  expect_misuse({"consumed", "retain"}, [&] { h.grad(); });
  const Tensor w = tape.input(ones({2}));
  const Tensor v = w * 2.0;
  tape.backward(sum(v));
  expect_misuse({"mul", "consumed", "detach"}, [&] { (void)(v * v); });
  expect_misuse({"mul", "consumed", "detach"},
                [&] { (void)(w * v); });  // beside one that is tracked
  expect_misuse({"backward", "retain"}, [&] { tape.backward(v, {.seed = v}); });
  expect_misuse({"unstack", "detach"}, [&] { (void)unstack(v); });
  EXPECT_EQ((w * detach(v)).at({0}), 2);  // the fix
  expect_usable(tape);
}

TEST(MisuseTest, BackwardTwice) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var y = x * x;
  tape.backward(y);
  expect_misuse({"backward", "retain"}, [&] { tape.backward(y); });
  EXPECT_EQ(x.grad(), 4);
  const Tensor w = tape.input(ones({2}));
  const Tensor v = sum(w * w);
  tape.backward(v);
  expect_misuse({"backward", "retain"}, [&] { tape.backward(v); });
  EXPECT_EQ(w.grad().at({0}), 2);
  expect_usable(tape);
}

TEST(MisuseTest, ATensorOfAnEndedTape) {
  Tensor kept;
  {
    Tape tape;
    kept = tape.input(ones({2, 2})) * 3.0;
  }
  EXPECT_EQ(sum(kept).item(), 12);  // serves where nothing records
  Tape tape;
  const Tensor x = tape.input(ones({2, 2}));
  const std::size_t size = tape.size();
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { (void)(kept * 2.0); }, [&] { (void)(x * kept); }, [&] { (void)(kept + x); },
           [&] { (void)matmul(x, kept); }, [&] { (void)where(x > 0.0, kept, x); },
           [&] { (void)reshape(kept, {4}); },
           [&] {
             (void)custom_function(
                 [](const std::vector<Tensor>& in) { return in[0] * in[1]; },
                 [](const std::vector<Tensor>& in, const Tensor&, const Tensor& dy) {
                   return std::vector<Tensor>{dy * in[1], dy * in[0]};
                 })({x, kept});
           }}) {
    expect_misuse({"ended", "detach"}, use);
  }
  EXPECT_EQ(tape.size(), size);
  EXPECT_EQ((x * detach(kept)).at({0, 0}), 3);
  EXPECT_EQ(kept.at({0, 0}), 3);
  expect_usable(tape);
}

TEST(MisuseTest, ATensorAfterARewind) {
  Tape tape;
  const Tensor x = tape.input(ones({2}));
  const Tape::Mark mark = tape.mark();
  const Tensor h = x * 2.0;
  tape.rewind(mark);
  expect_misuse({"mul", "rewound", "detach"}, [&] { (void)(h * x); });
  expect_misuse({"backward", "retain"}, [&] { tape.backward(h, {.seed = ones({2})}); });
  expect_usable(tape);
}

TEST(MisuseTest, AScalarAfterARewindToTheStart) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Tape::Mark mark = tape.mark();
  const Var h = x * x;
  tape.rewind(mark);
  expect_misuse({"rewind"}, [&] { (void)Var(h * x); });
  expect_misuse({"rewind"}, [&] { tape.backward(h); });
  expect_usable(tape);
}

#ifdef AUTOGRAD_CHECKED
TEST(MisuseTest, AScalarAfterARewind) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var before = x * x;
  const Tape::Mark mark = tape.mark();
  const Var h = before * x;
  tape.rewind(mark);
  const Var other = before * 5.0, another = other * 2.0;  // has taken the place of h
  expect_misuse({"rewind"}, [&] { (void)Var(h * x); });
  tape.backward(another);
  EXPECT_EQ(x.grad(), 40);
}
#endif

TEST(MisuseTest, MarksThatAreGone) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  const Tape::Mark early = tape.mark();
  const Var forgotten = h * x;
  (void)forgotten;
  const Tape::Mark late = tape.mark();
  tape.rewind(early);
  const Var other = h + x, next = other + x;
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { tape.rewind(late); }, [&] { tape.backward_from(late); },
           [&] { tape.backward_to(next, late); }}) {
    expect_misuse({"mark", "rewound"}, use);
  }
  tape.backward(next);
  expect_misuse({"mark", "backward"}, [&] { tape.rewind(early); });
  Tape inner;
  expect_misuse({"mark"}, [&] { inner.rewind(late); });
  expect_usable(inner);
}

TEST(MisuseTest, GatheredTermsAreNotForgotten) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var h = x * x;
  const Tape::Mark mark = tape.mark();
  tape.backward_to(h * 3.0, mark);
  expect_misuse({"backward_to", "backward_from", "zero_grad"}, [&] { tape.backward(h); });
  tape.backward_from(mark);
  EXPECT_EQ(x.grad(), 12);
  expect_usable(tape);
}

TEST(MisuseTest, OutputsAndSeeds) {
  Tape tape;
  const Tensor w = tape.input(ones({3}));
  const Tensor v = w * 2.0;
  expect_misuse({"seed", "[3]", "sum"}, [&] { tape.backward(v); });
  expect_misuse({"no input reaches"}, [&] { tape.backward(sum(ones({3}))); });
  expect_misuse({"no input reaches"}, [&] { tape.backward(Var(1.0)); });
  EXPECT_THROW(tape.backward(v, {.seed = ones({2})}), ShapeError);
  EXPECT_THROW(tape.backward(v, {.seed = ones({3}, float64)}), ShapeError);
  EXPECT_THROW(tape.input(zeros({3}, int64)), TypeError);
  EXPECT_THROW(tape.input(zeros({3}) > 0.0), TypeError);
  EXPECT_THROW(tape.input(Tensor()), ValueError);
  EXPECT_THROW(tape.backward(Tensor()), ValueError);
  EXPECT_THROW((void)unstack(ones({2, 2})), ShapeError);
  EXPECT_THROW((void)unstack(zeros({2}, int64)), ShapeError);
  expect_misuse({"grad", "no sweep"}, [&] { (void)w.grad(); });
  tape.backward(v, {.seed = ones({3})});  // and nothing of the failed ones is left
  EXPECT_EQ(w.grad().at({0}), 2);
  expect_usable(tape);
}

TEST(MisuseTest, GradientsThatNoSweepReached) {
  Tape tape;
  const Var x = tape.input(2.0), constant = 1.0;
  const Var h = x * x;
  EXPECT_FALSE(x.has_grad());
  expect_misuse({"Var::grad", "no sweep has reached this input"}, [&] { x.grad(); });
  expect_misuse({"Var::grad", "retain"}, [&] { h.grad(); });
  expect_misuse({"Var::grad", "constant"}, [&] { constant.grad(); });
  tape.backward(h, {.retain = true});
  const Var later = tape.input(3.0);
  const Var after = later * h;
  expect_misuse({"Var::grad", "no sweep has reached this input"}, [&] { later.grad(); });
  expect_misuse({"Var::grad", "no retained sweep"}, [&] { after.grad(); });
  EXPECT_EQ(x.grad(), 4);
  EXPECT_EQ(h.grad(), 1);
  tape.backward(after);
  EXPECT_EQ(later.grad(), 4);
  expect_usable(tape);
}

// What was recorded before the exception stays, reaches nothing, and goes with the next sweep.
TEST(MisuseTest, AFunctionThatThrowsHalfway) {
  struct Stop {};
  Tape tape;
  const Var x = tape.input(2.0);
  const Tensor w = tape.input(ones({2}, float64));
  const auto f = [&](bool stop) {
    Var y = x * x;
    Tensor v = w * y.value();
    if (stop) throw Stop{};
    y += unstack(v)[0];
    return y * x;
  };
  const Tape::Mark mark = tape.mark();
  EXPECT_THROW(f(true), Stop);
  tape.rewind(mark);
  EXPECT_EQ(tape.size(), 2u);
  EXPECT_THROW(f(true), Stop);
  tape.backward(f(false));
  EXPECT_EQ(x.grad(), 12 + 4);  // 3 x^2, and v's elements, which hold 4 as a number
  EXPECT_EQ(w.grad().at({0}), 8);
  EXPECT_EQ(tape.size(), 2u);
  {
    Tape inner;
    EXPECT_THROW(grad(
                     [&](const std::vector<Tensor>& in) -> Tensor {
                       (void)(in[0] * in[0]);
                       throw Stop{};
                     },
                     {w}),
                 Stop);
    expect_usable(inner);
  }
  expect_usable(tape);
}

// --- Nesting and sweeps.

TEST(MisuseTest, TheOuterSweepWhileAnInnerTapeRecords) {
  Tape outer;
  const Var x = outer.input(2.0);
  const Var y = x * x;
  const Tensor w = outer.input(ones({2}));
  const Tensor v = sum(w * w);
  {
    Tape inner;
    expect_misuse({"nested tape", "end"}, [&] { outer.backward(y); });
    expect_misuse({"nested tape", "end"}, [&] { outer.backward(v); });
  }
  outer.backward(y, {.retain = true});
  outer.backward(v);
  EXPECT_EQ(x.grad(), 4);
  expect_usable(outer);
}

TEST(MisuseTest, UnstackOfWhatAnOuterTapeTracks) {
  Tape outer;
  const Tensor w = outer.input(ones({2}));
  {
    Tape inner;
    expect_misuse({"unstack", "outer tape", "innermost"}, [&] { (void)unstack(w * 2.0); });
    const Tensor v = inner.input(w);
    expect_misuse({"unstack", "outer tape"}, [&] { (void)unstack(v); });
    expect_usable(inner);
  }
  EXPECT_EQ(unstack(w)[0].value(), 1);
  expect_usable(outer);
}

TEST(MisuseTest, TheTapeInsideItsOwnSweep) {
  Tape tape;
  std::vector<std::string> messages;
  const auto f =
      custom_function([](const std::vector<Tensor>& in) { return in[0] * 2.0; },
                      [&](const std::vector<Tensor>&, const Tensor& y, const Tensor& dy) {
                        const Var v = 1.0;
                        for (const auto& use : std::vector<std::function<void()>>{
                                 [&] { tape.input(1.0); }, [&] { tape.input(ones({2})); },
                                 [&] { (void)tape.mark(); }, [&] { tape.rewind({}); },
                                 [&] { tape.backward(y); }, [&] { tape.backward(v); },
                                 [&] { tape.zero_grad(); }, [&] { tape.backward_from({}); }}) {
                          messages.push_back(message_of<TapeError>(use));
                        }
                        Tape own;  // the fix
                        const Tensor x = own.input(ones({2}));
                        own.backward(sum(x * 3.0));
                        return std::vector<Tensor>{dy * 2.0 * x.grad() / 3.0};
                      });
  const Tensor w = tape.input(ones({2}));
  tape.backward(sum(f({w})));
  EXPECT_EQ(w.grad().at({0}), 2);
  EXPECT_EQ(messages.size(), 8u);
  for (const std::string& message : messages) {
    EXPECT_NE(message.find("is being swept; need a tape of its own"), std::string::npos) << message;
  }
  expect_usable(tape);
}

TEST(MisuseTest, AnotherThread) {
  Tape tape;
  const Var x = tape.input(2.0);
  const Var y = x * x;
  const Tape::Mark mark = tape.mark();
  const Tensor w = tape.input(ones({2}));
  std::thread([&] {
    for (const auto& use : std::vector<std::function<void()>>{
             [&] { tape.input(1.0); }, [&] { tape.input(w); }, [&] { tape.backward(y); },
             [&] { tape.rewind(mark); }, [&] { (void)tape.mark(); }, [&] { tape.zero_grad(); },
             [&] { tape.backward_to(y, mark); }, [&] { tape.backward_from(mark); }}) {
      expect_misuse({"another thread", "one tape for each"}, use);
    }
    expect_misuse({"thread"}, [&] { x.grad(); });
    Tape own;
    expect_misuse({"another tape"}, [&] { (void)Var(x * 2.0); });
    expect_misuse({"another thread", "detach"}, [&] { (void)(w * 2.0); });
    expect_usable(own);
  }).join();
  tape.backward(y);
  EXPECT_EQ(x.grad(), 4);
  expect_usable(tape);
}

}  // namespace
}  // namespace autograd
