// SPDX-License-Identifier: Apache-2.0
// Every function has at least four golden cases of each dtype: plain, broadcast or batched, a strided
// view, an edge. The tests that compare them read the same files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "../op_names.hpp"

namespace {

// Kinds of one function that have code of their own are counted by themselves too.
constexpr const char* kKinds[] = {
    "pad,constant pad,reflect pad,replicate pad,circular unfold,windows",
    "interpolate,nearest interpolate,nearest_exact interpolate,linear interpolate,bilinear "
    "interpolate,trilinear interpolate,bicubic interpolate,area",
};

struct Counts {
  std::map<std::string, std::map<std::string, int>> cases;  // by dtype, by name
  std::set<std::string> views;                              // names with a case of a strided view
};

// A name and each beginning of it that ends before a comma.
std::vector<std::string> beginnings(std::string name) {
  std::vector<std::string> all = {name};
  for (std::size_t comma; (comma = name.rfind(',')) != name.npos;) {
    name.resize(comma);
    all.push_back(name);
  }
  return all;
}

// The lines of common.py: `case NAME DTYPE ...`, then `x SHAPE SEED LEVELS [strided]` of each input.
void count(std::ifstream&& lines, Counts& counts) {
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string tag, name, dtype, levels, strided;
    words >> tag >> name >> dtype >> levels >> strided;
    bool view = tag == "x" && strided == "strided";
    if (tag == "case") {
      names = beginnings(name);
      for (const std::string& each : names) ++counts.cases[dtype][each];
      view = name.find("view") != name.npos;
    }
    if (view) counts.views.insert(names.begin(), names.end());
  }
}

TEST(GoldenCount, EveryFunctionHasFourCasesOfEachDtypeAndAView) {
  Counts counts;
  for (const auto& file : std::filesystem::directory_iterator(AUTOGRAD_TESTS_DIR "/golden")) {
    if (file.path().extension() == ".txt") count(std::ifstream(file.path()), counts);
  }
  std::set<std::string> names = op_names::names_of(op_names::kFunctionNames);
  names.merge(op_names::names_of(kKinds));
  for (const std::string& name : names) {
    EXPECT_GE(counts.cases["float32"][name], 4) << name;
    EXPECT_GE(counts.cases["float64"][name], 4) << name;
    EXPECT_TRUE(counts.views.contains(name)) << name << " has no case of a strided view";
  }
}

}  // namespace
