// SPDX-License-Identifier: Apache-2.0
// Every operation, forward and forward with backward, float32, one thread. Rows are run at three
// sizes, structured operations at the shapes of their test cases; both come from the op lists, so
// a new operation needs no line here. matmul, linear and softmax get larger sizes of their own.
#include <benchmark/benchmark.h>
#include <autograd/apply.hpp>
#include <autograd/autograd.hpp>
#include <autograd/ops/list.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace ag = autograd;
using Inputs = std::vector<ag::Tensor>;

/// float32 arguments from an interval.
Inputs draw(const std::vector<ag::Shape>& shapes, ag::Interval range, bool gradients) {
  ag::Generator generator(1);
  Inputs inputs;
  for (const ag::Shape& shape : shapes) {
    ag::Tensor x = ag::rand(shape, generator) * (range.high - range.low) + range.low;
    if (gradients) x.set_requires_grad();
    inputs.push_back(std::move(x));
  }
  return inputs;
}

void forward(benchmark::State& state, const ag::TensorFunction& f, const Inputs& inputs) {
  for (auto _ : state) benchmark::DoNotOptimize(f(inputs));
  state.SetItemsProcessed(state.iterations() * f(inputs).numel());
}

void forward_backward(benchmark::State& state, const ag::TensorFunction& f, Inputs inputs) {
  const ag::Tensor dy = ag::ones_like(f(inputs));
  for (auto _ : state) {
    ag::Tape tape;
    tape.backward(f(inputs), {.seed = dy});
    for (ag::Tensor& x : inputs) x.zero_grad();
  }
  state.SetItemsProcessed(state.iterations() * dy.numel());
}

/// Arguments are drawn when the benchmark runs, not when it is listed.
void add(const std::string& name, const ag::TensorFunction& f, const std::vector<ag::Shape>& shapes,
         ag::Interval range = {-2, 2}) {
  benchmark::RegisterBenchmark((name + "/forward").c_str(), [=](benchmark::State& state) {
    forward(state, f, draw(shapes, range, false));
  });
  benchmark::RegisterBenchmark((name + "/forward+backward").c_str(), [=](benchmark::State& state) {
    forward_backward(state, f, draw(shapes, range, true));
  });
}

template <class Op, std::size_t... k> void add_row(std::index_sequence<k...> arguments) {
  const ag::TensorFunction f = [](const Inputs& in) { return ag::apply(Op{}, in[k]...); };
  for (const std::int64_t n : {4, 1'000, 1'000'000}) {
    add(std::string(Op::info.name) + "/" + std::to_string(n), f,
        std::vector<ag::Shape>(arguments.size(), ag::Shape{n}), Op::info.cases[0]);
  }
}

void add_structured() {
  for (const ag::ops::OpEntry& op : ag::ops::all_ops()) {
    for (const ag::ops::OpCase& c : op.cases) add(op.name + "/" + c.label, c.f, c.inputs, c.range);
  }
  const ag::TensorFunction matmul = [](const Inputs& in) { return ag::matmul(in[0], in[1]); };
  for (const std::int64_t n : {2, 8, 32, 128, 512}) {
    const std::string size = std::to_string(n);
    add("matmul/" + size + "x" + size, matmul, {{n, n}, {n, n}});
  }
  const ag::TensorFunction linear = [](const Inputs& in) {
    return ag::linear(in[0], in[1], in[2]);
  };
  add("linear/64x784 to 128", linear, {{64, 784}, {128, 784}, {128}});
  add("linear/128x512 to 512", linear, {{128, 512}, {512, 512}, {512}});
  const ag::TensorFunction softmax = [](const Inputs& in) { return ag::softmax(in[0], 1); };
  for (const std::int64_t n : {2, 32, 1'000}) {
    add("softmax/" + std::to_string(n * n), softmax, {{n, n}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  ag::set_num_threads(1);
  ag::ops::UnaryRows::for_each(
      []<class Row>() { add_row<ag::ops::UnaryOp<Row>>(std::make_index_sequence<1>()); });
  ag::ops::BinaryRows::for_each(
      []<class Row>() { add_row<ag::ops::BinaryOp<Row>>(std::make_index_sequence<2>()); });
  add_structured();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
