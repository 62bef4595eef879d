// SPDX-License-Identifier: Apache-2.0
// L-BFGS in PyTorch's order of operations and with its tests for the end, so that both walk alike.
// Below, x are all parameters as one vector, d the direction, slope the derivative along it.
#include "lbfgs.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "optim_loop.hpp"

namespace nn {

using autograd::ValueError;

namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}
/// The largest magnitude; NaN is not one.
double largest(const Vector& a) {
  double most = 0;
  for (const double x : a) most = std::max(most, std::abs(x));
  return most;
}
double total_magnitude(const Vector& a) {
  double total = 0;
  for (const double x : a) total += std::abs(x);
  return total;
}

struct Point {
  double t = 0, loss = 0, slope = 0;
  Vector gradient;
};

/// The minimum of the cubic through two points with their slopes, within [low, high]; the middle where
/// it has none. Nocedal, Wright: equation 3.59.
double cubic_minimum(const Point& a, const Point& b, double low, double high) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double at = a.t <= b.t
                        ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
                        : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return std::isnan(at) ? (low + high) / 2 : std::min(std::max(at, low), high);
}

}  // namespace

/// The line search of one direction for the strong Wolfe conditions.
struct LBFGS::Search {
  static constexpr double kDecrease = 1e-4, kCurvature = 0.9;
  static constexpr int kMost = 25;  // evaluations

  LBFGS& self;
  const Closure& closure;
  const Vector& from;
  const Vector& direction;
  int evaluations = 0;

  Point at(double t) {
    self.place(from, t, direction);
    ++evaluations;
    Point point{t, closure(), 0, self.gradient()};
    // A slope that is not a number makes the cubic fall back to the middle.
    const bool finite = std::isfinite(point.loss);
    point.slope = finite ? dot(point.gradient, direction) : std::nan("");
    if (!finite) point.loss = std::numeric_limits<double>::infinity();
    return point;
  }
  static bool too_high(const Point& start, const Point& now) {
    return now.loss > start.loss + kDecrease * now.t * start.slope;
  }
  static bool flat(const Point& start, const Point& now) {
    return std::abs(now.slope) <= -kCurvature * start.slope;
  }

  Point run(const Point& start, double t) {
    Point before = start, now = at(t);
    int round = 0;
    for (; round < kMost; ++round) {
      if (too_high(start, now) || (round > 1 && now.loss >= before.loss)) break;
      if (flat(start, now)) return now;
      if (now.slope >= 0) break;
      const double next = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
      before = std::exchange(now, at(next));
    }
    if (round == kMost) before = start;
    return zoom(start, {std::move(before), std::move(now)}, round);
  }

  /// Between two points there is one that will do: makes the interval smaller around it.
  Point zoom(const Point& start, std::array<Point, 2> ends, int round) {
    bool stalled = false;
    std::size_t low = ends[0].loss <= ends[1].loss ? 0 : 1;
    const double norm = largest(direction);
    for (; round < kMost; ++round) {
      if (std::abs(ends[1].t - ends[0].t) * norm < self.options_.tolerance_change) break;
      Point now = at(trial(ends, stalled));
      Point &best = ends[low], &other = ends[1 - low];
      if (too_high(start, now) || now.loss >= best.loss) {
        other = std::move(now);
        low = ends[0].loss <= ends[1].loss ? 0 : 1;
        continue;
      }
      if (flat(start, now)) return now;
      if (now.slope * (other.t - best.t) >= 0) other = best;
      best = std::move(now);
    }
    return ends[low];
  }

  /// Where to look next; away from the ends when that is where two trials in a row would fall.
  static double trial(const std::array<Point, 2>& ends, bool& stalled) {
    const double low = std::min(ends[0].t, ends[1].t), high = std::max(ends[0].t, ends[1].t);
    const double t = cubic_minimum(ends[0], ends[1], low, high), margin = 0.1 * (high - low);
    if (std::min(high - t, t - low) >= margin) {
      stalled = false;
      return t;
    }
    if (!stalled && t < high && t > low) {
      stalled = true;
      return t;
    }
    stalled = false;
    return std::abs(t - high) < std::abs(t - low) ? high - margin : low + margin;
  }
};

LBFGS::LBFGS(std::vector<Tensor> parameters, LBFGSOptions options)
    : Optimizer("LBFGS", std::move(parameters), options.lr, 0), options_(options) {
  const auto at_least = [&](std::int64_t value, std::int64_t least, const char* name) {
    const std::string need = std::string(name) + " >= " + std::to_string(least);
    require(value >= least, name, static_cast<double>(value), need.c_str());
  };
  at_least(options.max_iter, 1, "max_iter");
  at_least(options.max_eval, 0, "max_eval");
  at_least(options.history_size, 1, "history_size");
  require(options.tolerance_grad >= 0, "tolerance_grad", options.tolerance_grad, "a number >= 0");
  require(options.tolerance_change >= 0, "tolerance_change", options.tolerance_change,
          "a number >= 0");
  if (options.max_eval == 0) options_.max_eval = options.max_iter * 5 / 4;
  for (const Tensor& p : parameters_) size_ += static_cast<std::size_t>(p.numel());
}

void LBFGS::add_group(ParameterGroup) {
  throw ValueError(
      "LBFGS.add_group: one group only: all parameters move along one direction; need "
      "all of them in the constructor");
}

void LBFGS::step() {
  throw ValueError(
      "LBFGS.step: no closure: it evaluates the loss several times; need "
      "step([&] { ...; return loss.item(); })");
}

LBFGS::Vector LBFGS::gradient() const {
  Vector all;
  all.reserve(size_);
  for (const Tensor& p : parameters_) {
    if (!p.has_grad()) {
      all.resize(all.size() + static_cast<std::size_t>(p.numel()));
      continue;
    }
    Tensor holder;
    const detail::Node* g = detail::gradient_of(name_, p, holder);
    autograd::dispatch_floating(name_, p.dtype(), [&]<class T>(T) {
      const T* from = detail::elements<T>(g);
      all.insert(all.end(), from, from + p.numel());
    });
  }
  return all;
}

LBFGS::Vector LBFGS::values() const {
  Vector all;
  all.reserve(size_);
  for (const Tensor& p : parameters_) {
    autograd::dispatch_floating(name_, p.dtype(), [&]<class T>(T) {
      const T* from = detail::elements<T>(p);
      all.insert(all.end(), from, from + p.numel());
    });
  }
  return all;
}

void LBFGS::place(const Vector& from, double length, const Vector& direction) {
  std::size_t k = 0;
  for (Tensor& p : parameters_) {
    autograd::dispatch_floating(name_, p.dtype(), [&]<class T>(T) {
      T* to = detail::elements<T>(p);
      for (std::int64_t i = 0; i < p.numel(); ++i, ++k) to[i] = T(from[k] + length * direction[k]);
    });
    note_change(p, "LBFGS.step");
  }
}

/// Adds the last move and what it did to the gradient, if the curvature along it is positive.
void LBFGS::remember(const Vector& gradient) {
  Pair pair{Vector(size_), Vector(size_), 0};
  for (std::size_t i = 0; i < size_; ++i) {
    pair.change[i] = gradient[i] - history_.gradient[i];
    pair.move[i] = history_.direction[i] * history_.length;
  }
  const double curvature = dot(pair.change, pair.move);
  if (!(curvature > 1e-10)) return;
  if (static_cast<std::int64_t>(history_.pairs.size()) == options_.history_size) {
    history_.pairs.erase(history_.pairs.begin());
  }
  pair.rho = 1 / curvature;
  history_.scale = curvature / dot(pair.change, pair.change);
  history_.pairs.push_back(std::move(pair));
}

/// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
LBFGS::Vector LBFGS::direction(const Vector& gradient) const {
  Vector d(size_), factor(history_.pairs.size());
  for (std::size_t i = 0; i < size_; ++i) d[i] = -gradient[i];
  for (std::size_t k = factor.size(); k-- > 0;) {
    const Pair& pair = history_.pairs[k];
    factor[k] = dot(pair.move, d) * pair.rho;
    for (std::size_t i = 0; i < size_; ++i) d[i] -= factor[k] * pair.change[i];
  }
  for (double& x : d) x *= history_.scale;
  for (std::size_t k = 0; k < factor.size(); ++k) {
    const Pair& pair = history_.pairs[k];
    const double take = factor[k] - dot(pair.change, d) * pair.rho;
    for (std::size_t i = 0; i < size_; ++i) d[i] += take * pair.move[i];
  }
  return d;
}

double LBFGS::step(const Closure& closure) {
  const Vector start = values();
  try {
    return iterate(closure, start);
  } catch (...) {
    place(start, 0, Vector(size_));
    history_ = {};
    throw;
  }
}

double LBFGS::iterate(const Closure& closure, Vector x) {
  Point now{0, closure(), 0, gradient()};
  const double first_loss = now.loss;
  if (largest(now.gradient) <= options_.tolerance_grad) return first_loss;
  std::int64_t evaluations = 1;
  for (std::int64_t n = 1; n <= options_.max_iter; ++n) {
    const bool first = ++history_.moves == 1;
    if (!first) remember(now.gradient);
    const Vector d = direction(now.gradient);
    double t = first ? std::min(1.0, 1 / total_magnitude(now.gradient)) * lr() : lr();
    history_.direction = d;
    history_.gradient = now.gradient;
    history_.length = t;
    history_.loss = now.loss;
    now.t = 0;
    now.slope = dot(now.gradient, d);
    if (now.slope > -options_.tolerance_change) break;
    if (options_.strong_wolfe) {
      Search search{*this, closure, x, d};
      now = search.run(now, t);
      history_.length = t = now.t;
      evaluations += search.evaluations;
      place(x, t, d);
    } else {
      place(x, t, d);
      if (n == options_.max_iter) break;
      now.loss = closure();
      now.gradient = gradient();
      ++evaluations;
    }
    if (n == options_.max_iter || evaluations >= options_.max_eval) break;
    if (largest(now.gradient) <= options_.tolerance_grad) break;
    if (largest(d) * t <= options_.tolerance_change) break;
    if (std::abs(now.loss - history_.loss) < options_.tolerance_change) break;
    x = values();
  }
  return first_loss;
}

// --- State.

namespace {

Tensor stored(const Vector& x) { return autograd::tensor(x); }
Tensor number(double x) { return autograd::full({}, x, autograd::float64); }

}  // namespace

StateDict LBFGS::state_dict() const {
  StateDict state = Optimizer::state_dict();
  state.insert("moves", autograd::tensor(std::vector<std::int64_t>{history_.moves}, {}));
  if (history_.moves == 0) return state;
  state.insert("direction", stored(history_.direction));
  state.insert("gradient", stored(history_.gradient));
  state.insert("length", number(history_.length));
  state.insert("scale", number(history_.scale));
  state.insert("loss", number(history_.loss));
  for (std::size_t i = 0; i < history_.pairs.size(); ++i) {
    const std::string front = "pairs." + std::to_string(i) + ".";
    state.insert(front + "move", stored(history_.pairs[i].move));
    state.insert(front + "change", stored(history_.pairs[i].change));
    state.insert(front + "rho", number(history_.pairs[i].rho));
  }
  return state;
}

namespace {

/// The entry of that name, which is taken out of `rest`; throws unless it is there and fits.
Tensor taken(StateDict& rest, const std::string& name, const autograd::Shape& shape,
             autograd::DType dtype) {
  const Tensor x = rest.contains(name) ? rest.at(name) : Tensor();
  if (!x.defined() || x.dtype() != dtype || !(x.shape() == shape)) {
    const std::string is = x.defined()
                               ? std::string(autograd::name(x.dtype())) + " " + to_string(x.shape())
                               : "missing";
    throw ValueError("LBFGS.load_state_dict: the state does not fit: " + name + " is " + is +
                     "; need " + autograd::name(dtype) + " " + to_string(shape));
  }
  rest.erase(name);
  return contiguous(detach(x));
}

}  // namespace

void LBFGS::load_state_dict(const StateDict& state) {
  StateDict rest = state;
  const autograd::Shape all{static_cast<std::int64_t>(size_)};
  const auto vector = [&](const std::string& name) {
    return autograd::to_vector<double>(taken(rest, name, all, autograd::float64));
  };
  const auto scalar = [&](const std::string& name) {
    return taken(rest, name, {}, autograd::float64).item();
  };
  History history;
  history.moves = taken(rest, "moves", {}, autograd::int64).data<std::int64_t>()[0];
  if (history.moves > 0) {
    history.direction = vector("direction");
    history.gradient = vector("gradient");
    history.length = scalar("length");
    history.scale = scalar("scale");
    history.loss = scalar("loss");
  }
  for (std::int64_t i = 0; i < options_.history_size; ++i) {
    const std::string front = "pairs." + std::to_string(i) + ".";
    if (!rest.contains(front + "move")) break;
    history.pairs.push_back(
        {vector(front + "move"), vector(front + "change"), scalar(front + "rho")});
  }
  Optimizer::load_state_dict(rest);
  history_ = std::move(history);
}

}  // namespace nn
