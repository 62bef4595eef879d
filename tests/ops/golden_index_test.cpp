// SPDX-License-Identifier: Apache-2.0
// The functions of shaping.hpp and indexing.hpp beside PyTorch's, value and gradient: the cases of
// tests/golden/index_reference.py, written once more.
#include "golden.hpp"

namespace ops_test {
namespace {

using namespace autograd;

Tensor joined(const std::vector<Tensor>& parts) {
  Tensor total = sum(square(parts[0]));
  for (std::size_t k = 1; k < parts.size(); ++k) {
    total = total + sum(square(parts[k])) * static_cast<double>(k + 1);
  }
  return total;
}

Tensor mask() { return tensor({{1, 0, 1, 0}, {0, 0, 1, 1}, {1, 1, 0, 0}}) > 0.0; }
Tensor none(const Shape& shape) { return empty(shape, autograd::int64); }

using In = const Inputs&;
using Functions = GoldenFunctions;

Functions view_functions() {
  return {
      {"permute",
       [](In in) {
         return permute(in[0], {2, 0, 1});
       }},
      {"permute,of_a_view",
       [](In in) {
         return permute(transpose(in[0], 0, 2), {1, 0, 2});
       }},
      {"permute,negative",
       [](In in) {
         return permute(in[0], {-1, 0});
       }},
      {"permute,scalar", [](In in) { return permute(in[0], {}); }},
      {"movedim",
       [](In in) {
         return movedim(in[0], {0, 1}, {-1, 0});
       }},
      {"squeeze", [](In in) { return squeeze(in[0]); }},
      {"squeeze,one", [](In in) { return squeeze(in[0], -1); }},
      {"unsqueeze,of_a_view", [](In in) { return unsqueeze(transpose(in[0]), -2); }},
      {"clone", [](In in) { return clone(in[0]); }},
      {"clone,of_a_view", [](In in) { return clone(transpose(in[0], 0, 2)); }},
      {"clone,scalar", [](In in) { return clone(in[0]); }},
      {"clone,none", [](In in) { return clone(in[0]); }},
      {"flatten,of_a_view", [](In in) { return flatten(transpose(in[0], 0, 1), 1); }},
      {"flatten,scalar", [](In in) { return flatten(in[0]); }},
      {"unflatten",
       [](In in) {
         return unflatten(in[0], 0, {2, -1});
       }},
      {"expand",
       [](In in) {
         return expand(in[0], {2, -1, 4});
       }},
      {"expand,none",
       [](In in) {
         return expand(in[0], {0, 2});
       }},
      {"narrow", [](In in) { return narrow(in[0], 1, 1, 2); }},
      {"narrow,of_a_view", [](In in) { return narrow(transpose(in[0]), 0, -2, 2); }},
      {"narrow,none", [](In in) { return narrow(in[0], 0, 3, 0); }},
      {"select", [](In in) { return select(in[0], 1, -1); }},
      {"split", [](In in) { return joined(split(in[0], 2)); }},
      {"split,sizes,of_a_view",
       [](In in) {
         return joined(split(transpose(in[0]), {1, 4}));
       }},
      {"chunk", [](In in) { return joined(chunk(in[0], 3)); }},
      {"unbind", [](In in) { return joined(unbind(in[0], 1)); }},
      {"diagonal", [](In in) { return diagonal(in[0], {.offset = 1}); }},
      {"diagonal,axes,of_a_view",
       [](In in) {
         return diagonal(transpose(in[0], 0, 1), {.offset = -1, .axis1 = 2, .axis2 = 0});
       }},
      {"diagonal,none", [](In in) { return diagonal(in[0], {.offset = 9}); }},
      {"diag,vector", [](In in) { return diag(in[0], -1); }},
      {"diag,matrix", [](In in) { return diag(in[0]); }},
      {"diag_embed",
       [](In in) { return diag_embed(in[0], {.offset = 1, .axis1 = 0, .axis2 = 2}); }},
      {"diag_embed,of_a_view", [](In in) { return diag_embed(transpose(in[0])); }},
      {"unfold,windows", [](In in) { return unfold(in[0], 0, 3, 2); }},
      {"unfold,windows,of_a_view", [](In in) { return unfold(transpose(in[0]), 0, 2, 1); }},
  };
}

Functions arranging_functions() {
  return {
      {"cat",
       [](In in) {
         return cat({in[0], in[1], in[0]});
       }},
      {"cat,of_a_view",
       [](In in) {
         return cat({in[0], transpose(in[1])}, -1);
       }},
      {"cat,none",
       [](In in) {
         return cat({in[1], in[0]}, 1);
       }},
      {"cat,legacy",
       [](In in) {
         return cat({in[1], in[0]}, 1);
       }},
      {"stack", [](In in) { return stack(in, 1); }},
      {"stack,of_a_view",
       [](In in) {
         return stack({in[0], transpose(in[1])}, -1);
       }},
      {"stack,scalars", [](In in) { return stack(in); }},
      {"meshgrid",
       [](In in) {
         const auto grid = meshgrid(in, {.indexing = MeshIndexing::xy});
         return joined({grid[0] * grid[1]});
       }},
      {"repeat",
       [](In in) {
         return repeat(in[0], {2, 1, 2});
       }},
      {"repeat,of_a_view",
       [](In in) {
         return repeat(transpose(in[0]), {2, 3});
       }},
      {"repeat,none",
       [](In in) {
         return repeat(in[0], {0, 2});
       }},
      {"tile", [](In in) { return tile(in[0], {2}); }},
      {"repeat_interleave", [](In in) { return repeat_interleave(in[0], 2, 1); }},
      {"repeat_interleave,tensor",
       [](In in) {
         return repeat_interleave(in[0], i64({2, 0, 3}), 0);
       }},
      {"flip", [](In in) { return flip(in[0], {0}); }},
      {"flip,of_a_view",
       [](In in) {
         return flip(transpose(in[0], 0, 2), {0, -1});
       }},
      {"flip,none", [](In in) { return flip(in[0], {0}); }},
      {"roll",
       [](In in) {
         return roll(in[0], {1, -1}, {0, 1});
       }},
      {"roll,line", [](In in) { return roll(in[0], 5); }},
      {"roll,of_a_view", [](In in) { return roll(transpose(in[0]), {-3}, {0}); }},
      {"tril", [](In in) { return tril(in[0]); }},
      {"tril,batch", [](In in) { return tril(in[0], -1); }},
      {"triu,of_a_view", [](In in) { return triu(transpose(in[0]), 1); }},
      {"triu,none", [](In in) { return triu(in[0], 9); }},
      {"pad,constant",
       [](In in) {
         return pad(in[0], {1, 2, 0, 1}, {.value = 1.5});
       }},
      {"pad,constant,cut",
       [](In in) {
         return pad(in[0], {-1, 2, 1, -2});
       }},
      {"pad,reflect",
       [](In in) {
         return pad(in[0], {2, 1, 3, 0}, {.mode = PadMode::reflect});
       }},
      {"pad,replicate",
       [](In in) {
         return pad(in[0], {2, 1, 0, 3}, {.mode = PadMode::replicate});
       }},
      {"pad,circular",
       [](In in) {
         return pad(in[0], {2, 1, 4, 0}, {.mode = PadMode::circular});
       }},
      {"pad,reflect,of_a_view",
       [](In in) {
         return pad(transpose(in[0], 0, 2), {1, 1}, {.mode = PadMode::reflect});
       }},
      {"unfold",
       [](In in) {
         return unfold(in[0], {.kernel_size = {2, 3}});
       }},
      {"unfold,options",
       [](In in) {
         return unfold(
             in[0],
             {.kernel_size = {3, 2}, .dilation = {1, 2}, .padding = {1, 2}, .stride = {2, 1}});
       }},
      {"unfold,of_a_view",
       [](In in) {
         return unfold(permute(in[0], {3, 2, 1, 0}), {.kernel_size = {2, 2}});
       }},
      {"fold",
       [](In in) {
         return fold(in[0], {3, 4}, {.kernel_size = {2, 2}});
       }},
      {"fold,options",
       [](In in) {
         return fold(in[0], {4, 5}, {.kernel_size = {2, 3}, .padding = {1, 1}, .stride = {2, 1}});
       }},
      {"fold,of_a_view",
       [](In in) {
         return fold(transpose(in[0]), {5, 4}, {.kernel_size = {2, 2}, .dilation = {3, 1}});
       }},
  };
}

Functions place_functions() {
  return {
      {"slice,x[1:3,::2]", [](In in) { return in[0](slice(1, 3), slice({}, {}, 2)); }},
      {"slice,x[...,-1,None]", [](In in) { return in[0](ellipsis, -1, newaxis); }},
      {"slice,x[1,None,-3:]", [](In in) { return in[0](1, newaxis, slice(-3)); }},
      {"index,x[[0,2,0]]",
       [](In in) {
         return in[0](i64({0, 2, 0}));
       }},
      {"index,x[:,[[1],[-1]]]",
       [](In in) {
         return in[0](slice(), i64({{1}, {-1}}));
       }},
      {"index,x[[0,-1],:,[[1],[3]]]",
       [](In in) {
         return in[0](i64({0, -1}), slice(), i64({{1}, {3}}));
       }},
      {"index,x[[1,0],[2,2],1:]",
       [](In in) {
         return in[0](i64({1, 0}), i64({2, 2}), slice(1));
       }},
      {"index,x[0,:,[3,1]]",
       [](In in) {
         return in[0](0, slice(), i64({3, 1}));
       }},
      {"index,x[None,[1,1],0]",
       [](In in) {
         return in[0](newaxis, i64({1, 1}), 0);
       }},
      {"index,x.t()[mask]", [](In in) { return transpose(in[0])(mask()); }},
      {"index,x[:,mask]", [](In in) { return in[0](slice(), mask()); }},
      {"index,x[mask,[0,1,2,3,2,1]]",
       [](In in) {
         return in[0](mask(), i64({0, 1, 2, 3, 2, 1}));
       }},
      {"index_put",
       [](In in) {
         return index_put(in[0], {i64({{0}, {2}}), i64({1, 3})}, in[1]);
       }},
      {"index_put,add",
       [](In in) {
         return index_put(in[0], {i64({0, 0, 0, 2}), i64({1, 1, 3, 0})}, in[1],
                          {.accumulate = true});
       }},
      {"index_put,row,add",
       [](In in) {
         return index_put(in[0], {i64({1, 1, 0})}, in[1], {.accumulate = true});
       }},
      {"index_put,mask", [](In in) { return index_put(in[0], {mask()}, in[1]); }},
  };
}

Functions index_functions() {
  return {
      {"index_select",
       [](In in) {
         return index_select(in[0], 0, i64({2, 0, 2}));
       }},
      {"index_select,of_a_view",
       [](In in) {
         return index_select(transpose(in[0]), -1, i64({3, 1}));
       }},
      {"index_select,none", [](In in) { return index_select(in[0], 1, none({0})); }},
      {"index_add",
       [](In in) {
         return index_add(in[0], 0, i64({2, 0, 2}), in[1], {.alpha = -1.5});
       }},
      {"index_add,of_a_view",
       [](In in) {
         return index_add(transpose(in[0]), 1, i64({3, 3}), transpose(in[1]));
       }},
      {"index_copy",
       [](In in) {
         return index_copy(in[0], 0, i64({2, 0}), in[1]);
       }},
      {"gather",
       [](In in) {
         return gather(in[0], 1, i64({{1, 1}, {3, 0}, {0, 0}}));
       }},
      {"gather,of_a_view",
       [](In in) {
         return gather(transpose(in[0]), 0, i64({{2, 1, 0}, {2, 2, 2}}));
       }},
      {"gather,none",
       [](In in) {
         return gather(in[0], 1, none({3, 0}));
       }},
      {"take_along_dim",
       [](In in) {
         return take_along_dim(in[0], i64({{2, 0}}), 1);
       }},
      {"take",
       [](In in) {
         return take(in[0], i64({{0, 5}, {-1, 5}}));
       }},
      {"scatter",
       [](In in) {
         return scatter(in[0], 1, i64({{1, 2}, {3, 0}, {0, 2}}), in[1]);
       }},
      {"scatter,of_a_view",
       [](In in) {
         return scatter(transpose(in[0]), 0, i64({{2, 1, 0}, {1, 2, 2}}), in[1]);
       }},
      {"scatter,number",
       [](In in) {
         return scatter(in[0], 1, i64({{1, 2}, {3, 0}, {0, 2}}), 0.5);
       }},
      {"scatter_add",
       [](In in) {
         return scatter_add(in[0], 1, i64({{1, 1}, {3, 0}, {0, 0}}), in[1]);
       }},
      {"scatter_add,of_a_view",
       [](In in) {
         return scatter_add(transpose(in[0]), 0, i64({{2, 1, 0}, {2, 2, 2}}), in[1]);
       }},
      {"masked_fill", [](In in) { return masked_fill(in[0], mask(), -2.5); }},
      {"masked_fill,broadcast", [](In in) { return masked_fill(in[0], mask()(0), 2); }},
      {"masked_select", [](In in) { return masked_select(in[0], mask()); }},
      {"masked_select,broadcast", [](In in) { return masked_select(in[0], mask()); }},
  };
}

Functions more_functions() {
  return {
      {"squeeze,of_a_view,batch", [](In in) { return squeeze(transpose(in[0], 0, 2), 1); }},
      {"select,of_a_view", [](In in) { return select(transpose(in[0]), 0, 2); }},
      {"diag_embed,below", [](In in) { return diag_embed(in[0], {.offset = -2}); }},
      {"diag_embed,none", [](In in) { return diag_embed(in[0], {.offset = 1}); }},
      {"unfold,windows,last_axis,apart", [](In in) { return unfold(in[0], 2, 1, 3); }},
      {"unfold,windows,one", [](In in) { return unfold(in[0], 0, 3, 5); }},
      {"fold,unbatched,apart",
       [](In in) {
         return fold(in[0], {4, 4}, {.kernel_size = {2, 2}, .stride = {2, 2}});
       }},
      {"flip,batch", [](In in) { return flip(in[0], {1}); }},
      {"roll,none", [](In in) { return roll(in[0], {1}, {0}); }},
      {"stack,batch,negative", [](In in) { return stack(in, -2); }},
      {"stack,none", [](In in) { return stack(in); }},
      {"repeat_interleave,none", [](In in) { return repeat_interleave(in[0], 0, 0); }},
      {"repeat_interleave,of_a_view",
       [](In in) { return repeat_interleave(transpose(in[0]), 3, -1); }},
      {"index_select,batch",
       [](In in) {
         return index_select(in[0], 1, i64({1, 1, 2}));
       }},
      {"index_add,batch",
       [](In in) {
         return index_add(in[0], 1, i64({2, 2}), in[1]);
       }},
      {"index_add,none", [](In in) { return index_add(in[0], 1, none({0}), in[1]); }},
      {"index_copy,batch",
       [](In in) {
         return index_copy(in[0], 1, i64({2, 0}), in[1]);
       }},
      {"index_copy,of_a_view",
       [](In in) { return index_copy(transpose(in[0]), 1, i64({3}), transpose(in[1])); }},
      {"index_copy,none", [](In in) { return index_copy(in[0], 1, none({0}), in[1]); }},
      {"gather,batch",
       [](In in) {
         return gather(in[0], 2, i64({{{3, 3}, {0, 1}}}));
       }},
      {"scatter,batch",
       [](In in) {
         return scatter(in[0], 2, i64({{{3, 2}, {0, 1}}}), in[1]);
       }},
      {"scatter,none",
       [](In in) {
         return scatter(in[0], 1, none({3, 0}), in[1]);
       }},
      {"scatter_add,batch",
       [](In in) {
         return scatter_add(in[0], 2, i64({{{3, 3}, {0, 1}}}), in[1]);
       }},
      {"scatter_add,none",
       [](In in) {
         return scatter_add(in[0], 1, none({3, 0}), in[1]);
       }},
      {"take_along_dim,of_a_view",
       [](In in) {
         return take_along_dim(transpose(in[0]), i64({{3, 0}, {1, 1}, {2, 3}}), 1);
       }},
      {"take_along_dim,none",
       [](In in) {
         return take_along_dim(in[0], none({3, 0}), 1);
       }},
      {"masked_fill,of_a_view", [](In in) { return masked_fill(transpose(in[0]), mask(), 0.5); }},
      {"masked_select,none", [](In in) { return masked_select(in[0], mask() != mask()); }},
      {"pad,constant,none",
       [](In in) {
         return pad(in[0], {0, 1, 1, 0}, {.value = -1});
       }},
  };
}

TEST(GoldenIndex, AgreesWithPyTorch) {
  Functions all = view_functions();
  for (const Functions& more :
       {arranging_functions(), place_functions(), index_functions(), more_functions()}) {
    all.insert(more.begin(), more.end());
  }
  check_golden("index", all);
}

}  // namespace
}  // namespace ops_test
