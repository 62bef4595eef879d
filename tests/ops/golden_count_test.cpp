// SPDX-License-Identifier: Apache-2.0
// Every function has at least four golden cases of each dtype: plain, broadcast or batched, a strided
// view, an edge. The tests that compare them read the same files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "../op_names.hpp"

namespace {

// Kinds of one function that have code of their own are counted by themselves too.
constexpr const char* kKinds[] = {
    "pad,constant pad,reflect pad,replicate pad,circular unfold,windows",
    "interpolate,nearest interpolate,nearest_exact interpolate,linear interpolate,bilinear "
    "interpolate,trilinear interpolate,bicubic interpolate,area",
};

// By dtype, by name and by each beginning of it that ends before a comma.
std::map<std::string, std::map<std::string, int>> counted() {
  std::map<std::string, std::map<std::string, int>> cases;
  for (const auto& file : std::filesystem::directory_iterator(AUTOGRAD_TESTS_DIR "/golden")) {
    if (file.path().extension() != ".txt") continue;
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string tag, name, dtype;
      words >> tag >> name >> dtype;
      if (tag != "case") continue;
      ++cases[dtype][name];
      for (std::size_t comma; (comma = name.rfind(',')) != name.npos;) {
        name.resize(comma);
        ++cases[dtype][name];
      }
    }
  }
  return cases;
}

TEST(GoldenCount, EveryFunctionHasFourCasesOfEachDtype) {
  std::set<std::string> names = op_names::names_of(op_names::kFunctionNames);
  names.merge(op_names::names_of(kKinds));
  auto cases = counted();
  for (const char* dtype : {"float32", "float64"}) {
    for (const std::string& name : names) {
      EXPECT_GE(cases[dtype][name], 4) << name << ", " << dtype;
    }
  }
}

}  // namespace
