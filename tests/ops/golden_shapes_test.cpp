// SPDX-License-Identifier: Apache-2.0
// Functions of shaping.hpp and indexing.hpp beside PyTorch's, value and gradient, by rows of arguments:
// tests/golden/shapes_reference.py. golden_index_test has those that are written one by one.
#include "golden.hpp"

namespace ops_test {
namespace {

using namespace autograd;

using In = const Inputs&;
using Words = const Arguments&;

std::int64_t number(const std::string& text) { return std::stoll(text); }

/// SHAPE:ELEMENTS, int64.
Tensor places(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string elements = text.substr(colon + 1);
  const std::vector<std::int64_t> list = golden_file::integers(elements.empty() ? "-" : elements);
  return golden_file::tensor(Shape(golden_file::integers(text.substr(0, colon))), autograd::int64,
                             [&](double i) { return list.at(static_cast<std::size_t>(i)); });
}

std::vector<Tensor> weighted(std::vector<Tensor> parts) {
  for (std::size_t k = 0; k < parts.size(); ++k) parts[k] = parts[k] * static_cast<double>(k + 1);
  return parts;
}

/// A number, START:STOP:STEP with any of them left out, ... or None.
Index piece(const std::string& word) {
  if (word == "...") return ellipsis;
  if (word == "None") return newaxis;
  if (word.find(':') == word.npos) return number(word);
  std::istringstream items(word);
  std::string start, stop, step;
  std::getline(items, start, ':');
  std::getline(items, stop, ':');
  std::getline(items, step, ':');
  const auto optional = [](const std::string& text) {
    return text.empty() ? std::optional<std::int64_t>() : number(text);
  };
  return slice(optional(start), optional(stop), step.empty() ? 1 : number(step));
}

Tensor mesh(In in, Words a) {
  std::vector<Tensor> lines;
  for (const Tensor& x : in) lines.push_back(x.dim() < 2 ? x : select(x, 1, 0));
  return stack(meshgrid(lines, {.indexing = a[0] == "xy" ? MeshIndexing::xy : MeshIndexing::ij}));
}

GoldenFunction padded(PadMode mode) {
  return [mode](In in, Words a) {
    return pad(in[0], golden_file::integers(a[0]),
               {.mode = mode, .value = a.size() > 1 ? std::stod(a[1]) : 0});
  };
}

GoldenFunctions view_functions() {
  return {
      {"reshape", [](In in, Words a) { return reshape(in[0], golden_file::integers(a[0])); }},
      {"transpose", [](In in, Words a) { return transpose(in[0], number(a[0]), number(a[1])); }},
      {"movedim",
       [](In in, Words a) {
         return movedim(in[0], golden_file::integers(a[0]), golden_file::integers(a[1]));
       }},
      {"squeeze",
       [](In in, Words a) { return a.empty() ? squeeze(in[0]) : squeeze(in[0], number(a[0])); }},
      {"unsqueeze", [](In in, Words a) { return unsqueeze(in[0], number(a[0])); }},
      {"flatten", [](In in, Words a) { return flatten(in[0], number(a[0]), number(a[1])); }},
      {"unflatten",
       [](In in, Words a) { return unflatten(in[0], number(a[0]), golden_file::integers(a[1])); }},
      {"expand", [](In in, Words a) { return expand(in[0], golden_file::integers(a[0])); }},
      {"broadcast_to",
       [](In in, Words a) { return broadcast_to(in[0], Shape(golden_file::integers(a[0]))); }},
      {"narrow",
       [](In in, Words a) { return narrow(in[0], number(a[0]), number(a[1]), number(a[2])); }},
      {"select", [](In in, Words a) { return select(in[0], number(a[0]), number(a[1])); }},
      {"split",
       [](In in, Words a) {
         const bool sizes = a[0].find(',') != std::string::npos;
         const std::int64_t axis = number(a[1]);
         return cat(weighted(sizes ? split(in[0], golden_file::integers(a[0]), axis)
                                   : split(in[0], number(a[0]), axis)),
                    axis);
       }},
      {"chunk",
       [](In in, Words a) {
         return cat(weighted(chunk(in[0], number(a[0]), number(a[1]))), number(a[1]));
       }},
      {"unbind", [](In in, Words a) { return stack(weighted(unbind(in[0], number(a[0])))); }},
      {"diagonal",
       [](In in, Words a) {
         return diagonal(in[0],
                         {.offset = number(a[0]), .axis1 = number(a[1]), .axis2 = number(a[2])});
       }},
      {"slice",
       [](In in, Words a) {
         return index(in[0], [&] {
           std::vector<Index> all;
           for (const std::string& word : a) all.push_back(piece(word));
           return all;
         }());
       }},
  };
}

GoldenFunctions other_functions() {
  return {
      {"diag", [](In in, Words a) { return diag(in[0], number(a[0])); }},
      {"meshgrid", mesh},
      {"cat", [](In in, Words a) { return cat(in, number(a[0])); }},
      {"roll",
       [](In in, Words a) {
         return roll(in[0], golden_file::integers(a[0]), golden_file::integers(a[1]));
       }},
      {"repeat_interleave",
       [](In in, Words a) { return repeat_interleave(in[0], number(a[0]), number(a[1])); }},
      {"repeat", [](In in, Words a) { return repeat(in[0], golden_file::integers(a[0])); }},
      {"tile", [](In in, Words a) { return tile(in[0], golden_file::integers(a[0])); }},
      {"tril", [](In in, Words a) { return tril(in[0], number(a[0])); }},
      {"triu", [](In in, Words a) { return triu(in[0], number(a[0])); }},
      {"pad,constant", padded(PadMode::constant)},
      {"pad,reflect", padded(PadMode::reflect)},
      {"pad,replicate", padded(PadMode::replicate)},
      {"pad,circular", padded(PadMode::circular)},
      {"take", [](In in, Words a) { return take(in[0], places(a[0])); }},
      {"take_along_dim",
       [](In in, Words a) { return take_along_dim(in[0], places(a[0]), number(a[1])); }},
      {"index_put",
       [](In in, Words a) {
         std::vector<Index> all;
         for (const std::string& word : a) all.push_back(places(word));
         return index_put(in[0], all, in[1], {.accumulate = true});
       }},
      {"masked_fill",
       [](In in, Words a) { return masked_fill(in[0], places(a[0]) > 0, std::stod(a[1])); }},
      {"masked_select", [](In in, Words a) { return masked_select(in[0], places(a[0]) > 0); }},
      {"nonzero", [](In in) { return nonzero(in[0]); }},
      {"embedding", [](In in, Words a) { return embedding(places(a[0]), in[0]); }},
      {"one_hot",
       [](In in, Words a) { return one_hot(to(abs(in[0] * 4.0), autograd::int64), number(a[0])); }},
      {"unfold",
       [](In in, Words a) {
         const auto size = golden_file::integers(a[0]), stride = golden_file::integers(a[1]);
         return unfold(in[0],
                       {.kernel_size = {size[0], size[1]}, .stride = {stride[0], stride[1]}});
       }},
  };
}

TEST(GoldenShapes, AgreesWithPyTorch) {
  GoldenFunctions all = view_functions();
  all.merge(other_functions());
  check_golden("shapes", all);
}

}  // namespace
}  // namespace ops_test
