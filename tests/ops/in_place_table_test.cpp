// SPDX-License-Identifier: Apache-2.0
// In-place changes, as a table: every in-place function, to every kind of tensor that shares what an op
// was given or what it gave, with every op of the list. Always either the gradient as if nothing had
// changed, or a TapeError that names the op that saved and the function that changed; HARD_CASES rows
// 68 to 71. Single cases with their exact messages are in in_place_test.cpp.
#include <autograd/user_memory.hpp>
#include <nn/init.hpp>

#include <array>

#include "support.hpp"

namespace ops_test {
namespace {

using namespace autograd;

struct Change {
  const char* name;
  void (*apply)(Tensor x);
};

const Change kChanges[] = {
    {"fill_", [](Tensor x) { fill_(x, 7); }},
    {"add_", [](Tensor x) { add_(x, constant(x, 1)); }},
    {"copy_", [](Tensor x) { copy_(x, constant(x, -3)); }},
    {"constant_", [](Tensor x) { nn::constant_(x, 7); }},
    {"uniform_", [](Tensor x) { nn::uniform_(x); }},
    {"normal_", [](Tensor x) { nn::normal_(x); }},
    {"xavier_uniform_", [](Tensor x) { nn::xavier_uniform_(x); }},
    {"xavier_normal_", [](Tensor x) { nn::xavier_normal_(x); }},
    {"kaiming_uniform_", [](Tensor x) { nn::kaiming_uniform_(x); }},
    {"kaiming_normal_", [](Tensor x) { nn::kaiming_normal_(x); }},
    {"my_kernel",
     [](Tensor x) {
       if (x.dtype() == float64 && x.is_contiguous()) x.mutable_data<double>()[0] = 7;
       note_change(x, "my_kernel");
     }},
};

// From a tensor to one that shares its elements: what is changed instead of it.
struct Alias {
  const char* name;
  Tensor (*of)(const Tensor& x);
};

const Alias kAliases[] = {
    {"itself", [](const Tensor& x) { return x; }},
    {"another handle of it", [](const Tensor& x) { return Tensor(x); }},
    {"detached", [](const Tensor& x) { return detach(x); }},
    {"transposed view", [](const Tensor& x) { return transpose(x); }},
    {"reshaped view",
     [](const Tensor& x) {
       return reshape(x, {x.numel(), 1});
     }},
    {"part", [](const Tensor& x) { return narrow(x, 0, 1, 1); }},
    {"one of several views", [](const Tensor& x) { return split(x, 1, 1)[1]; }},
    {"view of a detached one", [](const Tensor& x) { return squeeze(unsqueeze(detach(x), 1)); }},
    {"part of a part", [](const Tensor& x) { return narrow(narrow(x, 1, 0, 2), 0, 0, 1); }},
};

// What the op is given, of the tensor h.
const Alias kGiven[] = {
    {"h", [](const Tensor& h) { return h; }},
    {"a view of h", [](const Tensor& h) { return transpose(h); }},
    {"a part of h", [](const Tensor& h) { return narrow(h, 0, 0, 2); }},
    {"h expanded",
     [](const Tensor& h) {
       return expand(unsqueeze(h, 0), {2, -1, -1});
     }},
};

struct Use {
  const char* op;
  bool input, output;  // what its backward pass reads
  Tensor (*f)(const Tensor& x);
};

const Use kUses[] = {
    {"sin", true, false, [](const Tensor& x) { return sin(x); }},
    {"mul", true, false, [](const Tensor& x) { return x * x; }},
    {"matmul", true, false, [](const Tensor& x) { return matmul(x, transpose(x)); }},
    {"exp", false, true, [](const Tensor& x) { return exp(x); }},
    {"softmax", false, true, [](const Tensor& x) { return softmax(x, -1); }},
    {"div", true, true, [](const Tensor& x) { return 1.0 / x; }},
    {"logsumexp", true, true, [](const Tensor& x) { return logsumexp(x, -1); }},
    {"custom_function", true, true,
     [](const Tensor& x) {
       static const TensorFunction cube =
           custom_function([](const Inputs& in) { return in[0] * in[0] * in[0]; },
                           [](const Inputs& in, const Tensor&, const Tensor& dy) {
                             return Inputs{dy * in[0] * in[0] * 3.0};
                           });
       return cube({x});
     }},
    {"add", false, false, [](const Tensor& x) { return x + x; }},
    {"neg", false, false, [](const Tensor& x) { return -x; }},
    {"sum", false, false, [](const Tensor& x) { return sum(x, {-1}); }},
    {"cumsum", false, false, [](const Tensor& x) { return cumsum(x, -1); }},
};

Tensor start() { return f64({{0.5, 1.5, -0.75}, {2.5, -1, 0.25}}); }
Tensor cotangent(const Tensor& y) {
  Generator generator(3);
  return randn(y.shape(), generator, y.dtype());
}

// The gradient of x; empty when the backward pass threw what it has to throw.
Doubles backward(Tape& tape, const Tensor& x, const Tensor& y, const char* op, const char* change) {
  try {
    tape.backward(y, {.seed = cotangent(y)});
  } catch (const TapeError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(std::string("backward of ") + op), message.npos) << message;
    EXPECT_NE(message.find(std::string("changed in place by ") + change), message.npos) << message;
    EXPECT_FALSE(x.has_grad());
    return {};
  }
  return x.has_grad() ? values(x.grad()) : Doubles{0};
}

struct Setting {
  const Use& use;
  const Alias& given;
  const Alias& alias;
  const Change* change = nullptr;
  bool output = false;  // the result is changed, not what the op was given
};

Doubles run(const Setting& s) {
  Tape tape;
  const Tensor x = tape.input(start());
  const Tensor h = x * 1.0;  // its second operand is a number: nothing of h is saved here
  const Tensor y = s.use.f(s.given.of(h));
  const Tensor z = y + 0.0;  // reads nothing
  if (s.change) s.change->apply(s.alias.of(s.output ? (y.dim() < 2 ? reshape(y, {1, -1}) : y) : h));
  return backward(tape, x, z, s.use.op, s.change ? s.change->name : "");
}

// h is changed, itself or through something that shares its elements.
TEST(InPlaceTable, WhatAnOpWasGiven) {
  for (const Use& use : kUses) {
    for (const Alias& given : kGiven) {
      const Doubles want = run({use, given, kAliases[0]});
      for (const Alias& alias : kAliases) {
        for (const Change& change : kChanges) {
          SCOPED_TRACE(std::string(use.op) + " of " + given.name + ", " + change.name + " of " +
                       alias.name);
          EXPECT_EQ(run({use, given, alias, &change}), use.input ? Doubles{} : want);
        }
      }
    }
  }
}

TEST(InPlaceTable, WhatAnOpGave) {
  for (const Use& use : kUses) {
    const Doubles want = run({use, kGiven[0], kAliases[0]});
    for (const char* alias : {"itself", "detached", "transposed view", "reshaped view"}) {
      const Alias* found =
          std::find_if(std::begin(kAliases), std::end(kAliases),
                       [&](const Alias& a) { return std::string(a.name) == alias; });
      for (const Change& change : kChanges) {
        SCOPED_TRACE(std::string(use.op) + ", " + change.name + " of " + alias);
        EXPECT_EQ(run({use, kGiven[0], *found, &change, true}), use.output ? Doubles{} : want);
      }
    }
  }
}

// Throws before anything is written, names the function, and leaves the backward pass as it was.
TEST(InPlaceTable, RefusedAtOnce) {
  const Alias expanded = {"expanded", [](const Tensor& h) { return expand(h, {2, -1, -1}); }};
  const Alias windows = {"windows", [](const Tensor& h) { return unfold(h, 1, 2, 1); }};
  const Alias leaf = {"leaf", [](const Tensor& x) { return x; }};
  for (const Use& use : kUses) {
    const Doubles want = run({use, kGiven[0], kAliases[0]});
    for (const Alias* target : {&expanded, &windows, &leaf}) {
      for (const Change& change : kChanges) {
        if (std::string(change.name) == "my_kernel") continue;  // it checks nothing itself
        SCOPED_TRACE(std::string(use.op) + ", " + change.name + " of " + target->name);
        Tape tape;
        const Tensor x = tape.input(start());
        const Tensor h = x * 1.0, y = use.f(h) + 0.0;
        EXPECT_THROW(change.apply(target->of(target == &leaf ? x : h)), TapeError);
        EXPECT_EQ(values(x), values(start()));
        EXPECT_EQ(backward(tape, x, y, use.op, change.name), want);
      }
    }
  }
}

// A leaf is a view of what it was made from, and of a parameter detach gives one: those may change, and
// what was saved of the leaf is noticed.
TEST(InPlaceTable, WhatALeafSharesItsElementsWith) {
  for (const Use& use : kUses) {
    for (const Change& change : kChanges) {
      for (const char* what : {"its source", "user memory", "detached", "view of detached"}) {
        SCOPED_TRACE(std::string(use.op) + ", " + change.name + " of " + what);
        Doubles memory = values(start());
        Doubles want;
        for (bool changed : {false, true}) {
          memory = values(start());
          const Tensor source = what == std::string("user memory")
                                    ? from_span(std::span(memory), Shape{2, 3})
                                    : start();
          Tape tape;
          const Tensor x = tape.input(source);
          const Tensor y = use.f(x) + 0.0;
          const bool made_from = what[0] == 'i' || what[0] == 'u';
          const Tensor target = made_from        ? source
                                : what[0] == 'd' ? detach(x)
                                                 : transpose(detach(x));
          if (changed) change.apply(target);
          const Doubles got = backward(tape, x, y, use.op, change.name);
          if (!changed) {
            want = got;
          } else {
            EXPECT_EQ(got, use.input ? Doubles{} : want);
          }
        }
      }
    }
  }
}

// Constants that an op reads: operands, indices, conditions, statistics.
TEST(InPlaceTable, Constants) {
  struct Case {
    const char* op;
    Tensor constant;
    Tensor (*f)(const Tensor& x, const Tensor& constant);
  };
  const Tensor index = i64({{0, 1, 1}, {1, 0, 1}}), rows = i64({1, 0}), mask = start() > 0.0;
  Doubles memory(6, 2.0);
  const Tensor user = from_span(std::span(memory), Shape{2, 3});
  const Case cases[] = {
      {"mul", user, [](const Tensor& x, const Tensor& c) { return x * c; }},
      {"mul", start(), [](const Tensor& x, const Tensor& c) { return x * c; }},
      {"mul", start(), [](const Tensor& x, const Tensor& c) { return x * narrow(c, 0, 1, 1); }},
      {"gather", index, [](const Tensor& x, const Tensor& c) { return gather(x, 0, c); }},
      {"scatter_add", index,
       [](const Tensor& x, const Tensor& c) { return scatter_add(start() * 0.0, 0, c, x); }},
      {"index_select", rows,
       [](const Tensor& x, const Tensor& c) { return index_select(x, 0, c); }},
      {"where", mask, [](const Tensor& x, const Tensor& c) { return where(c, x, 2.0 * x); }},
      {"embedding", rows, [](const Tensor& x, const Tensor& c) { return embedding(c, x); }},
      // Statistics are copied: the gradients of x and of the weight are those before the change.
      {"", f64({1, 2, 3}),
       [](const Tensor& x, const Tensor& c) { return batch_norm(x, c, ones({3}, float64)); }},
      {"", f64({1, 2, 3}),
       [](const Tensor& x, const Tensor& c) { return batch_norm(x, zeros({3}, float64), c); }},
      {"", f64({1, 2, 3}),
       [](const Tensor& x, const Tensor& c) {
         return batch_norm(start(), c, ones({3}, float64), select(x, 0, 0));
       }},
      {"", f64({1, 2, 3}),
       [](const Tensor& x, const Tensor& c) {
         return batch_norm(start(), zeros({3}, float64), c, select(x, 0, 0));
       }},
      {"", f64({1, 2, 3}),
       [](const Tensor& x, const Tensor& c) {
         return batch_norm(x, c, c + 1.0, {}, {}, {.training = true});
       }},
  };
  for (const Case& c : cases) {
    Doubles want;
    for (const char* change : {"nothing", "itself", "detached", "view"}) {
      SCOPED_TRACE(std::string(c.op) + ", " + change);
      const Tensor before = contiguous(c.constant) + 0;
      Tape tape;
      const Tensor x = tape.input(start());
      const Tensor y = c.f(x, c.constant) + 0.0;
      Tensor target = change[0] == 'i'   ? c.constant
                      : change[0] == 'd' ? detach(c.constant)
                                         : reshape(c.constant, {-1});
      if (change[0] == 'n') {
        want = backward(tape, x, y, c.op, "");
        EXPECT_EQ(want.size(), 6u);
        continue;
      }
      copy_(target, zeros_like(target));
      EXPECT_EQ(backward(tape, x, y, c.op, "copy_"), c.op[0] ? Doubles{} : want);
      copy_(target, reshape(before, target.shape()));
    }
  }
}

// What shares elements with a changed tensor is not what the tape knows either; detached it is a
// constant of the new value.
TEST(InPlaceTable, UsedAfterTheChange) {
  for (const Alias& alias : kAliases) {
    for (const Change& change : kChanges) {
      SCOPED_TRACE(std::string(change.name) + ", then " + alias.name);
      Tape tape;
      const Tensor x = tape.input(start());
      const Tensor h = x * 1.0;
      const Tensor shared = alias.of(h);
      const bool tracked = std::string(alias.name).find("detached") == std::string::npos;
      change.apply(h);
      try {
        const Tensor y = sum(shared * shared) + sum(x);
        EXPECT_FALSE(tracked) << "a stale value was used";
        tape.backward(y);
        EXPECT_EQ(values(x.grad()), Doubles(6, 1.0));
      } catch (const TapeError& error) {
        EXPECT_TRUE(tracked);
        const std::string message = error.what();
        EXPECT_NE(message.find(std::string("changed in place by ") + change.name), message.npos)
            << message;
      }
    }
  }
}

// Every op of the list in every one of its uses: whatever it saves, it notices.
TEST(InPlaceTable, EveryOpOfTheList) {
  int refused = 0, kept = 0;
  const auto check = [&](const std::string& label, const TensorFunction& f, const Inputs& points) {
    for (std::size_t k = 0; k < points.size(); ++k) {
      for (const bool output : {false, true}) {
        SCOPED_TRACE(label + (output ? ", result" : ", input " + std::to_string(k)));
        Doubles want;
        for (const bool changed : {false, true}) {
          Tape tape;
          Inputs leaves, in;
          for (const Tensor& point : points) {
            leaves.push_back(tape.input(point));
            in.push_back(leaves.back() * 1.0);
          }
          const Tensor y = f(in);
          const Tensor z = y + 0.0;
          Tensor target = detach(output ? y : in[k]);
          if (changed) {
            try {
              add_(target, ones({}, target.dtype()));
            } catch (const TapeError&) {
              continue;  // repeated memory
            }
          }
          try {
            tape.backward(z, {.seed = cotangent(z)});
          } catch (const TapeError& error) {
            const std::string message = error.what();
            ASSERT_TRUE(changed) << message;
            EXPECT_NE(message.find("backward of "), message.npos) << message;
            EXPECT_NE(message.find("changed in place by add_"), message.npos) << message;
            ++refused;
            continue;
          }
          const Doubles got = leaves[k].has_grad() ? values(leaves[k].grad()) : Doubles{};
          if (!changed) want = got;
          if (!changed) continue;
          ASSERT_EQ(got.size(), want.size());
          for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(near(got[i], want[i], 0));
          ++kept;
        }
      }
    }
  };
  Generator generator(11);
  for (const ops::OpEntry& op : ops::differentiable_functions()) {
    if (op.arity > 0) {
      const RowCalls* row = find_row(op.name);
      Inputs points;
      for (int i = 0; i < op.arity; ++i) {
        points.push_back(draw({2, 3}, generator, row->info.cases[0], row->info.cases[1]));
      }
      check(op.name, row->f, points);
      if (op.arity < 2) continue;
      points[1] = draw({3}, generator, row->info.cases[0], row->info.cases[1]);
      check(op.name + ", broadcast", row->f, points);
      continue;
    }
    for (const ops::OpCase& c : op.cases) {
      Inputs points;
      for (const Shape& shape : c.inputs) points.push_back(draw(shape, generator, c.range));
      try {
        check(op.name + ", " + c.label, c.f, points);
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("built without"), std::string::npos)
            << op.name << ", " << c.label << ": " << error.what();
      }
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(kept, 100);
}

}  // namespace
}  // namespace ops_test
