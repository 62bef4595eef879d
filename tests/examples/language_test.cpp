// SPDX-License-Identifier: Apache-2.0
// char_gpt and translate, for a moment each, on a text and a language that are made here. Whether the
// recipes reach their figures needs the real data.
#include <random>
#include <regex>

#include "run_example.hpp"

namespace {

using examples_test::contains;
using examples_test::contents;
using examples_test::lines;
using examples_test::Ran;
using examples_test::WithOptions;
namespace fs = std::filesystem;

class Language : public WithOptions {
 protected:
  void SetUp() override {
    WithOptions::SetUp();
    if (!IsSkipped()) fs::create_directory(folder_ / "data");
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / "data" / name, std::ios::binary) << bytes;
  }
  /// Kills `command` ten times within half of the time that it takes, and resumes each time.
  void survives(const std::string& command) const {
    const Ran whole = run(command + " --save whole --checkpoint whole.state");
    ASSERT_EQ(whole.status, 0) << whole.err;
    const std::string options = " --save cut --checkpoint cut.state";
    std::minstd_rand draws(7);
    for (int kills = 0; kills < 10; ++kills) {
      const pid_t child = start(command + options + (kills > 0 ? " --resume" : ""));
      wait_for(folder_ / "cut.state");
      const double share = 0.5 * double(draws()) / double(std::minstd_rand::max());
      std::this_thread::sleep_for(std::chrono::duration<double>(share * whole.seconds));
      kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      // One that has got to the end already is as good: the next goes on from its last checkpoint.
      ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << contents(folder_ / "cut.txt");
    }
    fs::remove(folder_ / "cut");
    const Ran last = run(command + options + " --resume");
    ASSERT_EQ(last.status, 0) << last.err;
    EXPECT_TRUE(contents(folder_ / "cut") == contents(folder_ / "whole"));
  }
  /// Resumes, and only with the settings that it was begun with.
  void resumes_as_it_was(const std::string& command) const {
    resumes(command);
    refuses_other_settings(command + " --save cut --checkpoint cut.state --resume");
  }
  /// Every setting that is not the checkpoint's is named, and the checkpoint stays as it is.
  void refuses_other_settings(const std::string& command) const {
    const std::string before = contents(folder_ / "cut.state");
    fails(command + " --lr 0.5",
          ": --resume: 'cut.state' is of another run: --lr 0.001 there and 0.5 here; need ");
    fails(command + " --seed 77 --lr 0.5",
          "--lr 0.001 there and 0.5 here, --seed 1 there and 77 here;");
    for (const auto& entry : fs::directory_iterator(folder_ / "data")) {
      std::ofstream(entry.path(), std::ios::app) << "ein satz mehr\n";
    }
    fails(command, "'cut.state' is of another run: data ");
    EXPECT_TRUE(contents(folder_ / "cut.state") == before);
  }
};

class CharGpt : public Language {
 protected:
  void SetUp() override {
    Language::SetUp();
    if (IsSkipped()) return;
    std::string text;
    while (text.size() < 2000) text += "one fish, two fish, grün fish.\n";
    write("input.txt", text);
  }
};

TEST_F(CharGpt, LearnsSavesAndContinues) {
  const std::string command = "char_gpt --data data --batch 2 --length 40 --steps 30 ";
  const Ran ran = run(command + "--threads 1 --save w");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "") << "no bar where standard error is no terminal";
  const std::vector<std::string> all = lines(ran.out);
  ASSERT_GE(all.size(), 2u);
  EXPECT_TRUE(std::regex_match(
      all.end()[-2],
      std::regex(R"(30 steps in \d+\.\d s, \d+\.\d steps/s, 1 threads; weights: w)")))
      << all.end()[-2];
  EXPECT_TRUE(std::regex_match(all.back(), std::regex(R"(validation loss \d\.\d{3})")));
  EXPECT_EQ(lines(run(command + "--threads 2").out).back(), all.back())
      << "seeds and not threads decide";
  // Longer than the context, which begins anew then.
  const Ran told = run("char_gpt --predict 'two grün' --length 200 --save w --seed 3");
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_TRUE(told.out.starts_with("two grün"));
  EXPECT_GE(told.out.size(), 209u);
  EXPECT_EQ(run("char_gpt --predict 'two grün' --length 200 --save w --seed 3").out, told.out);
  fails("char_gpt --predict Quiz --save w", "Q");
  fails("char_gpt --predict one --save none", "none");
  fails("char_gpt --predict one --save data/input.txt", "data/input.txt");
}

TEST_F(CharGpt, InterruptedAndResumedEndsWithTheSameWeights) {
  resumes_as_it_was("char_gpt --data data --batch 1 --length 1 --threads 1 --steps 300");
}

using CharGptSlow = CharGpt;
TEST_F(CharGptSlow, KilledTenTimesEndsWithTheSameWeights) {
  survives("char_gpt --data data --batch 1 --length 1 --threads 1 --steps 600");
}

TEST_F(CharGpt, SaysWhatIsWrong) {
  fails("char_gpt --data nowhere", "nowhere");
  write("input.txt", "too short");
  fails("char_gpt --data data", "'data/input.txt' is too short: 9 letters; need 650");
  fails("char_gpt --data data/input.txt --resume --checkpoint none", "need 650");
  std::string text;
  while (text.size() < 2000) text += "one fish, two gr\xfcn fish.\n";  // Latin-1
  write("latin1.txt", text);
  fails("char_gpt --data data/latin1.txt", "data/latin1.txt: not UTF-8 at byte 16; need UTF-8");
  text.clear();
  while (text.size() < 2000) text += "one fish, two fish.\n";
  write("input.txt", text);
  fails("char_gpt --data data --resume --checkpoint none", "none");
  refuses("char_gpt", {"char_gpt: ", "--data", "--predict"});
  refuses("char_gpt --data data --steps 0", {"--steps"});
  refuses("char_gpt --data data --lr nan", {"--lr"});
  refuses("char_gpt --data data --temperature 0", {"--temperature"});
  const std::string help = run("char_gpt --help").out;
  for (const std::string part :
       {"--data", "--predict", "--save", "--seed", "https://", "input.txt"})
    EXPECT_TRUE(contains(help, part)) << part;
}

class Translate : public Language {
 protected:
  void SetUp() override {
    Language::SetUp();
    if (IsSkipped()) return;
    write_part("train", 96);
    write_part("val", 8);
    write_part("test_2016_flickr", 8);
  }
  /// "the small dog sees a cat ." and the like, word by word.
  void write_part(const std::string& part, int n) const {
    const char* const words[][2] = {{"dog", "hund"}, {"cat", "kater"}, {"fox", "fuchs"},
                                    {"man", "mann"}, {"boy", "junge"}, {"bird", "vogel"}};
    std::string english, german;
    for (int i = 0; i < n; ++i) {
      const auto &a = words[i % 6], &b = words[(i / 6 + i) % 6];
      english += std::string("the ") + a[0] + " sees the " + b[0] + " .\n";
      german += std::string("der ") + a[1] + " sieht den " + b[1] + " .\n";
    }
    write(part + ".lc.norm.tok.en", english);
    write(part + ".lc.norm.tok.de", german);
  }
};

TEST_F(Translate, LearnsSavesAndTranslates) {
  const Ran ran = run("translate --data data --batch 8 --epochs 12 --threads 2 --save w");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "") << "no bar where standard error is no terminal";
  EXPECT_TRUE(std::regex_match(ran.out, std::regex(
                                            R"(12 epochs in \d+\.\d s, \d+\.\d\d steps/s, .*
validation BLEU \d+\.\d
greedy test BLEU \d+\.\d
decoded in \d+\.\d s
test BLEU \d+\.\d
)"))) << ran.out;
  EXPECT_EQ(lines(ran.out).back(), "test BLEU 100.0");
  const Ran told = run("translate --predict 'The bird sees the man .' --save w");
  EXPECT_EQ(told.out, "der vogel sieht den mann .\n") << told.err;
  write("lines", "the fox sees the cat .\n\nthe cat sees the fox .\n");
  const Ran several = run("translate --predict data/lines --beam 1 --save w");
  ASSERT_EQ(lines(several.out).size(), 3u) << several.err;
  EXPECT_EQ(lines(several.out)[2], "der kater sieht den fuchs .");
  fails("translate --predict data/lines --save none", "none");
}

TEST_F(Translate, InterruptedAndResumedEndsWithTheSameWeights) {
  resumes_as_it_was("translate --data data --batch 8 --epochs 3 --beam 1 --threads 1");
}

using TranslateSlow = Translate;
TEST_F(TranslateSlow, KilledTenTimesEndsWithTheSameWeights) {
  survives("translate --data data --batch 8 --epochs 8 --beam 1 --threads 1");
}

TEST_F(Translate, SaysWhatIsWrong) {
  fails("translate --data nowhere", "nowhere/train.lc.norm.tok.en");
  write("val.lc.norm.tok.de", "ein satz\n");
  fails("translate --data data", "not translations of each other: 8 lines of .en, 1 of .de");
  write("val.lc.norm.tok.de", "\x1f\x8b nonsense");
  fails("translate --data data", "val.lc.norm.tok.de");
  refuses("translate", {"translate: ", "--data", "--predict"});
  refuses("translate --data data --beam 0", {"--beam"});
  refuses("translate --data data --seed -1", {"--seed"});
  const std::string help = run("translate --help").out;
  for (const std::string part :
       {"--data", "--predict", "--save", "--epochs", "https://", "test_2016_flickr"})
    EXPECT_TRUE(contains(help, part)) << part;
}

}  // namespace
