// SPDX-License-Identifier: Apache-2.0
// The joined tables; reductions and orders; what has no derivative.
#include "composites.hpp"

#include "../create.hpp"
#include "../indexing.hpp"
#include "../random.hpp"
#include "../reductions.hpp"
#include "../sequences.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;
using detail::composite, detail::constant_function;

constexpr Dtypes kAll = Dtypes::all, kFloating = Dtypes::floating,
                 kAsFloat32 = Dtypes::integers_as_float32;

// A function that takes no tensor.
OpEntry creation(const char* name, const char* value, Tensor (*f)(), const char* note = "") {
  return constant_function(name, value, {{"call", {}, [f](const Inputs&) { return f(); }}}, note);
}

std::vector<OpEntry> comparisons() {
  const auto pair = [](Tensor (*f)(const Tensor&, const Tensor&)) {
    const TensorFunction g = [f](const Inputs& in) { return f(in[0], in[1]); };
    return std::vector<OpCase>{{"matrices", {{2, 3}, {2, 3}}, g}, {"broadcast", {{2, 1}, {3}}, g}};
  };
  return {
      constant_function("eq", "a == b", pair([](auto& a, auto& b) { return a == b; }), "bool"),
      constant_function("ne", "a != b", pair([](auto& a, auto& b) { return a != b; }),
                        "bool; true for NaN"),
      constant_function("lt", "a < b", pair([](auto& a, auto& b) { return a < b; }), "bool"),
      constant_function("le", "a <= b", pair([](auto& a, auto& b) { return a <= b; }), "bool"),
      constant_function("gt", "a > b", pair([](auto& a, auto& b) { return a > b; }), "bool"),
      constant_function("ge", "a >= b", pair([](auto& a, auto& b) { return a >= b; }), "bool"),
  };
}

std::vector<OpEntry> positions() {
  const std::vector<Shape> matrix = {{3, 4}};
  return {
      constant_function("argmax", "where the largest is",
                        {{"all", matrix, [](const Inputs& in) { return argmax(in[0]); }},
                         {"rows", matrix, [](const Inputs& in) { return argmax(in[0], 1); }}},
                        "int64; the first of equals, the first NaN"),
      constant_function("argmin", "where the smallest is",
                        {{"all", matrix, [](const Inputs& in) { return argmin(in[0]); }},
                         {"rows", matrix, [](const Inputs& in) { return argmin(in[0], 1); }}},
                        "int64; the first of equals, the first NaN"),
      constant_function("argsort", "the order that sorts x",
                        {{"rows", matrix, [](const Inputs& in) { return argsort(in[0], 1); }}},
                        "int64; stable"),
      constant_function("any", "some element is not 0",
                        {{"all", matrix, [](const Inputs& in) { return any(in[0]); }}}, "bool"),
      constant_function("all", "every element is not 0",
                        {{"all", matrix, [](const Inputs& in) { return all(in[0]); }}}, "bool"),
      constant_function("count_nonzero", "how many are not 0",
                        {{"all", matrix, [](const Inputs& in) { return count_nonzero(in[0]); }}},
                        "int64"),
      constant_function("nonzero", "the places of what is not 0",
                        {{"matrix", matrix, [](const Inputs& in) { return nonzero(in[0]); }}},
                        "int64"),
      constant_function(
          "one_hot", "1 at each element's place, else 0",
          {{"vector", {{3}}, [](const Inputs& in) { return one_hot(to(abs(in[0]), int64), 4); }}},
          "int64"),
  };
}

std::vector<OpEntry> creations() {
  const auto like = [](Tensor (*f)(const Tensor&)) {
    return std::vector<OpCase>{{"matrix", {{2, 3}}, [f](const Inputs& in) { return f(in[0]); }}};
  };
  return {
      creation(
          "tensor", "of nested lists, vectors, spans",
          [] {
            return tensor({{1, 2}, {3, 4}});
          },
          "a copy; from_span shares"),
      creation("zeros", "0 everywhere",
               [] {
                 return zeros({2, 3});
               }),
      creation("ones", "1 everywhere",
               [] {
                 return ones({2, 3});
               }),
      creation("full", "one number everywhere",
               [] {
                 return full({2, 3}, 0.5);
               }),
      creation("empty", "elements uninitialized", [] { return empty({0}); }),
      creation("arange", "start, start + step, ...", [] { return arange(1, 9, 2); }),
      creation("linspace", "n numbers from start to stop", [] { return linspace(0, 1, 5); }),
      creation("logspace", "base to the power of linspace", [] { return logspace(0, 2, 3); }),
      creation("eye", "1 on the diagonal", [] { return eye(2, 3); }),
      creation("rand", "uniform on [0, 1)",
               [] {
                 return rand({2, 3});
               }),
      creation("randn", "standard normal",
               [] {
                 return randn({2, 3});
               }),
      creation(
          "randint", "uniform integers", [] { return randint(0, 5, {4}); }, "int64"),
      creation(
          "randperm", "0 to n - 1 in random order", [] { return randperm(5); }, "int64"),
      creation(
          "multinomial", "places drawn by weight",
          [] {
            return multinomial(tensor({1, 2, 3}), 2);
          },
          "int64"),
      constant_function(
          "bernoulli", "1 with probability p, else 0",
          {{"probabilities", {{2, 3}}, [](const Inputs& in) { return bernoulli(in[0]); }, {0, 1}}},
          "p gets no gradient", kFloating),
      constant_function("zeros_like", "zeros of x's shape and dtype",
                        like([](const Tensor& x) { return zeros_like(x); })),
      constant_function("ones_like", "ones of x's shape and dtype",
                        like([](const Tensor& x) { return ones_like(x); })),
      constant_function("full_like", "full of x's shape and dtype",
                        like([](const Tensor& x) { return full_like(x, 2); })),
      constant_function("empty_like", "empty of x's shape and dtype",
                        like([](const Tensor& x) { return empty_like(x); })),
      constant_function("rand_like", "rand of x's shape and dtype",
                        like([](const Tensor& x) { return rand_like(x); }), "", kFloating),
      constant_function("randn_like", "randn of x's shape and dtype",
                        like([](const Tensor& x) { return randn_like(x); }), "", kFloating),
      constant_function("randint_like", "randint of x's shape and dtype",
                        like([](const Tensor& x) { return randint_like(x, 0, 1); })),
  };
}

template <class... Lists> std::vector<OpEntry> joined(const Lists&... lists) {
  std::vector<OpEntry> all;
  (all.insert(all.end(), lists.begin(), lists.end()), ...);
  return all;
}

}  // namespace

OpEntry detail::composite(const char* name, const char* value, Dtypes dtypes,
                          std::vector<OpCase> cases, const char* derivative, const char* note) {
  OpEntry entry;
  entry.name = name;
  entry.value = value;
  entry.derivative = derivative;
  entry.note = note;
  entry.arity = 0;
  entry.cases = std::move(cases);
  entry.dtypes = dtypes;
  return entry;
}

OpEntry detail::constant_function(const char* name, const char* value, std::vector<OpCase> cases,
                                  const char* note, Dtypes dtypes) {
  OpEntry entry = composite(name, value, dtypes, std::move(cases), "none", note);
  entry.order = "0";
  return entry;
}

std::vector<OpEntry> reduction_composites() {
  const char* to_place = "dy at those elements";
  return {
      composite(
          "amax", "the largest over axes", kAll,
          {{"rows", {{3, 4}}, [](const Inputs& in) { return amax(in[0], {1}); }},
           {"all, strided", {{3, 4}}, [](const Inputs& in) { return amax(transpose(in[0])); }}},
          "evenly among ties", "max(x, axes)"),
      composite("amin", "the smallest over axes", kAll,
                {{"rows, kept",
                  {{3, 4}},
                  [](const Inputs& in) { return amin(in[0], {1}, {.keepdim = true}); }}},
                "evenly among ties", "min(x, axes)"),
      composite("max, min along an axis", "the largest and where it is", kAll,
                {{"max", {{3, 4}}, [](const Inputs& in) { return max(in[0], 1).values; }},
                 {"min, strided",
                  {{3, 4}},
                  [](const Inputs& in) { return min(transpose(in[0]), 1).values; }}},
                to_place, "the first of equals"),
      composite("nansum", "sum of what is not NaN", kAll,
                {{"rows", {{3, 4}}, [](const Inputs& in) { return nansum(in[0], {1}); }}},
                "dy, 0 at NaN"),
      composite("nanmean", "mean of what is not NaN", kAsFloat32,
                {{"rows", {{3, 4}}, [](const Inputs& in) { return nanmean(in[0], {1}); }}},
                "dy / n, 0 at NaN"),
      composite("var_mean", "var and mean", kAsFloat32,
                {{"rows",
                  {{3, 4}},
                  [](const Inputs& in) {
                    const VarAndMean y = var_mean(in[0], {1});
                    return y.var * y.mean;
                  }}}),
      composite("std_mean", "std and mean", kAsFloat32,
                {{"rows",
                  {{3, 4}},
                  [](const Inputs& in) {
                    const StdAndMean y = std_mean(in[0], {1});
                    return y.std + y.mean;
                  }}}),
      composite("sort", "x in order, and the order", kAll,
                {{"rows", {{3, 4}}, [](const Inputs& in) { return sort(in[0], 1).values; }},
                 {"descending, strided",
                  {{2, 3, 4}},
                  [](const Inputs& in) {
                    return sort(transpose(in[0]), 1, {.descending = true}).values;
                  }}},
                to_place, "stable; NaN last"),
      composite("topk", "the k largest, and where", kAll,
                {{"rows", {{3, 5}}, [](const Inputs& in) { return topk(in[0], 2).values; }},
                 {"smallest",
                  {{5, 3}},
                  [](const Inputs& in) { return topk(in[0], 3, 0, {.largest = false}).values; }}},
                to_place),
      composite("kthvalue", "the k-th smallest, and where", kAll,
                {{"rows", {{3, 5}}, [](const Inputs& in) { return kthvalue(in[0], 2).values; }}},
                to_place),
      composite("median along an axis", "the lower median, and where", kAll,
                {{"rows", {{3, 4}}, [](const Inputs& in) { return median(in[0], 1).values; }}},
                to_place),
      composite("normal", "mean + std randn", kFloating,
                {{"broadcast",
                  {{2, 3}, {3}},
                  [](const Inputs& in) {  // drawn in one dtype, so that both give the same
                    Generator generator(4);
                    return to(normal(to(in[0], float64), to(in[1], float64), generator),
                              in[0].dtype());
                  },
                  {0.5, 2}}},
                "dy; dy randn", "unlike PyTorch's in both"),
  };
}

std::vector<OpEntry> constant_functions() {
  return joined(elementwise_constants(), comparisons(), positions(), creations());
}

const std::vector<OpEntry>& differentiable_functions() {
  static const std::vector<OpEntry> all =
      joined(all_ops(), elementwise_composites(), reduction_composites(), shape_composites(),
             linear_algebra_composites(), network_composites());
  return all;
}

const std::vector<OpEntry>& all_functions() {
  static const std::vector<OpEntry> all = joined(differentiable_functions(), constant_functions());
  return all;
}

}  // namespace autograd::ops
