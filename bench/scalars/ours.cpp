// SPDX-License-Identifier: Apache-2.0
#include <autograd/autograd.hpp>
#include <autograd/tape_storage.hpp>

#include "scalars.hpp"

namespace bench {
namespace {

using autograd::Tape;
using autograd::Var;

/// `in` is room for the inputs, as a program that calls this often has it.
void make_inputs(Tape& tape, const std::vector<double>& x, std::vector<Var>& in) {
  in.resize(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) in[i] = tape.input(x[i]);
}
void read_gradient(const std::vector<Var>& in, std::vector<double>& dx) {
  for (std::size_t i = 0; i < in.size(); ++i) dx[i] = in[i].grad();
}

struct Reverse {
  std::vector<Var> in = {};

  template <class W>
  double gradient(const W& workload, const std::vector<double>& x, std::vector<double>& dx) {
    Tape tape;
    make_inputs(tape, x, in);
    double value = 0;
    if constexpr (MonteCarlo<W>) {
      // One path at a time: the tape holds one path, not all of them.
      const Tape::Mark start = tape.mark();
      for (int i = 0; i < workload.terms(); ++i) {
        Var y = workload.term(in.data(), i);
        value += y.value();
        tape.backward_to(y, start);
      }
    } else {
      Var y = workload.value(in.data());
      value = y.value();
      tape.backward(y);
    }
    read_gradient(in, dx);
    return value;
  }
};

/// The points of the mixture one by one: what they share lies before the mark.
double gmm_by_terms(const Gmm& gmm, const std::vector<double>& x, std::vector<Var>& in,
                    std::vector<double>& dx) {
  Tape tape;
  make_inputs(tape, x, in);
  auto factors = gmm.prepare(in.data());
  const Tape::Mark start = tape.mark();
  double value = 0;
  for (int i = 0; i < gmm.terms(); ++i) {
    Var y = gmm.term(in.data(), factors, i);
    value += y.value();
    tape.backward_to(y, start);
  }
  Var rest = gmm.finish(in.data(), factors, Var(0.0));
  tape.backward_to(rest, start);
  tape.backward_from(start);
  read_gradient(in, dx);
  return value + rest.value();
}

/// Bytes of statements before a position.
double bytes_before(const Tape::Mark& mark) {
  std::size_t bytes = 0;
  for (int i = 0; i <= static_cast<int>(mark.chunk); ++i)
    bytes += autograd::detail::Chunk::bytes(i);
  return static_cast<double>(bytes - (reinterpret_cast<const std::byte*>(mark.counts) - mark.top));
}

}  // namespace

Gradients our_gradients(const Workloads& workloads) {
  Gradients gradients = for_all(workloads, Reverse());
  gradients[kRows - 1] = [&gmm = workloads.gmm, x = workloads.gmm.point(),
                          in = std::vector<Var>()](std::vector<double>& dx) mutable {
    return gmm_by_terms(gmm, x, in, dx);
  };
  return gradients;
}

std::vector<TapeSize> tape_sizes(const Workloads& workloads) {
  std::vector<TapeSize> sizes;
  workloads.for_each([&]<class W>(const W& workload) {
    Tape tape;
    std::vector<Var> in;
    make_inputs(tape, workload.point(), in);
    const Tape::Mark start = tape.mark();
    TapeSize size{};
    const auto count = [&](const Var&) {
      const Tape::Mark end = tape.mark();
      const double statements = end.size - start.size;
      size.statements += statements;
      size.bytes += bytes_before(end) - bytes_before(start) + sizeof(double) * statements;
      tape.rewind(start);
    };
    if constexpr (MonteCarlo<W>) {
      for (int i = 0; i < workload.terms(); ++i) count(workload.term(in.data(), i));
    } else {
      count(workload.value(in.data()));
    }
    sizes.push_back(size);
  });
  sizes.push_back(sizes[3]);
  return sizes;
}

}  // namespace bench
