// SPDX-License-Identifier: Apache-2.0
// mnist_mlp, mnist_cnn and moons, for a moment each: digits are made here, as IDX files of a few dozen
// pictures that anything can learn. Whether the recipes reach their figures needs the real data.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstring>
#include <regex>

#include "run_example.hpp"

namespace {

using examples_test::contains;
using examples_test::contents;
using examples_test::lines;
using examples_test::Ran;
using examples_test::WithOptions;
namespace fs = std::filesystem;
namespace ag = autograd;

using Moons = WithOptions;

TEST_F(Moons, EveryPointRight) {
  for (const std::string seed : {"1", "2", "3"}) {
    const Ran ran = run("moons --seed " + seed);
    ASSERT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(lines(ran.out).back(), "test accuracy 100.00 %");
    EXPECT_TRUE(contains(ran.out, "X") && contains(ran.out, "\u2588")) << "the map";
  }
  const Ran ran = run("moons --predict 0 1 1 -0.5");
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(std::regex_match(ran.out, std::regex(R"(\(0, 1\): 0 \(\d+\.\d %\)
\(1, -0\.5\): 1 \(\d+\.\d %\)
)"))) << ran.out;
}

TEST_F(Moons, InterruptedItSaysSo) {
  const pid_t child = start("moons --epochs 1000000");
  wait_for_handler(child);
  EXPECT_EQ(stopped(child, SIGINT), 128 + SIGINT);
  EXPECT_EQ(contents(folder_ / "cut.txt"), "moons: interrupted; no weights were saved\n");
}

TEST_F(Moons, RefusesBadOptionsAndMissingWeights) {
  refuses("moons --predict 1", {"moons: ", "--predict", "pairs"});
  refuses("moons --points 0", {"--points"});
  refuses("moons --noise -1", {"--noise"});
  refuses("moons --loud", {"--loud"});
  const Ran ran = run("moons --predict 1 1 --save none.safetensors");
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(lines(ran.err).size(), 1u);
  EXPECT_TRUE(contains(ran.err, "none.safetensors")) << ran.err;
}

std::string big_endian(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}

class Mnist : public WithOptions, public testing::WithParamInterface<const char*> {
 protected:
  static constexpr int kTrain = 96, kTest = 32;

  void SetUp() override {
    WithOptions::SetUp();
    if (IsSkipped()) return;
    fs::create_directory(folder_ / "data");
    write_set("train", kTrain);
    write_set("t10k", kTest);
  }

  /// A bright bar whose place is the digit: rows 2 d + 4 and 2 d + 5.
  static std::string picture(int digit) {
    std::string pixels(28 * 28, '\0');
    std::fill_n(pixels.begin() + (2 * digit + 4) * 28 + 4, 20, '\xff');
    std::fill_n(pixels.begin() + (2 * digit + 5) * 28 + 4, 20, '\xff');
    return pixels;
  }
  /// As it is after gunzip: readers go by the first bytes, not by the name.
  void write_set(const std::string& set, std::uint32_t n) const {
    std::string pictures = big_endian(0x803) + big_endian(n) + big_endian(28) + big_endian(28);
    std::string labels = big_endian(0x801) + big_endian(n);
    for (std::uint32_t i = 0; i < n; ++i) {
      pictures += picture(static_cast<int>(i % 10));
      labels += static_cast<char>(i % 10);
    }
    write(set + "-images-idx3-ubyte.gz", pictures);
    write(set + "-labels-idx1-ubyte.gz", labels);
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / "data" / name, std::ios::binary) << bytes;
  }
  std::string name() const { return GetParam(); }
  std::string command(const std::string& options = "") const {
    return name() + " --data data --batch 16 --epochs 12 " + options;
  }
};

TEST_P(Mnist, LearnsSavesAndPredicts) {
  const Ran ran = run(command("--threads 1 --save w.safetensors"));
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "") << "no bar where standard error is no terminal";
  const std::vector<std::string> all = lines(ran.out);
  ASSERT_EQ(all.size(), 2u) << ran.out;
  EXPECT_TRUE(std::regex_match(
      all[0], std::regex(R"(12 epochs in \d+\.\d s, \d+ steps/s, training loss \d\.\d{4}; .*)")))
      << all[0];
  EXPECT_TRUE(std::regex_match(all[1], std::regex(R"(test accuracy \d+\.\d\d %)"))) << all[1];
  EXPECT_TRUE(fs::exists(folder_ / "w.safetensors"));
  const std::vector<std::string> again = lines(run(command("--threads 2")).out);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[1], all[1]) << "seeds and not threads decide";

  for (const bool paper : {false, true}) {
    std::vector<float> values;
    for (const char byte : picture(3)) values.push_back((byte != 0) != paper ? 1.0f : 0.0f);
    try {
      nn::write_png((folder_ / "3.png").string(), ag::tensor(values, {28, 28}));
    } catch (const ag::IoError& error) {
      if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what();
      throw;
    }
    const Ran told = run(name() + " --predict 3.png 3.png --save w.safetensors");
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_TRUE(std::regex_match(told.out, std::regex(R"((3\.png: \d \(\d+\.\d %\)\n){2})")))
        << told.out;
  }
  nn::write_png((folder_ / "wide.png").string(), ag::zeros({28, 30}));
  fails(name() + " --predict wide.png --save w.safetensors", "28 x 28");
  fails(name() + " --predict none.png --save w.safetensors", "none.png");
  fails(name() + " --predict 3.png --save none.safetensors", "none.safetensors");
}

TEST_P(Mnist, ValidatesOnAHoldOutAndThenLeavesTheTestSetAlone) {
  fs::remove(folder_ / "data" / "t10k-images-idx3-ubyte.gz");
  const Ran ran = run(command("--holdout 32"));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "\nvalidation accuracy ")) << ran.out;
}

TEST_P(Mnist, SaysWhatIsWrongWithTheData) {
  fails(name() + " --data nowhere", "nowhere/train-images-idx3-ubyte.gz");
  fails(command("--holdout 96"), "");
  fails(command("--holdout 97"), "");
  write("t10k-labels-idx1-ubyte.gz", big_endian(0x801) + big_endian(3) + "abc");
  fails(command(), "not MNIST");
  write("t10k-labels-idx1-ubyte.gz", big_endian(0x801) + big_endian(kTest) + "abc");
  fails(command(), "t10k-labels-idx1-ubyte.gz");
  write("t10k-labels-idx1-ubyte.gz", std::string("\x1f\x8b nonsense"));
  fails(command(), "t10k-labels-idx1-ubyte.gz");
  write("train-images-idx3-ubyte.gz", "");
  fails(command(), "train-images-idx3-ubyte.gz");
}

TEST_P(Mnist, RefusesBadOptions) {
  refuses(name(), {name() + ": ", "--data", "--predict"});
  refuses(name() + " --data data --predict x.png", {"--data", "--predict"});
  refuses(name() + " --data data --lr 0", {"--lr"});
  refuses(name() + " --data data --epochs 0", {"--epochs"});
  refuses(name() + " --data data --seed -1", {"--seed"});
  refuses(name() + " --data data --loud", {"--loud"});
  const std::string help = run(name() + " --help").out;
  for (const std::string part : {"--data", "--predict", "--save", "--epochs", "--batch", "--lr",
                                 "--seed", "--threads", "https://", "train-images-idx3-ubyte.gz"}) {
    EXPECT_TRUE(contains(help, part)) << part;
  }
}

TEST_P(Mnist, ReadsFilesThatAreNotGzipped) {
  for (const char* file : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    const fs::path path = folder_ / "data" / file;
    fs::rename(path.string() + ".gz", path);  // the tests write them without compression anyway
  }
  const Ran ran = run(command());
  EXPECT_EQ(ran.status, 0) << ran.err;
}

class MnistWithCheckpoints : public Mnist {};  // mnist_mlp takes ten seconds and has none
TEST_P(MnistWithCheckpoints, InterruptedAndResumedEndsWithTheSameWeights) {
  resumes(name() + " --data data --batch 8 --epochs 20 --threads 1");
  fails(command("--resume --checkpoint none"), "none");
  refuses(command("--save one --checkpoint ./one"),
          {"--save and --checkpoint are one file: 'one'"});
  fails(name() + " --data data --batch 4 --epochs 21 --resume --checkpoint cut.state",
        "--resume: 'cut.state' is of another run: --batch 8 there and 4 here, --epochs 20 there "
        "and 21 here; need ");
}

INSTANTIATE_TEST_SUITE_P(Cnn, MnistWithCheckpoints, testing::Values("mnist_cnn"));
INSTANTIATE_TEST_SUITE_P(Both, Mnist, testing::Values("mnist_mlp", "mnist_cnn"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
