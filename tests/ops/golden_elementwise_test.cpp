// SPDX-License-Identifier: Apache-2.0
// The elementwise functions beside what PyTorch gives for them: tests/golden/elementwise.txt.
#include "golden.hpp"

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
       {"binary_cross_entropy", two<binary_cross_entropy>()},
       {"binary_cross_entropy_with_logits", two<binary_cross_entropy_with_logits>()},
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

/// The function of SCALE x + OFFSET for each operand x; the arguments are these numbers.
GoldenFunction scaled(const Function& f) {
  return [f](const Inputs& in, const Arguments& a) {
    Inputs given;
    for (std::size_t k = 0; k < in.size(); ++k) {
      given.push_back(in[k] * std::stod(a.at(2 * k)) + std::stod(a.at(2 * k + 1)));
    }
    return f(given);
  };
}

TEST(GoldenElementwise, AgreesWithPyTorch) {
  GoldenFunctions all;
  for (const auto& [name, f] : functions()) all[name] = scaled(f);
  check_golden("elementwise", all, 4);
}

}  // namespace
}  // namespace ops_test
