// SPDX-License-Identifier: Apache-2.0
// Charts: that they are pictures with something in them, and what they refuse.
#include <cmath>
#include <cstring>

#include "files_support.hpp"

namespace {

using nn_test::expect_message;
using nn_test::Folder;

double darkness(const std::string& path) { return 1 - ag::mean(nn::read_image(path)).item(); }

TEST(Chart, Curves) {
  const Folder folder;
  nn::Curve falling{"train", {}}, gaps{"valid_2", {1, NAN, 0.5, INFINITY, 0.25, -1}};
  for (int i = 0; i < 1000; ++i) falling.values.push_back(std::exp(-0.01 * i));
  try {
    nn::write_curves(folder / "a.png", {falling, gaps}, {.title = "loss", .x_name = "epoch"});
  } catch (const ag::IoError& error) {
    if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what();
    throw;
  }
  EXPECT_GT(darkness(folder / "a.png"), 0.005);
  nn::write_curves(folder / "b.png", {falling, gaps}, {.x_last = 15, .logarithmic = true});
  EXPECT_NE(nn_test::slurp(folder / "a.png"), nn_test::slurp(folder / "b.png"));
  nn::write_curves(folder / "c.png", {{"", {}}});
  nn::write_curves(folder / "d.png", {{"one", {3}}, {"same", {3, 3}}, {"far", {1e300, -1e300}}});
  expect_message<ag::ValueError>("write_curves: number of curves: 0; need 1 to 8",
                                 [&] { nn::write_curves(folder / "e.png", {}); });
}

TEST(Chart, ConfusionMatrix) {
  const Folder folder;
  const std::string path = folder / "a.png";
  try {
    nn::write_confusion_matrix(path, ag::tensor({{90, 10}, {1, 0}}, ag::int64), {"cat", "dog"});
  } catch (const ag::IoError& error) {
    if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what();
    throw;
  }
  EXPECT_GT(darkness(path), 0.05);
  nn::write_confusion_matrix(path, ag::zeros({1, 1}));
  nn::write_confusion_matrix(path, ag::ones({200, 200}));
  EXPECT_GT(nn::read_image(path).size(2), 600);
  EXPECT_THROW(nn::write_confusion_matrix(path, ag::ones({2, 3})), ag::ShapeError);
  EXPECT_THROW(nn::write_confusion_matrix(path, ag::ones({2, 2}), {"a"}), ag::ValueError);
  EXPECT_THROW(nn::write_confusion_matrix(path, ag::tensor({{-1.0}})), ag::ValueError);
  EXPECT_THROW(nn::write_confusion_matrix(path, ag::tensor({{NAN}})), ag::ValueError);
}

}  // namespace
