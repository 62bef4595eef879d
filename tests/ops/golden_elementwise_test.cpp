// SPDX-License-Identifier: Apache-2.0
// The elementwise functions beside what PyTorch gives for them: tests/golden/elementwise.txt.
#include "golden_reductions.hpp"

namespace ops_test {
namespace {

using namespace autograd;

using Function = TensorFunction;
using Functions = std::map<std::string, Function>;

// PyTorch's second and third operands of functions that take numbers are those of the script.
template <Tensor (*f)(const Tensor&)> Function one() {
  return [](const Inputs& in) { return f(in[0]); };
}
template <Tensor (*f)(const Tensor&, const Tensor&)> Function two() {
  return [](const Inputs& in) { return f(in[0], in[1]); };
}

void add_rows(Functions& list) {
  list.insert({{"abs", one<abs>()},         {"neg", one<neg>()},
               {"sign", one<sign>()},       {"exp", one<exp>()},
               {"exp2", one<exp2>()},       {"expm1", one<expm1>()},
               {"log", one<log>()},         {"log2", one<log2>()},
               {"log10", one<log10>()},     {"log1p", one<log1p>()},
               {"sqrt", one<sqrt>()},       {"rsqrt", one<rsqrt>()},
               {"square", one<square>()},   {"cbrt", one<cbrt>()},
               {"sin", one<sin>()},         {"cos", one<cos>()},
               {"tan", one<tan>()},         {"asin", one<asin>()},
               {"acos", one<acos>()},       {"atan", one<atan>()},
               {"sinh", one<sinh>()},       {"cosh", one<cosh>()},
               {"tanh", one<tanh>()},       {"asinh", one<asinh>()},
               {"acosh", one<acosh>()},     {"atanh", one<atanh>()},
               {"erf", one<erf>()},         {"erfc", one<erfc>()},
               {"erfinv", one<erfinv>()},   {"lgamma", one<lgamma>()},
               {"digamma", one<digamma>()}, {"reciprocal", one<reciprocal>()},
               {"floor", one<floor>()},     {"ceil", one<ceil>()},
               {"round", one<round>()},     {"trunc", one<trunc>()},
               {"frac", one<frac>()},       {"logit", one<logit>()}});
}

void add_activations(Functions& list) {
  list.insert({{"sigmoid", one<sigmoid>()},
               {"logsigmoid", one<logsigmoid>()},
               {"softplus", one<softplus>()},
               {"softsign", one<softsign>()},
               {"relu", one<relu>()},
               {"relu6", one<relu6>()},
               {"selu", one<selu>()},
               {"gelu_tanh", one<gelu_tanh>()},
               {"silu", one<silu>()},
               {"mish", one<mish>()},
               {"hardsigmoid", one<hardsigmoid>()},
               {"hardswish", one<hardswish>()},
               {"gelu", [](const Inputs& in) { return gelu(in[0]); }},
               {"logit_eps", [](const Inputs& in) { return logit(in[0], 0.125); }},
               {"scaled_softplus",
                [](const Inputs& in) { return softplus(in[0], {.beta = 2, .threshold = 3}); }},
               {"leaky_relu", [](const Inputs& in) { return leaky_relu(in[0], 0.25); }},
               {"elu", [](const Inputs& in) { return elu(in[0], 1.5); }},
               {"celu", [](const Inputs& in) { return celu(in[0], 1.5); }},
               {"hardtanh", [](const Inputs& in) { return hardtanh(in[0], -1, 2); }},
               {"clamp", [](const Inputs& in) { return clamp(in[0], -1, 2); }},
               {"nan_to_num", [](const Inputs& in) { return nan_to_num(in[0]); }},
               {"isnan", [](const Inputs& in) { return isnan(log(in[0])); }},
               {"isinf", [](const Inputs& in) { return isinf(log(in[0])); }},
               {"isfinite", [](const Inputs& in) { return isfinite(log(in[0])); }},
               {"logical_not", one<logical_not>()}});
}

void add_further_operands(Functions& list) {
  const auto divided = [](Rounding rounding) {
    return [rounding](const Inputs& in) { return div(in[0], in[1], {.rounding = rounding}); };
  };
  list.insert(
      {{"add", [](const Inputs& in) { return add(in[0], in[1]); }},
       {"sub", [](const Inputs& in) { return sub(in[0], in[1]); }},
       {"mul", two<mul>()},
       {"div", divided(Rounding::none)},
       {"div_floor", divided(Rounding::floor)},
       {"div_trunc", divided(Rounding::trunc)},
       {"pow", two<pow>()},
       {"atan2", two<atan2>()},
       {"hypot", two<hypot>()},
       {"fmod", two<fmod>()},
       {"remainder", two<remainder>()},
       {"minimum", two<minimum>()},
       {"maximum", two<maximum>()},
       {"copysign", two<copysign>()},
       {"logaddexp", two<logaddexp>()},
       {"xlogy", two<xlogy>()},
       {"eq", two<eq>()},
       {"ne", two<ne>()},
       {"lt", two<lt>()},
       {"le", two<le>()},
       {"gt", two<gt>()},
       {"ge", two<ge>()},
       {"logical_and", two<logical_and>()},
       {"logical_or", two<logical_or>()},
       {"logical_xor", two<logical_xor>()},
       {"where", [](const Inputs& in) { return where(in[0] > in[1], in[0], square(in[1])); }},
       {"lerp_number", [](const Inputs& in) { return lerp(in[0], in[1], 0.75); }},
       {"lerp", [](const Inputs& in) { return lerp(in[0], in[1], in[2]); }},
       {"clamp_tensors", [](const Inputs& in) { return clamp(in[0], in[1], in[2]); }},
       {"where_tensors", [](const Inputs& in) { return where(in[2] > 0.0, in[0], in[1]); }}});
}

const Functions& functions() {
  static const Functions list = [] {
    Functions made;
    add_rows(made);
    add_activations(made);
    add_further_operands(made);
    return made;
  }();
  return list;
}

void check_case(const GoldenCase& c) {
  const double tolerance = c.dtype == float64 ? 1e-12 : 1e-5;
  const double scale = std::stod(c.arguments.at(0)), offset = std::stod(c.arguments.at(1));
  Inputs operands = {c.x};
  for (const char* tag : {"b", "c"}) {
    if (c.results.contains(tag)) operands.push_back(to(c.results.at(tag), c.dtype));
  }
  const TensorFunction f = [&](const Inputs& in) {
    Inputs given = in;
    given[0] = c.given(in[0]) * scale + offset;
    return functions().at(c.name)(given);
  };
  const Tensor y = f(operands), &want = c.results.at("y");
  EXPECT_EQ(y.shape(), want.shape());
  expect_values(y, values(want), tolerance);
  if (!c.results.contains("dx")) {
    EXPECT_EQ(y.dtype(), boolean);
    return;
  }
  EXPECT_EQ(y.dtype(), c.dtype);
  const Inputs dx =
      vjp(f, operands, golden_cotangent(y.shape(), c.dtype), {.allow_unused = true}).second;
  const char* tags[] = {"dx", "db", "dc"};
  for (std::size_t k = 0; k < dx.size(); ++k) {
    SCOPED_TRACE(tags[k]);
    expect_values(dx[k], values(c.results.at(tags[k])), tolerance);
  }
}

TEST(Golden, ElementwiseFunctionsAgreeWithPyTorch) {
  std::map<std::string, int> count;
  for (const GoldenCase& c : golden_cases("elementwise.txt")) {
    SCOPED_TRACE(c.label());
    ASSERT_TRUE(functions().contains(c.name));
    ++count[c.name];
    check_case(c);
  }
  for (const auto& [name, f] : functions()) EXPECT_GE(count[name], 8) << name;  // both dtypes
}

}  // namespace
}  // namespace ops_test
