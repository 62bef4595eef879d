// SPDX-License-Identifier: Apache-2.0
// Sequences as a data set: samples, padded batches, lengths, and through a loader by length.
#include <nn/data/loader.hpp>
#include <nn/data/sequences.hpp>

#include "support.hpp"

namespace {

using nn_test::expect_message;

const nn::SequenceDataset& pairs() {
  static const nn::SequenceDataset set({{{1, 2, 3}, {4}, {5, 6}}, {{7}, {8, 9}, {}}}, -1);
  return set;
}

TEST(SequenceDataset, SamplesAndPaddedBatches) {
  EXPECT_EQ(pairs().size(), 3);
  EXPECT_EQ(ag::to_vector<std::int64_t>(pairs().get(2)[0]), (nn::Ids{5, 6}));
  EXPECT_EQ(pairs().lengths(), (nn::Ids{4, 3, 2}));
  EXPECT_EQ(pairs().column_lengths(), (std::vector<nn::Ids>{{3, 1, 2}, {1, 2, 0}}));
  const nn::Ids places{1, 0};
  const nn::Batch batch = pairs().get_batch(places);
  EXPECT_TRUE(ag::equal(batch[0], ag::tensor({{4, -1, -1}, {1, 2, 3}}, ag::int64)));
  EXPECT_TRUE(ag::equal(batch[1], ag::tensor({{8, 9}, {7, -1}}, ag::int64)));
}

TEST(SequenceDataset, ByLengthThroughALoader) {
  nn::DataLoader loader(pairs(),
                        {.batches = nn::bucket_by_lengths(pairs().column_lengths(),
                                                          {.batch_size = 2, .shuffle = false})});
  std::vector<ag::Shape> shapes;
  for (const nn::Batch& batch : loader) shapes.push_back(batch[0].shape());
  EXPECT_EQ(shapes, (std::vector<ag::Shape>{{2, 3}, {1, 2}}));
}

TEST(SequenceDataset, RefusesColumnsOfDifferentLength) {
  expect_message<ag::ValueError>(
      "SequenceDataset: columns differ in length: 1 and 2; need a sequence of each in every sample",
      [] {
        nn::SequenceDataset({{{1}}, {{1}, {2}}});
      });
  EXPECT_THROW(nn::SequenceDataset({}), ag::ValueError);
  expect_message<ag::ValueError>("SequenceDataset.get: index out of range: -1; need 0 <= index < " +
                                     std::to_string(pairs().size()),
                                 [] { pairs().get(-1); });
  const std::vector<std::int64_t> beyond{0, pairs().size()};
  EXPECT_THROW(pairs().get_batch(beyond), ag::ValueError);
}

}  // namespace
