// SPDX-License-Identifier: Apache-2.0
// oneDNN: matrix products by dnnl_sgemm, and convolutions by its primitives over images with the channels
// last, created once. Its threads are OpenMP's: OMP_NUM_THREADS says how many.
#include <oneapi/dnnl/dnnl.hpp>

#include <memory>
#include <unordered_map>

#include "by_hand.hpp"
#include "tensors.hpp"

namespace bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

Job product(const ProductSize& s) {
  struct State {
    std::vector<float> a, b, c;
  };
  const auto count = [](std::int64_t rows, std::int64_t columns) { return rows * columns; };
  auto state =
      std::make_shared<State>(State{numbers(count(s.m, s.k), 1, 1), numbers(count(s.k, s.n), 1, 2),
                                    std::vector<float>(static_cast<std::size_t>(count(s.m, s.n)))});
  const auto step = [=] {
    dnnl_sgemm(s.a_turned ? 'T' : 'N', s.b_turned ? 'T' : 'N', s.m, s.n, s.k, 1, state->a.data(),
               s.a_turned ? s.m : s.k, state->b.data(), s.b_turned ? s.k : s.n, 0, state->c.data(),
               s.n);
  };
  return {s.name, step, [=] {
            step();
            return fingerprint(state->c.data(), state->c.size());
          }};
}

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}
dnnl::stream& stream() {
  static dnnl::stream of_cpu(engine());
  return of_cpu;
}
memory::desc desc(const memory::dims& dims, Tag tag) { return {dims, memory::data_type::f32, tag}; }

/// A convolution's three primitives and their memory, laid out as each prefers the weights.
class Convolution {
 public:
  explicit Convolution(const ConvolutionSize& s)
      : x_dims_{s.images, s.channels, s.size, s.size},
        w_dims_{s.filters, s.channels, s.kernel, s.kernel},
        y_dims_{s.images, s.filters, s.out(), s.out()} {
    const memory::dims stride{s.stride, s.stride}, pad{s.padding, s.padding};
    const auto x = desc(x_dims_, Tag::nhwc), y = desc(y_dims_, Tag::nhwc);
    const auto w = desc(w_dims_, Tag::any);
    const auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direct, x, w, y, stride, pad, pad}, engine());
    const dnnl::convolution_backward_data::primitive_desc data({direct, x, w, y, stride, pad, pad},
                                                               engine(), forward);
    const dnnl::convolution_backward_weights::primitive_desc weights(
        {direct, x, w, y, stride, pad, pad}, engine(), forward);
    const memory image = filled(x_dims_, Tag::nchw, x, 1, 1),
                 dy = filled(y_dims_, Tag::nchw, y, 1, 5);
    result_ = memory(y, engine());
    add(dnnl::convolution_forward(forward),
        {{DNNL_ARG_SRC, image},
         {DNNL_ARG_WEIGHTS, filled(w_dims_, Tag::oihw, forward.weights_desc(), 0.05, 2)},
         {DNNL_ARG_DST, result_}});
    dw_ = memory(weights.diff_weights_desc(), engine());
    add(dnnl::convolution_backward_weights(weights),
        {{DNNL_ARG_SRC, image}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_WEIGHTS, dw_}});
    if (!s.to_image) return;
    dx_ = memory(x, engine());
    add(dnnl::convolution_backward_data(data),
        {{DNNL_ARG_DIFF_DST, dy},
         {DNNL_ARG_WEIGHTS, filled(w_dims_, Tag::oihw, data.weights_desc(), 0.05, 2)},
         {DNNL_ARG_DIFF_SRC, dx_}});
  }
  void run() {
    for (auto& [primitive, arguments] : steps_) primitive.execute(stream(), arguments);
    stream().wait();
  }
  double value() {
    run();
    return fingerprint(result_, y_dims_, Tag::nchw) + fingerprint(dw_, w_dims_, Tag::oihw) +
           (dx_ ? fingerprint(dx_, x_dims_, Tag::nchw) : 0);
  }

 private:
  using Arguments = std::unordered_map<int, memory>;
  void add(dnnl::primitive primitive, Arguments arguments) {
    steps_.emplace_back(std::move(primitive), std::move(arguments));
  }
  static memory filled(const memory::dims& dims, Tag tag, const memory::desc& as, double scale,
                       double seed) {
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) count *= extent;
    std::vector<float> elements = numbers(count, scale, seed);
    memory given(desc(dims, tag), engine(), elements.data()), wanted(as, engine());
    dnnl::reorder(given, wanted).execute(stream(), given, wanted);
    stream().wait();
    return wanted;
  }
  static double fingerprint(memory x, const memory::dims& dims, Tag tag) {
    memory plain(desc(dims, tag), engine());
    dnnl::reorder(x, plain).execute(stream(), x, plain);
    stream().wait();
    const auto* elements = static_cast<const float*>(plain.get_data_handle());
    return bench::fingerprint(elements, plain.get_desc().get_size() / sizeof(float));
  }

  memory::dims x_dims_, w_dims_, y_dims_;
  std::vector<std::pair<dnnl::primitive, Arguments>> steps_;
  memory result_, dw_, dx_;
};

Jobs make() {
  Jobs jobs{classifier_by_hand()};
  for (const ProductSize& size : kProducts) {
    jobs.push_back(size.wide ? fused_multiply_adds(size) : product(size));
  }
  for (const ConvolutionSize& size : kConvolutions) {
    auto convolution = std::make_shared<Convolution>(size);
    jobs.push_back({size.name, [convolution] { convolution->run(); },
                    [convolution] { return convolution->value(); }});
  }
  return jobs;
}

const RegisterPeer kOneDnn({"oneDNN", make, [] {}, [](int) {}});

}  // namespace
}  // namespace bench
