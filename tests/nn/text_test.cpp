// SPDX-License-Identifier: Apache-2.0
// Words, n-grams, vocabularies, byte-pair encoding, padding and bucketing.
#include <chrono>
#include <numeric>
#include <set>

#include "files_support.hpp"

namespace {

using nn_test::attack;
using nn_test::expect_message;
using nn_test::expect_values;
using nn_test::Folder;
using nn_test::slurp;
using nn_test::spill;
using Words = std::vector<std::string>;

TEST(Text, Tokenize) {
  EXPECT_EQ(nn::tokenize(" A dog\truns.\n"), (Words{"A", "dog", "runs."}));
  EXPECT_EQ(nn::tokenize("Don't STOP, ÄÖÜß!", {.lower = true, .punctuation = true}),
            (Words{"don", "'", "t", "stop", ",", "äöüß", "!"}));
  EXPECT_EQ(nn::lower_case("ÀÞ×ŁŸŽĲ ΑΩ ЁЯ İ\xC3"), "àþ×łÿžĳ αω ёя İ\xC3");
  EXPECT_TRUE(nn::tokenize(" \n ").empty());
}

TEST(Text, Ngrams) {
  EXPECT_EQ(nn::ngrams({"a", "b", "c"}, 2), (Words{"a", "b", "c", "a b", "b c"}));
  EXPECT_EQ(nn::ngrams({"a"}, 3), (Words{"a"}));
  EXPECT_TRUE(nn::ngrams({}, 2).empty());
  expect_message<ag::ValueError>("ngrams: n out of range: 0; need n >= 1",
                                 [] { nn::ngrams({}, 0); });
}

TEST(Text, SequencesAsTensors) {
  const std::vector<nn::Ids> lists{{1, 2, 3}, {}, {4}};
  expect_values(nn::pad_sequences(lists, 9), {1, 2, 3, 9, 9, 9, 4, 9, 9});
  expect_values(nn::lengths_of(lists), {3, 0, 1});
  const nn::Bags bags = nn::flatten_bags(lists);
  expect_values(bags.ids, {1, 2, 3, 4});
  expect_values(bags.offsets, {0, 3, 3});
  EXPECT_EQ(nn::pad_sequences({}).shape(), (ag::Shape{0, 0}));
}

TEST(Text, Buckets) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 500; ++i) lengths.push_back(1 + i * 7919 % 40);
  ag::Generator generator(1), again(1);
  const auto plan = nn::bucket_by_length(lengths, {.batch_size = 16, .max_tokens = 200});
  const auto batches = plan(generator);
  EXPECT_EQ(batches, plan(again));
  EXPECT_NE(batches, plan(again));
  std::set<std::int64_t> seen;
  std::int64_t padded = 0;
  for (const nn::Ids& batch : batches) {
    std::int64_t longest = 0;
    for (const std::int64_t i : batch) {
      EXPECT_TRUE(seen.insert(i).second);
      longest = std::max(longest, lengths[static_cast<std::size_t>(i)]);
    }
    const auto count = static_cast<std::int64_t>(batch.size());
    EXPECT_LE(count, 16);
    EXPECT_LE(count * longest, 200);
    padded += count * longest;
  }
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_LT(padded, 1.05 * static_cast<double>(
                               std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})));
  const auto sorted =
      nn::bucket_by_length({3, 1, 9, 1}, {.batch_size = 2, .shuffle = false})(generator);
  EXPECT_EQ(sorted, (std::vector<nn::Ids>{{1, 3}, {0, 2}}));
  const auto alone =
      nn::bucket_by_length({300, 1}, {.max_tokens = 100, .shuffle = false})(generator);
  EXPECT_EQ(alone, (std::vector<nn::Ids>{{1}, {0}}));
  EXPECT_THROW(nn::bucket_by_length({1}, {.batch_size = 0}), ag::ValueError);
}

// Sentences of 2 to 41 words and translations of up to 6 more or fewer.
TEST(Text, BucketsOfPairs) {
  std::vector<nn::Ids> columns(2);
  for (std::int64_t i = 0; i < 5000; ++i) {
    columns[0].push_back(2 + i * 7919 % 40);
    columns[1].push_back(std::max<std::int64_t>(1, columns[0].back() + i * 6007 % 13 - 6));
  }
  ag::Generator generator(1);
  const auto share_padded = [&](const std::vector<nn::Ids>& batches) {
    double padded = 0, needed = 0;
    std::set<std::int64_t> seen;
    for (const nn::Ids& batch : batches) {
      for (const nn::Ids& lengths : columns) {
        std::int64_t longest = 0;
        for (const std::int64_t i : batch) {
          longest = std::max(longest, lengths[static_cast<std::size_t>(i)]);
          needed += static_cast<double>(lengths[static_cast<std::size_t>(i)]);
        }
        padded += static_cast<double>(longest * static_cast<std::int64_t>(batch.size()));
      }
      seen.insert(batch.begin(), batch.end());
    }
    EXPECT_EQ(seen.size(), 5000u);
    return padded / needed - 1;
  };
  nn::Ids sums;
  for (std::size_t i = 0; i < columns[0].size(); ++i) sums.push_back(columns[0][i] + columns[1][i]);
  EXPECT_LT(share_padded(nn::bucket_by_lengths(columns, {.batch_size = 32})(generator)), 0.07);
  EXPECT_GT(share_padded(nn::bucket_by_length(sums, {.batch_size = 32})(generator)), 0.12);
  const auto limited = nn::bucket_by_lengths({{3, 2, 2}, {1, 4, 9}},
                                             {.max_tokens = 14, .shuffle = false})(generator);
  EXPECT_EQ(limited, (std::vector<nn::Ids>{{2}, {1, 0}}));  // 2 + 9, then twice 3 + 4
  EXPECT_THROW(nn::bucket_by_lengths({}), ag::ValueError);
  expect_message<ag::ValueError>(
      "bucket_by_lengths: 2 columns of different length; need at least one, with a length for "
      "every sample",
      [] {
        nn::bucket_by_lengths({{1, 2}, {1}});
      });
}

TEST(Vocabulary, CountsAndSpecials) {
  const auto v = nn::Vocabulary::build({{"b", "a", "c"}, {"c", "b", "c", "<pad>"}},
                                       {.min_count = 2, .specials = {"<pad>", "<unk>"}});
  EXPECT_EQ(v.decode({0, 1, 2, 3}), (Words{"<pad>", "<unk>", "c", "b"}));
  EXPECT_EQ(v.size(), 4);
  EXPECT_EQ(v.encode({"a", "b", "<pad>"}), (nn::Ids{1, 3, 0}));
  EXPECT_FALSE(v.contains("a"));
  EXPECT_EQ(nn::Vocabulary::build({{"b", "a"}}, {.max_size = 2}).token(1), "a");
  const nn::Vocabulary strict(Words{"x"}, "");
  expect_message<ag::ValueError>(
      "Vocabulary.id: no such token: 'y'; need one of the 1 tokens, or a special one for the "
      "unknown",
      [&] { strict.id("y"); });
  expect_message<ag::ValueError>("Vocabulary.token: no such number: 4; need 0 <= id < size() (4)",
                                 [&] { v.token(4); });
  EXPECT_THROW(nn::Vocabulary(Words{"x", "x"}), ag::ValueError);
  EXPECT_THROW(nn::Vocabulary::build({{"x"}}, {.specials = {}}), ag::ValueError);
}

TEST(Vocabulary, RefusesANegativeSize) {
  expect_message<ag::ValueError>(
      "Vocabulary.build: max_size out of range: -1; need max_size >= 0 (0: no limit)",
      [] { nn::Vocabulary::build({}, {.max_size = -1}); });
}

TEST(Vocabulary, SavesAndLoads) {
  const Folder folder;
  const Words odd{"<unk>", "a\nb", "c\\n", "", "größe", "\r", "#"};
  nn::Vocabulary(odd).save(folder / "v");
  const nn::Vocabulary back = nn::Vocabulary::load(folder / "v");
  ASSERT_EQ(back.size(), 7);
  for (std::int64_t i = 0; i < 7; ++i) EXPECT_EQ(back.token(i), odd[static_cast<std::size_t>(i)]);
  EXPECT_EQ(back.id("nothing"), 0);
  nn::Vocabulary(odd, "no").save(folder / "v");
  EXPECT_THROW(nn::Vocabulary::load(folder / "v").id("nothing"), ag::ValueError);
  attack(slurp(folder / "v"), 2000, [](const std::string& p) { nn::Vocabulary::load(p); });
}

TEST(Bpe, ThePapersExample) {
  const Words corpus{"low low low low low", "lower lower",
                     "newest newest newest newest newest newest", "widest widest widest"};
  const auto bpe = nn::BytePairEncoding::train(corpus, {.merges = 3});
  const auto& merges = bpe.merges();
  ASSERT_EQ(merges.size(), 3u);
  EXPECT_EQ(merges[0].first + merges[0].second, "es");
  EXPECT_EQ(merges[1].first + merges[1].second, "est</w>");
  EXPECT_EQ(merges[2].first + merges[2].second, "lo");
  EXPECT_EQ(bpe.encode("lowest"), (Words{"lo", "w", "est</w>"}));
  EXPECT_EQ(nn::BytePairEncoding::decode(bpe.encode("  lowest größte\xff ")), "lowest größte\xff");
  EXPECT_TRUE(nn::BytePairEncoding::train({}).merges().empty());
  EXPECT_EQ(
      nn::BytePairEncoding::train(corpus, {.merges = 1000, .min_count = 1}).encode("newest low"),
      (Words{"newest</w>", "low</w>"}));
  EXPECT_THROW(nn::BytePairEncoding::train(corpus, {.merges = -1}), ag::ValueError);
}

TEST(Bpe, RepeatedLetters) {
  const Words corpus{"aaaa aaaaa aaa", "baab aa"};
  const auto bpe = nn::BytePairEncoding::train(corpus, {.merges = 20, .min_count = 1});
  for (const std::string& word : nn::tokenize("aaaa aaaaa aaa baab aa")) {
    EXPECT_EQ(bpe.encode(word), Words{word + "</w>"});
  }
}

TEST(Bpe, SavesAndLoads) {
  const Folder folder;
  const auto bpe = nn::BytePairEncoding::train(Words{"größer große größe groß"}, {.merges = 10});
  bpe.save(folder / "codes");
  const auto back = nn::BytePairEncoding::load(folder / "codes");
  EXPECT_EQ(back.merges(), bpe.merges());
  EXPECT_EQ(back.encode("größte"), bpe.encode("größte"));
  attack(slurp(folder / "codes"), 2000,
         [](const std::string& p) { nn::BytePairEncoding::load(p); });
}

TEST(Bpe, ErrorsNameTheLine) {
  const Folder folder;
  const std::string path = folder / "bad";
  const auto refuses = [&](const std::string& merges, const std::string& what) {
    spill(path, "#version: 0.2\n" + merges);
    expect_message<ag::IoError>("BytePairEncoding.load: " + what + ": '" + path +
                                    "'; need a file that BytePairEncoding.save wrote",
                                [&] { nn::BytePairEncoding::load(path); });
  };
  refuses("a b\nc\n", "line 3 is not two pieces");
  refuses("a b\n\nc d\n", "line 3 is not two pieces");
  refuses("a b\n c\n", "line 3 has an empty piece");
  refuses("a b\nb a\nc \n", "line 4 has an empty piece");
  refuses(" \n", "line 2 has an empty piece");
  refuses("x y\na b\nb a\na b\n", "line 5 repeats line 3");
  spill(path, "#version: 0.2\nab c\na bc\n");  // one result, but two merges
  EXPECT_EQ(nn::BytePairEncoding::load(path).merges().size(), 2u);
}

TEST(Bpe, AWordOfAMegabyte) {
  const auto bpe = nn::BytePairEncoding::train(Words{"abab abab ba ba"}, {.merges = 5});
  const std::string word(300000, 'a');
  EXPECT_EQ(nn::BytePairEncoding::decode(bpe.encode(word)), word);
}

TEST(Bpe, TranslationOfTheRealData) {
  const std::string root = nn_test::real_data("multi30k");
  if (root.empty()) GTEST_SKIP() << "no real data; set AUTOGRAD_DATA to its folder";
  Words both;
  try {
    both = nn::read_lines(root + "/train.lc.norm.tok.en.gz");
  } catch (const ag::IoError& error) {
    GTEST_SKIP() << error.what();
  }
  for (std::string& line : nn::read_lines(root + "/train.lc.norm.tok.de.gz"))
    both.push_back(std::move(line));
  ASSERT_EQ(both.size(), 58000u);
  const auto start = std::chrono::steady_clock::now();
  const auto bpe = nn::BytePairEncoding::train(both);
  const auto learned = std::chrono::steady_clock::now();
  EXPECT_EQ(bpe.merges().size(), 8000u);
  std::size_t pieces = 0, wrong = 0;
  for (const std::string& line : both) {
    const Words encoded = bpe.encode(line);
    pieces += encoded.size();
    Words words = nn::tokenize(line);
    std::string joined;
    for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
    wrong += nn::BytePairEncoding::decode(encoded) != joined;
  }
  const std::chrono::duration<double> learning = learned - start,
                                      encoding = std::chrono::steady_clock::now() - learned;
  EXPECT_EQ(wrong, 0u);
  RecordProperty("pieces", static_cast<int>(pieces));
  EXPECT_LT(learning.count(), 20) << "seconds; 1 to 2 on a quiet machine";
  std::cout << "learning " << learning.count() << " s, encoding " << encoding.count() << " s, "
            << pieces << " pieces\n";
}

}  // namespace
