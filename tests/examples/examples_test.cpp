// SPDX-License-Identifier: Apache-2.0
// The examples that need no data: every figure that they promise. What needs CLI11 or libpng is skipped
// where that is not installed.
#include <pty.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "run_example.hpp"

namespace {

using examples_test::contains;
using examples_test::contents;
using examples_test::Examples;
using examples_test::lines;
using examples_test::Ran;
using examples_test::WithOptions;
using testing::AssertionResult;
namespace fs = std::filesystem;

#if __has_include(<png.h>)
constexpr bool kHavePng = true;
#else
constexpr bool kHavePng = false;
#endif

// The numbers behind "->" at the ends of the last four lines.
std::vector<double> predictions(const std::string& out) {
  std::vector<double> values;
  for (const std::string& line : lines(out)) {
    if (const auto arrow = line.find(" -> "); arrow != std::string::npos) {
      values.push_back(std::stod(line.substr(arrow + 4)));
    }
  }
  return values;
}

AssertionResult learned(const Ran& ran) {
  const std::vector<double> p = predictions(ran.out);
  if (ran.status != 0 || p.size() != 4) {
    return testing::AssertionFailure() << "status " << ran.status << "\n" << ran.out << ran.err;
  }
  for (int i = 0; i < 4; ++i) {
    const double target = i == 1 || i == 2 ? 1.0 : 0.0;
    if (!(std::abs(p[i] - target) <= 0.02)) {
      return testing::AssertionFailure() << "prediction " << i << " is " << p[i];
    }
  }
  return testing::AssertionSuccess();
}

using Xor = WithOptions;
using Backprop = WithOptions;
using MonteCarlo = WithOptions;

TEST_F(Examples, SingleNeuronReproducesTheNotebookToEightDigits) {
  const Ran ran = run("single_neuron");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const std::vector<std::string> all = lines(ran.out);
  ASSERT_GE(all.size(), 9u);
  const auto row = [](const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
  };
  EXPECT_EQ(row(all[1]), (std::vector<std::string>{"0", "0.41702200", "0.72032449", "0.00011437"}));
  EXPECT_EQ(row(all[2]),
            (std::vector<std::string>{"1000", "0.00666959", "0.00723943", "-0.00823607"}));
  const std::vector<double> p = predictions(ran.out);
  ASSERT_EQ(p.size(), 4u);
  for (const double value : p) EXPECT_NEAR(value, 0.5, 1e-8);
  EXPECT_TRUE(contains(ran.out, "not linearly separable"));
  EXPECT_TRUE(contains(ran.out, "see the example xor"));
}

TEST_F(Examples, ScalarExpression) {
  const Ran ran = run("scalar_expression");
  ASSERT_EQ(ran.status, 0) << ran.err;
  double price = 0, rate = 0, coupon = 0;
  for (int t = 1; t <= 10; ++t) {
    const double flow = (0.05 + (t == 10)), discount = std::exp(-0.03 * t);
    price += flow * discount;
    rate -= t * flow * discount;
    coupon += discount;
  }
  std::array<char, 200> text;
  std::snprintf(text.data(), text.size(),
                "price on the tape: %.10f\nd price / d rate   %.10f\nd price / d coupon %.10f\n",
                price, rate, coupon);
  EXPECT_TRUE(contains(ran.out, text.data())) << ran.out << text.data();
}

TEST_F(Examples, TensorExpression) {
  const Ran ran = run("tensor_expression");
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "d sum((a b + 1)^2) / da =\n[[4, 0, 4],\n [10, 0, 10]]\n... / db = [44, 14, -72]\n\n"
            "d x / d angle = -0.479426\n\n"
            "d sum x^3 / dx = [3, 12, 27]\nd2 sum x^3 / dx2 = [6, 12, 18]\n");
}

TEST_F(Examples, GradcheckPassesWhatIsRightAndFailsWhatIsWrong) {
  const Ran ran = run("gradcheck");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "first order:"));
  EXPECT_TRUE(contains(ran.out, "second order:"));
  EXPECT_TRUE(contains(ran.out, "3 x^2 passes: "));
  EXPECT_TRUE(contains(ran.out, "2 x^2 fails: "));
  EXPECT_TRUE(contains(ran.out, "input 0")) << "the report names the input";
}

TEST_F(Examples, WithoutOptionsTheyRefuseArgumentsAndExplainThemselves) {
  for (const std::string name :
       {"single_neuron", "scalar_expression", "tensor_expression", "gradcheck"}) {
    refuses(name + " --loud", {name + ": ", "--loud"});
    const Ran help = run(name + " --help");
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_TRUE(contains(help.out, "usage: " + name)) << help.out;
  }
}

// The largest difference of each network, as printed.
std::vector<double> differences(const std::string& out) {
  const std::string label = "  largest difference: ";
  std::vector<double> values;
  for (const std::string& line : lines(out)) {
    if (line.starts_with(label)) values.push_back(std::stod(line.substr(label.size())));
  }
  return values;
}

TEST_F(Backprop, TextbookAndTapeAgreeForBothLossesAndAnyLayers) {
  for (const std::string options :
       {"", " --layers 2 2 1", " --layers 3,4", " --layers 5 1 5 1 5",
        " --layers 7 20 20 20 3 --seed 5", " --layers 200 300 100 10"}) {
    const Ran ran = run("backprop_by_hand" + options);
    ASSERT_EQ(ran.status, 0) << options << "\n" << ran.out << ran.err;
    const std::vector<double> found = differences(ran.out);
    ASSERT_EQ(found.size(), 4u) << "two networks, two losses";
    for (const double difference : found) EXPECT_LE(difference, 1e-15) << options;
  }
}

TEST_F(Backprop, PrintsTheTextbooksQuantitiesOfThe221Network) {
  const Ran ran = run("backprop_by_hand");
  for (const std::string part :
       {"2-2-1, J = 1/2 (y_hat - y)^2", "2-2-1, J = binary cross-entropy", "textbook", "tape",
        "delta2 = dJ/db2[0,0]", "delta1 = dJ/db1[1,0]", "dJ/dW2[0,1]", "dJ/dW1[1,1]"}) {
    EXPECT_TRUE(contains(ran.out, part)) << part << "\n" << ran.out;
  }
}

TEST_F(Backprop, RefusesBadOptions) {
  refuses("backprop_by_hand --layers 2", {"backprop_by_hand: ", "--layers"});
  refuses("backprop_by_hand --layers 2 0 1", {"--layers", "0", "1000"});
  refuses("backprop_by_hand --layers 2 x 1", {"--layers", "x"});
  refuses("backprop_by_hand --layers", {"--layers"});
  refuses("backprop_by_hand --seed -1", {"--seed"});
  refuses("backprop_by_hand --depth 3", {"--depth"});
  EXPECT_TRUE(contains(run("backprop_by_hand --help").out, "--layers"));
}

TEST_F(MonteCarlo, TheSameBitsForAnyNumberOfThreads) {
  const std::string options = "monte_carlo --paths 20001 --threads ";
  const Ran one = run(options + "1");
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_TRUE(contains(one.out, "20001 paths, price 36.")) << one.out;
  EXPECT_TRUE(contains(one.out, "all bits together: "));
  EXPECT_EQ(lines(one.out).size(), 10u);
  for (const std::string threads : {"2", "3", "4"}) {
    const Ran more = run(options + threads);
    EXPECT_EQ(more.status, 0) << more.err;
    EXPECT_EQ(more.out, one.out) << threads << " threads";
  }
  EXPECT_NE(run("monte_carlo --paths 20001 --seed 2").out, one.out);
  EXPECT_EQ(run("monte_carlo --paths 2 --threads 4").status, 0);
}

TEST_F(MonteCarlo, RefusesBadOptions) {
  refuses("monte_carlo --paths 0", {"monte_carlo: ", "--paths"});
  refuses("monte_carlo --threads 0", {"--threads"});
  refuses("monte_carlo --seed -1", {"--seed"});
  refuses("monte_carlo loud", {"loud"});
  EXPECT_TRUE(contains(run("monte_carlo --help").out, "--threads"));
}

TEST_F(Xor, LearnsFromTheDefaultsInWellUnderASecond) {
  const Ran ran = run("xor");
  EXPECT_TRUE(learned(ran));
  EXPECT_EQ(ran.err, "") << "the progress bar is silent where standard error is not a terminal";
  EXPECT_TRUE(contains(ran.out, "\nloss\n")) << "the loss curve";
  EXPECT_TRUE(contains(ran.out, "\u2588")) << "the decision boundary";
#ifdef NDEBUG
  EXPECT_LT(ran.seconds, 1.0);
#endif
  const std::vector<std::string> all = lines(ran.out);
  ASSERT_GE(all.size(), 4u);
  for (std::size_t i = all.size() - 4; i < all.size(); ++i) EXPECT_TRUE(contains(all[i], " -> "));
}

TEST_F(Xor, LearnsFromEverySeedWithRestarts) {
  for (int seed = 1; seed <= 30; ++seed)
    EXPECT_TRUE(learned(run("xor --seed " + std::to_string(seed))));
  EXPECT_TRUE(learned(run("xor --seed 18446744073709551615")));
}

TEST_F(Xor, SaysWhenASeedIsStuckAndRestartsUnlessToldNotTo) {
  int stuck = 0;
  for (int seed = 1; seed <= 20; ++seed) {
    const std::string number = std::to_string(seed);
    const Ran alone = run("xor --no-restart --seed " + number);
    if (alone.status == 0) continue;
    ++stuck;
    EXPECT_EQ(alone.status, 1);
    EXPECT_TRUE(contains(alone.out, "seed " + number + " got stuck")) << alone.out;
    EXPECT_FALSE(contains(alone.out, "restarting"));
    EXPECT_EQ(predictions(alone.out).size(), 4u) << "the result is shown all the same";
    const Ran again = run("xor --seed " + number);
    EXPECT_TRUE(learned(again));
    EXPECT_TRUE(contains(again.out, "seed " + number + " got stuck")) << again.out;
    EXPECT_TRUE(contains(again.out, "restarting from seed " + std::to_string(seed + 1)))
        << again.out;
  }
  EXPECT_GE(stuck, 1) << "no seed gets stuck: this test proves nothing";
}

TEST_F(Xor, EveryOption) {
  for (const std::string options :
       {"--hidden 4", "--hidden 3 3", "--hidden 8,4", "--activation tanh", "--activation relu",
        "--activation relu --hidden 8", "--loss bce", "--loss bce --activation tanh",
        "--optimizer adam", "--optimizer adamw", "--optimizer rmsprop",
        "--optimizer adam --loss bce", "--lr 1", "--epochs 20000 --lr 0.5", "--seed 7",
        "--no-restart --hidden 4"}) {
    EXPECT_TRUE(learned(run("xor " + options))) << options;
  }
}

TEST_F(Xor, SaysWhatWentWrong) {
  const Ran few = run("xor --epochs 1");
  EXPECT_EQ(few.status, 1);
  EXPECT_TRUE(contains(few.out, "ran out of epochs")) << few.out;
  const Ran wild = run("xor --hidden 8 --activation relu --loss bce --lr 1e30 --no-restart");
  EXPECT_EQ(wild.status, 1);
  EXPECT_TRUE(contains(wild.out, "diverged") || contains(wild.out, "stuck")) << wild.out;
}

TEST_F(Xor, RefusesBadOptions) {
  refuses("xor --activation swish", {"xor: ", "--activation", "swish", "sigmoid", "tanh", "relu"});
  refuses("xor --loss hinge", {"--loss", "hinge", "mse", "bce"});
  refuses("xor --optimizer lbfgs", {"--optimizer", "lbfgs", "sgd", "adam", "adamw", "rmsprop"});
  for (const std::string lr : {"0", "-1", "nan", "inf", "fast", "1e999"}) {
    refuses("xor --lr " + lr, {"--lr", lr});
  }
  for (const std::string epochs : {"0", "-5", "many", "99999999999"}) {
    refuses("xor --epochs " + epochs, {"--epochs", epochs});
  }
  for (const std::string hidden : {"0", "2 0", "-3", "wide", "100000"}) {
    refuses("xor --hidden " + hidden, {"--hidden"});
  }
  refuses("xor --seed -1", {"--seed"});
  refuses("xor --loud", {"--loud"});
  refuses("xor loud", {"loud"});
  refuses("xor --output no/such/folder/x.png", {"--output", "no/such/folder/x.png"});
  refuses("xor --output .", {"--output"});
  EXPECT_TRUE(fs::is_empty(folder_) || !fs::exists(folder_ / "xor.png")) << "nothing was written";
}

TEST_F(Xor, HelpListsEveryOption) {
  const Ran help = run("xor --help");
  EXPECT_EQ(help.status, 0);
  for (const std::string option : {"--hidden", "--activation", "--loss", "--optimizer", "--lr",
                                   "--epochs", "--seed", "--output", "--no-restart"}) {
    EXPECT_TRUE(contains(help.out, option)) << option;
  }
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes.at(i));
  return value;
}

// The checksum of PNG (ISO 15948, annex D), bit by bit.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
  }
  return ~crc;
}

TEST_F(Xor, WritesAValidPngOfTheRightSize) {
  if (!kHavePng) GTEST_SKIP() << "libpng is not installed";
  ASSERT_TRUE(learned(run("xor")));
  EXPECT_TRUE(fs::exists(folder_ / "xor.png")) << "the default path";
  fs::create_directory(folder_ / "charts");
  const Ran ran = run("xor --output 'charts/my xor.png'");
  EXPECT_TRUE(contains(ran.out, "picture: charts/my xor.png")) << ran.out;
  const std::string png = contents(folder_ / "charts" / "my xor.png");
  ASSERT_GT(png.size(), 1000u);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png.substr(12, 4), "IHDR");
  EXPECT_EQ(big_endian(png, 16), 780u) << "width";
  EXPECT_EQ(big_endian(png, 20), 420u) << "height";
  std::string last;
  std::size_t at = 8;
  while (at + 12 <= png.size()) {
    const std::size_t length = big_endian(png, at);
    ASSERT_LE(at + 12 + length, png.size());
    last = png.substr(at + 4, 4);
    EXPECT_EQ(crc32(std::string_view(png).substr(at + 4, 4 + length)),
              big_endian(png, at + 8 + length))
        << last;
    at += 12 + length;
  }
  EXPECT_EQ(last, "IEND");
  EXPECT_EQ(at, png.size());
}

TEST_F(Xor, AFullDiskCostsThePictureAndNotTheResult) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const Ran ran = run("xor --output /dev/full");
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(contains(ran.err, "xor: cannot write /dev/full")) << ran.err;
  EXPECT_EQ(predictions(ran.out).size(), 4u);
  EXPECT_TRUE(fs::exists("/dev/full"));
}

TEST_F(Xor, OutputThatNobodyGetsIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const Ran ran = run("xor >/dev/full");
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(contains(ran.err, "xor: cannot write to standard output")) << ran.err;
}

TEST_F(Xor, AProgressBarWithTheLossOnATerminal) {
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child < 0) GTEST_SKIP() << "no pseudo-terminals here: " << std::strerror(errno);
  if (child == 0) {
    if (chdir(folder_.c_str()) == 0) execl(AUTOGRAD_EXAMPLES_DIR "/xor", "xor", nullptr);
    _exit(127);
  }
  std::string out;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = read(terminal, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), n);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(terminal);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(contains(out, "seed 1 [")) << out;
  EXPECT_TRUE(contains(out, "]   0 %  1/5000  ")) << out;
  EXPECT_TRUE(contains(out, " left  loss 0.2")) << out;
}

}  // namespace
