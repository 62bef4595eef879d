// SPDX-License-Identifier: Apache-2.0
// x(...): places are resolved to one slice map for numbers and slices, and one index_select for tensors.
#include "indexing.hpp"

#include <algorithm>
#include <numeric>

#include "apply.hpp"
#include "create.hpp"
#include "ops/layout.hpp"
#include "shaping.hpp"

namespace autograd {

using ops::FlipMap, ops::SliceMap;

namespace {

// An axis of the sliced tensor that an index tensor runs through.
struct Through {
  int axis;
  Tensor index;  // int64, dense, counted from the front
};

// What the places say: first the map, then axes turned around, then tensors.
struct Plan {
  SliceMap map;
  FlipMap turned;
  std::vector<Through> tensors;
  Shape sliced;  // after the map
};

std::int64_t axes_used(const Index& place) {
  switch (place.kind) {
    case Index::Kind::number:
    case Index::Kind::slice: return 1;
    case Index::Kind::tensor: return place.tensor.dtype() == boolean ? place.tensor.dim() : 1;
    default: return 0;
  }
}

std::int64_t checked_number(const Tensor& x, int axis, std::int64_t i) {
  const std::int64_t extent = x.shape()[axis];
  if (i >= -extent && i < extent) return i < 0 ? i + extent : i;
  throw ValueError("index: index out of range: " + std::to_string(i) + " for axis " +
                   std::to_string(axis) + " of " + to_string(x.shape()) + "; need at least " +
                   std::to_string(-extent) + " and less than " + std::to_string(extent));
}

// The elements that Python's slice(start, stop, step) takes of n: the lowest, their distance and number.
void set_slice(SliceMap& map, int axis, std::int64_t n, const Slice& s) {
  if (s.step == 0 || s.step == INT64_MIN) {
    throw ValueError("index: step out of range: " + std::to_string(s.step) +
                     "; need a step other than 0 from -(2^63 - 1) to 2^63 - 1");
  }
  const bool down = s.step < 0;
  const auto end = [&](const std::optional<std::int64_t>& given, std::int64_t open) {
    if (!given) return open;
    const std::int64_t from_front = *given < 0 ? std::max(*given, -n - 1) + n : *given;
    return std::clamp<std::int64_t>(from_front, down ? -1 : 0, down ? n - 1 : n);
  };
  const std::int64_t first = end(s.start, down ? n - 1 : 0), stop = end(s.stop, down ? -1 : n);
  const std::int64_t distance = down ? first - stop : stop - first, by = down ? -s.step : s.step;
  const std::int64_t count = distance <= 0 ? 0 : (distance - 1) / by + 1;
  if (count == 0) return map.set(axis, 0, 0, 1);
  map.set(axis, down ? first - (count - 1) * by : first, count, count == 1 ? 1 : by);
}

// The index along one axis of that extent: dense, counted from the front.
Tensor checked_tensor(const Tensor& index, std::int64_t extent) {
  if (index.dtype() != int64) {
    throw TypeError(std::string("index: a tensor of ") + name(index.dtype()) +
                    "; need int64 or bool");
  }
  Tensor result = ops::Contiguous{}.forward(index);
  for (std::int64_t& i : result.mutable_data<std::int64_t>()) {
    if (i < -extent || i >= extent) {
      throw ValueError("index: index out of range: " + std::to_string(i) + " in a tensor for an " +
                       "axis of " + std::to_string(extent) + "; need at least " +
                       std::to_string(-extent) + " and less than " + std::to_string(extent));
    }
    if (i < 0) i += extent;
  }
  return result;
}

// The columns of nonzero(mask), one for each of its axes.
void add_mask(Plan& plan, const Tensor& x, int axis, int result_axis, const Tensor& mask) {
  for (int i = 0; i < mask.dim(); ++i) {
    if (mask.shape()[i] == x.shape()[axis + i]) continue;
    throw ShapeError("index: the mask does not fit: mask is " + to_string(mask.shape()) +
                     " at axis " + std::to_string(axis) + " of " + to_string(x.shape()) +
                     "; need equal extents");
  }
  const Tensor places = nonzero(mask);
  for (int i = 0; i < mask.dim(); ++i) {
    plan.tensors.push_back({result_axis + i, ops::Contiguous{}.forward(select(places, 1, i))});
  }
}

void check_count(const Tensor& x, const std::vector<Index>& places) {
  std::int64_t used = 0, open = 0;
  for (const Index& place : places) {
    used += axes_used(place);
    open += place.kind == Index::Kind::rest;
    if (place.kind == Index::Kind::tensor && place.tensor.dtype() == boolean &&
        place.tensor.dim() == 0) {
      throw ShapeError("index: a mask without axes; need at least one (use where)");
    }
  }
  if (open > 1) {
    throw ValueError("index: ellipsis given " + std::to_string(open) + " times; need at most one");
  }
  if (used > x.dim()) {
    throw ValueError("index: too many indices: " + std::to_string(used) + " for shape " +
                     to_string(x.shape()) + "; need at most " + std::to_string(x.dim()));
  }
}

// Where the next place stands: an axis of x, one of the sliced tensor, and the axes an ellipsis fills.
struct Cursor {
  int axis = 0, out = 0, left = 0;
};

void add_tensor(Plan& plan, const Tensor& x, const Tensor& index, Cursor& at) {
  const bool mask = index.dtype() == boolean;
  if (mask) {
    add_mask(plan, x, at.axis, at.out, index);
  } else {
    plan.tensors.push_back({at.out, checked_tensor(index, x.shape()[at.axis])});
  }
  const int used = mask ? index.dim() : 1;
  at.axis += used;
  at.out += used;
}

void add_place(Plan& plan, const Tensor& x, const Index& place, Cursor& at) {
  switch (place.kind) {
    case Index::Kind::number:
      plan.map.set(at.axis, checked_number(x, at.axis, place.number), 1);
      plan.map.dropped |= 1u << at.axis++;
      break;
    case Index::Kind::slice:
      set_slice(plan.map, at.axis, x.shape()[at.axis], place.slice);
      if (place.slice.step < 0) plan.turned.axes |= 1u << at.out;
      ++at.axis;
      ++at.out;
      break;
    case Index::Kind::rest:
      at.axis += at.left;
      at.out += at.left;
      break;
    case Index::Kind::new_axis:
      if (at.out == kMaxDim) throw ShapeError("index: too many axes; need at most 8");
      plan.map.added |= 1u << at.out++;
      break;
    case Index::Kind::tensor: add_tensor(plan, x, place.tensor, at);
  }
}

Plan make_plan(const Tensor& x, const std::vector<Index>& places) {
  check_count(x, places);
  Cursor at{.left = x.dim()};
  for (const Index& place : places) at.left -= static_cast<int>(axes_used(place));
  Plan plan{SliceMap::whole(x.shape()), {}, {}, {}};
  for (const Index& place : places) add_place(plan, x, place, at);
  plan.sliced = plan.map(ops::row_major_layout(x.shape())).shape;  // throws for too many axes
  return plan;
}

// One index into the axes that tensors run through, taken as one; their broadcast shape.
Tensor joined_index(const Plan& plan) {
  Tensor joined;
  for (const Through& t : plan.tensors) {
    if (!joined.defined()) {
      joined = t.index;
      continue;
    }
    broadcast_shapes("index", joined.shape(), t.index.shape());
    joined = joined * full({}, static_cast<double>(plan.sliced[t.axis]), int64) + t.index;
  }
  return joined;
}

bool neighbors(const std::vector<Through>& tensors) {
  for (std::size_t k = 1; k < tensors.size(); ++k) {
    if (tensors[k].axis != tensors[k - 1].axis + 1) return false;
  }
  return true;
}

// x with the axes that tensors run through replaced by those of the index.
Tensor take_tensors(const Tensor& x, const Plan& plan, const Tensor& joined, int at) {
  Axes order;
  for (const Through& t : plan.tensors) order.push_back(t.axis);
  std::int64_t lines = 1;
  for (std::int64_t axis : order) lines *= x.shape()[static_cast<int>(axis)];
  Shape flat{lines}, gathered = joined.shape();
  for (int i = 0; i < x.dim(); ++i) {
    if (std::any_of(plan.tensors.begin(), plan.tensors.end(),
                    [&](const Through& t) { return t.axis == i; })) {
      continue;
    }
    order.push_back(i);
    flat.push_back(x.shape()[i]);
    gathered.push_back(x.shape()[i]);
  }
  bool moved = false;
  for (std::size_t i = 0; i < order.size(); ++i) {
    moved = moved || order[i] != static_cast<std::int64_t>(i);
  }
  const Tensor lined = reshape(moved ? permute(x, order) : x, flat);
  const Tensor y = reshape(index_select(lined, 0, reshape(joined, {-1})), gathered);
  if (at == 0) return y;
  Axes from;
  for (int i = 0; i < joined.dim(); ++i) from.push_back(i);
  Axes to = from;
  std::iota(to.begin(), to.end(), at);
  return movedim(y, from, to);
}

}  // namespace

Tensor index(const Tensor& x, const std::vector<Index>& places) {
  const Plan plan = make_plan(x, places);
  Tensor joined;
  Shape result;
  int at = 0;
  if (!plan.tensors.empty()) {
    joined = joined_index(plan);
    at = neighbors(plan.tensors) ? plan.tensors[0].axis : 0;
    result = joined.shape();
    const int kept = plan.sliced.dim() - static_cast<int>(plan.tensors.size());
    for (int i = 0; i < kept; ++i) result.push_back(1);  // throws for too many axes
  }
  Tensor y = view(x, plan.map);
  if (plan.turned.axes) y = view(y, plan.turned);
  return joined.defined() ? take_tensors(y, plan, joined, at) : y;
}

Tensor index_put(const Tensor& x, const std::vector<Index>& places, const Tensor& values,
                 IndexPutOptions options) {
  // The places of the chosen elements among all: the same choice, made of their numbers.
  const Tensor chosen = index(reshape(arange(x.numel(), int64), x.shape()), places);
  if (values.dtype() != x.dtype()) {
    throw TypeError(std::string("index_put: other dtype: x holds ") + name(x.dtype()) +
                    ", values " + name(values.dtype()) + "; need the same (convert with to)");
  }
  if (!(broadcast_shapes("index_put", chosen.shape(), values.shape()) == chosen.shape())) {
    throw ShapeError("index_put: values do not broadcast: chosen are " + to_string(chosen.shape()) +
                     ", values are " + to_string(values.shape()) + "; need their extents or 1");
  }
  const Tensor line = reshape(x, {-1}), at = reshape(chosen, {-1});
  const Tensor source = reshape(broadcast_to(values, chosen.shape()), {-1});
  const Tensor y =
      options.accumulate ? index_add(line, 0, at, source) : index_copy(line, 0, at, source);
  return reshape(y, x.shape());
}

}  // namespace autograd
