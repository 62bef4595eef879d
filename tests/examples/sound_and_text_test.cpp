// SPDX-License-Identifier: Apache-2.0
// spoken_digits and sentiment, for a moment each, on data made here: tones whose pitch is the digit, and
// sentences that one word decides. Whether the recipes reach their figures needs the real data.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <numbers>
#include <regex>

#include "run_example.hpp"

namespace {

using examples_test::contains;
using examples_test::contents;
using examples_test::lines;
using examples_test::Ran;
using examples_test::WithOptions;
namespace fs = std::filesystem;

class OnData : public WithOptions {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  /// Interrupted in training, the program says so and leaves the weights that were there.
  void expect_old_weights(const std::string& program) const {
    for (const int signal : {SIGINT, SIGTERM}) {
      write("w.safetensors", "what was there");
      const pid_t child = start(program + " --data data --epochs 100000 --save w.safetensors");
      wait_for_handler(child);
      EXPECT_EQ(stopped(child, signal), 128 + signal);
      EXPECT_EQ(contents(folder_ / "cut.txt"), program + ": interrupted; no weights were saved\n");
      EXPECT_EQ(contents(folder_ / "w.safetensors"), "what was there");
    }
  }
};

#if __has_include(<sndfile.h>)
class SpokenDigits : public OnData {
 protected:
  void SetUp() override {
    OnData::SetUp();
    if (IsSkipped()) return;
    fs::create_directories(folder_ / "data" / "recordings");
    for (int digit = 0; digit < 10; ++digit) {
      for (const int index : {0, 5, 6, 10, 11}) record(digit, index, 8000);
    }
  }
  std::string file(int digit, int index) const {
    return "data/recordings/" + std::to_string(digit) + "_nobody_" + std::to_string(index) + ".wav";
  }
  /// 0.2 s of a tone of 300 Hz and 250 Hz more for each digit.
  void record(int digit, int index, std::int64_t rate) const {
    std::vector<float> samples;
    for (int i = 0; i < 1600 + 10 * index; ++i) {
      const double t = i / 8000.0;
      samples.push_back(
          0.5f * static_cast<float>(std::sin(2 * std::numbers::pi * (300 + 250 * digit) * t)));
    }
    nn::write_wav((folder_ / file(digit, index)).string(), {autograd::tensor(samples), rate});
  }
};

TEST_F(SpokenDigits, LearnsSavesAndPredicts) {
  const std::string command = "spoken_digits --data data --batch 10 --epochs 12 --threads ";
  const Ran ran = run(command + "1 --save w.safetensors");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "") << "no bar where standard error is no terminal";
  const std::vector<std::string> all = lines(ran.out);
  ASSERT_EQ(all.size(), 2u) << ran.out;
  EXPECT_TRUE(std::regex_match(
      all[0], std::regex(R"(12 epochs in \d+\.\d s, \d+ steps/s, training loss \d\.\d{4}; .*)")))
      << all[0];
  EXPECT_TRUE(std::regex_match(all[1], std::regex(R"(test accuracy \d+\.\d\d %)"))) << all[1];
  EXPECT_GE(std::stod(all[1].substr(14)), 80);
  EXPECT_EQ(lines(run(command + "2").out).at(1), all[1]) << "seeds and not threads decide";
  EXPECT_TRUE(contains(run(command + "2 --validate").out, "\nvalidation accuracy "));

  const Ran predicted =
      run("spoken_digits --save w.safetensors --predict " + file(7, 0) + " " + file(2, 5));
  EXPECT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_TRUE(
      std::regex_match(predicted.out, std::regex(R"(data/.*/7_nobody_0\.wav: \d \(\d+\.\d %\)
data/.*/2_nobody_5\.wav: \d \(\d+\.\d %\)
)"))) << predicted.out;
}

TEST_F(SpokenDigits, SaysWhatIsWrongWithTheData) {
  fails("spoken_digits --data nowhere", "nowhere/recordings");
  fails("spoken_digits --predict " + file(3, 0), "spoken_digits.safetensors");
  record(4, 6, 16000);
  fails("spoken_digits --data data", "4_nobody_6.wav' is 16000; need 8000");
  write(file(4, 6), "RIFF");
  fails("spoken_digits --data data", "4_nobody_6.wav");
  write("w.safetensors", "no weights");
  fails("spoken_digits --save w.safetensors --predict " + file(3, 0), "w.safetensors");
  fs::remove_all(folder_ / "data" / "recordings");
  fs::create_directory(folder_ / "data" / "recordings");
  fails("spoken_digits --data data", "no recordings");
  fails("spoken_digits --data data --save nowhere/w.safetensors", "nowhere/w.safetensors");
}

TEST_F(SpokenDigits, InterruptedItLeavesTheOldWeights) { expect_old_weights("spoken_digits"); }

TEST_F(SpokenDigits, RefusesBadOptions) {
  refuses("spoken_digits --epochs 0", {"spoken_digits: ", "--epochs"});
  refuses("spoken_digits --lr nan", {"--lr"});
  refuses("spoken_digits --seed -1", {"--seed"});
  refuses("spoken_digits --loud", {"--loud"});
  const Ran help = run("spoken_digits --help");
  EXPECT_TRUE(contains(help.out, "https://") && contains(help.out, "recordings/")) << help.out;
}
#endif

class Sentiment : public OnData {
 protected:
  void SetUp() override {
    OnData::SetUp();
    if (IsSkipped()) return;
    fs::create_directory(folder_ / "data");
    std::string text;
    for (const std::string film : {"plot", "cast", "music", "ending", "idea"}) {
      for (const std::string very : {"a", "so", "such a"}) {
        text += very + " fine " + film + "\t1\n" + very + " poor " + film + "\t0\n";
      }
    }
    for (const std::string name : {"train", "dev", "test"}) write("data/" + name + ".tsv", text);
  }
};

TEST_F(Sentiment, LearnsSavesAndPredicts) {
  const std::string command = "sentiment --data data --batch 4 --threads ";
  const Ran ran = run(command + "1 --save w.safetensors");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const std::vector<std::string> all = lines(ran.out);
  ASSERT_EQ(all.size(), 2u) << ran.out;
  EXPECT_TRUE(std::regex_match(
      all[0], std::regex(R"(3 epochs in \d+\.\d\d s \(.*\), \d+ steps/s, \d+ rows; weights: .*)")))
      << all[0];
  EXPECT_EQ(all[1], "test accuracy 100.00 %");
  EXPECT_TRUE(contains(run(command + "2 --validate").out, "\nvalidation accuracy 100.00 %\n"));

  const Ran predicted =
      run("sentiment --save w.safetensors --predict 'Such a POOR film' 'fine , fine' ''");
  EXPECT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_TRUE(std::regex_match(predicted.out, std::regex(R"(negative \(\d+\.\d %\): Such a POOR film
positive \(\d+\.\d %\): fine , fine
(posi|nega)tive \(\d+\.\d %\): 
)"))) << predicted.out;
}

TEST_F(Sentiment, SaysWhatIsWrongWithTheData) {
  fails("sentiment --data nowhere", "nowhere/train.tsv");
  fails("sentiment --predict fine", "sentiment.safetensors");
  write("w.safetensors", "no weights");
  fails("sentiment --save w.safetensors --predict fine", "w.safetensors");
  fails("sentiment --data data --save nowhere/w.safetensors", "nowhere/w.safetensors");
  write("data/test.tsv", "a fine film\t1\na poor film\t2\n");
  fails("sentiment --data data", "line 2 of 'data/test.tsv'");
  write("data/train.tsv", "a fine film 1\n");
  fails("sentiment --data data", "line 1 of 'data/train.tsv'");
  write("data/train.tsv", "");
  fails("sentiment --data data", "data/train.tsv");
  write("data/test.tsv", "a fine film\t1\n");
  write("data/train.tsv", "\t1\n\t0\n");
  fails("sentiment --data data", "'data/train.tsv' has no words");
}

TEST_F(Sentiment, InterruptedItLeavesTheOldWeights) { expect_old_weights("sentiment"); }

TEST_F(Sentiment, RefusesBadOptions) {
  refuses("sentiment --epochs 0", {"sentiment: ", "--epochs"});
  refuses("sentiment --batch x", {"--batch"});
  refuses("sentiment --loud", {"--loud"});
  EXPECT_TRUE(contains(run("sentiment --help").out, "train.tsv"));
}

}  // namespace
