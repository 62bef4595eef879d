// SPDX-License-Identifier: Apache-2.0
// Composites of shaping.hpp and indexing.hpp. What returns several tensors is checked by one that mixes
// them, so that none can be taken for another.
#include "../create.hpp"
#include "../indexing.hpp"
#include "../shaping.hpp"
#include "composites.hpp"

namespace autograd::ops {

namespace {

using Inputs = std::vector<Tensor>;
using detail::composite;

constexpr Dtypes kAll = Dtypes::all;

Tensor index(std::initializer_list<std::int64_t> places) {
  return tensor(std::vector<std::int64_t>(places));
}
Tensor mask() {  // [2, 3]
  return reshape(tensor(std::vector<std::int64_t>{1, 0, 1, 0, 0, 1}), {2, 3}) > 0.0;
}
// Of as many parts as there are, each another multiple.
Tensor mixed(const std::vector<Tensor>& parts) {
  std::vector<Tensor> flat;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    flat.push_back(cat({flatten(parts[k]), flatten(parts[parts.size() - 1 - k])}));
  }
  return cat(flat);
}

std::vector<OpEntry> views() {
  return {
      composite("squeeze", "without axes of extent 1", kAll,
                {{"all", {{1, 3, 1}}, [](const Inputs& in) { return squeeze(in[0]); }},
                 {"one", {{1, 3, 1}}, [](const Inputs& in) { return squeeze(in[0], -1); }}},
                "dy, reshaped", "a view"),
      composite(
          "unsqueeze", "with a new axis of extent 1", kAll,
          {{"strided", {{3, 4}}, [](const Inputs& in) { return unsqueeze(transpose(in[0]), 1); }}},
          "dy, reshaped", "a view"),
      composite("clone", "a row-major copy of x", kAll,
                {{"contiguous", {{2, 3}}, [](const Inputs& in) { return clone(in[0]); }},
                 {"scalar", {{}}, [](const Inputs& in) { return clone(in[0]); }},
                 {"strided", {{2, 3}}, [](const Inputs& in) { return clone(transpose(in[0])); }}},
                "dy"),
      composite("flatten", "a run of axes as one", kAll,
                {{"two", {{2, 3, 2}}, [](const Inputs& in) { return flatten(in[0], 1); }},
                 {"strided", {{2, 3}}, [](const Inputs& in) { return flatten(transpose(in[0])); }}},
                "dy, reshaped", "a view where strides allow"),
      composite("unflatten", "one axis as several", kAll,
                {{"six",
                  {{6, 2}},
                  [](const Inputs& in) {
                    return unflatten(in[0], 0, {2, -1});
                  }}},
                "dy, reshaped", "a view"),
      composite("movedim", "axes at other places", kAll,
                {{"two",
                  {{2, 3, 4}},
                  [](const Inputs& in) {
                    return movedim(in[0], {0, 1}, {-1, 0});
                  }}},
                "dy with the axes put back", "a view"),
      composite("expand", "x repeated along axes of extent 1", kAll,
                {{"new axis",
                  {{3, 1}},
                  [](const Inputs& in) {
                    return expand(in[0], {2, -1, 4});
                  }}},
                "dy summed to x's shape", "a view"),
      composite("narrow", "x[start : start + length] along an axis", kAll,
                {{"columns", {{3, 4}}, [](const Inputs& in) { return narrow(in[0], 1, 1, 2); }}},
                "dy there, else 0", "a view"),
      composite("select", "x[i] along an axis", kAll,
                {{"row", {{2, 3, 4}}, [](const Inputs& in) { return select(in[0], 1, -1); }}},
                "dy there, else 0", "a view"),
      composite("split", "parts of a size, or of sizes", kAll,
                {{"size", {{5, 2}}, [](const Inputs& in) { return mixed(split(in[0], 2)); }},
                 {"sizes",
                  {{2, 5}},
                  [](const Inputs& in) {
                    return mixed(split(in[0], {1, 4}, 1));
                  }}},
                "each dy there", "views"),
      composite("chunk", "n parts", kAll,
                {{"three", {{5, 2}}, [](const Inputs& in) { return mixed(chunk(in[0], 3)); }}},
                "each dy there", "views"),
      composite("unbind", "all x[i] along an axis", kAll,
                {{"axis 1", {{2, 3, 2}}, [](const Inputs& in) { return mixed(unbind(in[0], 1)); }}},
                "each dy there", "views"),
      composite("meshgrid", "coordinates of the grid that vectors span", kAll,
                {{"xy",
                  {{3}, {2}},
                  [](const Inputs& in) {
                    return mixed(meshgrid({in[0], in[1]}, {.indexing = MeshIndexing::xy}));
                  }}},
                "each dy, summed", "views"),
  };
}

std::vector<OpEntry> arrangements() {
  return {
      composite("stack", "tensors along a new axis", kAll,
                {{"two, twice",
                  {{2, 3}, {2, 3}},
                  [](const Inputs& in) {
                    return stack({in[0], in[1], in[0]}, -1);
                  }}},
                "each its part of dy"),
      composite("repeat", "x several times along every axis", kAll,
                {{"both",
                  {{2, 3}},
                  [](const Inputs& in) {
                    return repeat(in[0], {2, 1, 2});
                  }}},
                "dy, summed over the copies", "PyTorch's tile too"),
      composite(
          "repeat_interleave", "every element several times", kAll,
          {{"number", {{2, 3}}, [](const Inputs& in) { return repeat_interleave(in[0], 2, 1); }},
           {"tensor",
            {{3, 2}},
            [](const Inputs& in) {
              return repeat_interleave(in[0], index({2, 0, 1}), 0);
            }}},
          "dy, summed over the copies"),
      composite("roll", "elements moved around an axis", kAll,
                {{"two axes",
                  {{3, 4}},
                  [](const Inputs& in) {
                    return roll(in[0], {1, -1}, {0, 1});
                  }}},
                "dy rolled back"),
      composite("diag", "a vector as a diagonal, a matrix's diagonal", kAll,
                {{"vector", {{3}}, [](const Inputs& in) { return diag(in[0], -1); }},
                 {"matrix", {{3, 4}}, [](const Inputs& in) { return diag(in[0], 1); }}},
                "diag(dy)"),
      composite("pad", "x with a border", kAll,
                {{"constant",
                  {{2, 3}},
                  [](const Inputs& in) {
                    return pad(in[0], {1, 2, -1, 1}, {.value = 3});
                  }},
                 {"reflect",
                  {{3, 4}},
                  [](const Inputs& in) {
                    return pad(in[0], {2, 1}, {.mode = PadMode::reflect});
                  }},
                 {"replicate, circular",
                  {{3, 4}},
                  [](const Inputs& in) {
                    return pad(pad(in[0], {1, 1}, {.mode = PadMode::replicate}), {1, 2},
                               {.mode = PadMode::circular});
                  }}},
                "dy, summed over the copies", "constant, reflect, replicate, circular"),
      composite("unfold, fold of images", "patches as columns, and back", kAll,
                {{"unfold",
                  {{1, 2, 4, 3}},
                  [](const Inputs& in) {
                    return unfold(in[0], {.kernel_size = {2, 3}, .padding = {1, 1}});
                  }},
                 {"fold",
                  {{1, 4, 6}},
                  [](const Inputs& in) {
                    return fold(in[0], {3, 4}, {.kernel_size = {2, 2}});
                  }}},
                "fold(dy), unfold(dy)"),
  };
}

std::vector<OpEntry> places() {
  return {
      composite("x(...)", "slices, numbers, tensors of indices, masks, new axes", kAll,
                {{"slices",
                  {{3, 4}},
                  [](const Inputs& in) { return in[0](slice(1, 3), slice({}, {}, 2)); }},
                 {"tensors",
                  {{2, 3, 4}},
                  [](const Inputs& in) {
                    return in[0](index({0, -1}), slice(), index({1, 3}));
                  }},
                 {"mask", {{2, 3}}, [](const Inputs& in) { return in[0](mask()); }}},
                "dy there, else 0; repeated places add up", "slices are views"),
      composite("index_put", "x with values at places", kAll,
                {{"replaced",
                  {{3, 4}, {2}},
                  [](const Inputs& in) {
                    return index_put(in[0], {index({0, 2}), index({1, 3})}, in[1]);
                  }},
                 {"added, repeated",
                  {{3, 4}, {3, 4}},
                  [](const Inputs& in) {
                    return index_put(in[0], {index({1, 1, 0})}, in[1], {.accumulate = true});
                  }}},
                "dy, 0 there; dy there", "the last of repeated ones wins"),
      composite("take_along_dim", "x[index] along an axis", kAll,
                {{"broadcast",
                  {{2, 3}},
                  [](const Inputs& in) {
                    return take_along_dim(in[0], reshape(index({2, 0}), {1, 2}), 1);
                  }}},
                "dy added there"),
      composite("take", "x[index] of the flattened x", kAll,
                {{"repeated",
                  {{2, 3}},
                  [](const Inputs& in) {
                    return take(in[0], reshape(index({0, 5, -1, 2}), {2, 2}));
                  }}},
                "dy added there"),
      composite(
          "masked_fill", "a number where a mask is true, else x", kAll,
          {{"matrix", {{2, 3}}, [](const Inputs& in) { return masked_fill(in[0], mask(), 4); }}},
          "dy, 0 there", "what is replaced gets 0, also where it is NaN"),
      composite("masked_select", "the elements where a mask is true", kAll,
                {{"strided",
                  {{3, 2}},
                  [](const Inputs& in) { return masked_select(transpose(in[0]), mask()); }}},
                "dy there, else 0"),
  };
}

}  // namespace

std::vector<OpEntry> shape_composites() {
  std::vector<OpEntry> all = views();
  for (const auto& more : {arrangements(), places()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace autograd::ops
