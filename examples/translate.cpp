// SPDX-License-Identifier: Apache-2.0
// Trains a transformer to translate English into German and measures BLEU.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "support/parallel_text.hpp"
#include "support/training.hpp"

namespace ag = autograd;
using support::ParallelText, support::Pieces;

constexpr std::int64_t kWidth = 256, kHeads = 4, kLayers = 3;
struct Options : support::Training {
  std::string predict;
  std::int64_t beam = 5;
  double dropout = 0.15;  // not tuned: one run
  Options() { epochs = 9, batch = 64, lr = 1e-3; }
};

struct Model : nn::Module {
  nn::Embedding pieces;  // of both languages, and it scores what comes next: tied three times
  nn::PositionalEncoding positions;
  nn::Transformer core;

  Model(std::int64_t vocabulary, double dropout, ag::Generator& generator)
      : pieces(vocabulary, kWidth, generator),
        positions(kWidth, generator, {.dropout = dropout, .batch_first = true}),
        core(kWidth, kHeads, generator,
             {.num_encoder_layers = kLayers,
              .num_decoder_layers = kLayers,
              .layer = {.dim_feedforward = 2 * kWidth,
                        .dropout = dropout,
                        .batch_first = true,
                        .norm_first = true}}) {  // takes lr 1e-3 after a short warm-up
    register_module("pieces", pieces);
    register_module("positions", positions);
    register_module("core", core);
    nn::normal_(pieces.weight, 0, 1 / std::sqrt(kWidth), generator);  // scores of order 1
  }
  ag::Tensor embed(const ag::Tensor& ids, std::int64_t offset = 0) const {
    return positions(pieces(ids) * std::sqrt(kWidth), offset);
  }
  ag::Tensor scores(const ag::Tensor& x) const { return ag::linear(x, pieces.weight, {}); }
  /// Of {source [n, s], target [n, t]}. Only places that count are scored: that is a third of the work.
  ag::Tensor loss(const nn::Batch& batch, double smoothing) const {
    const ag::Tensor &source = batch[0], &next = batch[1], padding = source == Pieces::kPad;
    const ag::Tensor before = ag::pad(next, {1, -1}, {.value = Pieces::kBegin});
    const ag::Tensor x = core(embed(source), embed(before), {.key_padding_mask = padding},
                              {.memory_key_padding_mask = padding, .tgt_is_causal = true});
    const ag::Tensor counts = next != Pieces::kPad;
    return nn::cross_entropy_loss(scores(x(counts)), next(counts), {.label_smoothing = smoothing});
  }
  /// Beam search over cached keys and values.
  std::vector<nn::Ids> translate(const ag::Tensor& source, std::int64_t beam) const {
    ag::Tensor padding = source == Pieces::kPad;
    std::vector<nn::DecoderCache> caches =
        core.decoder.start(core.encoder(embed(source), {.key_padding_mask = padding}));
    const auto step = [&](const nn::BeamStep& now) {
      for (nn::DecoderCache& cache : caches) {
        if (now.position > 0) cache.self = cache.self.rows(now.rows);
        if (!now.same_sentences) cache.memory = cache.memory.rows(now.rows);
      }
      if (!now.same_sentences) padding = ag::index_select(padding, 0, now.rows);
      const ag::Tensor x = core.decoder.step(embed(ag::unsqueeze(now.last, 1), now.position),
                                             caches, {.memory_key_padding_mask = padding});
      return scores(ag::select(x, 1, 0));
    };
    return nn::beam_search(source.size(0), step,
                           {.beam = beam,
                            .begin = Pieces::kBegin,
                            .end = Pieces::kEnd,
                            .max_length = source.size(1) + 50});
  }
};

/// 64 sentences at a time in order of length, so that few wait for longer ones.
static std::vector<std::string> translate(const Model& model, const Pieces& pieces,
                                          const std::vector<std::string>& lines,
                                          std::int64_t beam) {
  const nn::SequenceDataset set({pieces.encode(lines)}, Pieces::kPad);
  std::vector<std::string> results(lines.size());
  for (const nn::Ids& places : nn::bucket_by_length(
           set.lengths(), {.batch_size = 64, .shuffle = false})(ag::default_generator())) {
    const auto found = model.translate(set.get_batch(places)[0], beam);
    for (std::size_t i = 0; i < places.size(); ++i) {
      results[static_cast<std::size_t>(places[i])] = pieces.decode(found[i]);
    }
  }
  return results;
}

static double bleu_of(const Model& model, const Pieces& pieces, const ParallelText& text,
                      std::int64_t beam) {
  const auto found = translate(model, pieces, text.source, beam);
  nn::Bleu bleu;
  for (std::size_t i = 0; i < found.size(); ++i) {
    bleu.update(nn::split_words(found[i]), nn::split_words(text.target[i]));
  }
  return bleu.value();
}

static int train(const Options& options) {
  const auto read = [&](const std::string& part) {
    return ParallelText::read(options.data + "/" + part + ".lc.norm.tok", "en", "de");
  };
  const ParallelText text = read("train"), held_out = read("val"), test = read("test_2016_flickr");
  const Pieces pieces = Pieces::learn(text.both(), 8000);
  const nn::SequenceDataset training = text.encode(pieces);
  nn::DataLoader loader(training, {.seed = options.seed,
                                   .batches = nn::bucket_by_lengths(
                                       training.column_lengths(), {.batch_size = options.batch})});
  nn::DataLoader validation(held_out.encode(pieces), {.batch_size = 64});

  ag::Generator generator(options.seed);
  Model model(pieces.list.size(), options.dropout, generator);
  nn::Adam adam(model.parameters(), {.lr = options.lr, .betas = {0.9, 0.98}});
  const std::int64_t steps = options.epochs * loader.size();
  nn::WarmupCosineLR schedule(adam, {.warmup_steps = steps / 10, .total_steps = steps});
  nn::Trainer trainer(adam, {.clip_norm = 1.0, .schedule = &schedule});
  nn::TrainingState state;
  state.add("model", model);
  state.add("adam", adam);
  state.add("schedule", schedule);
  state.add("trainer", trainer);
  state.add("loader", loader);
  const support::RunFile file(options, state,
                              {{"--epochs", options.epochs},
                               {"--dropout", options.dropout},
                               {"data", support::checksum(text.both())}});

  const nn::InterruptGuard interrupt;
  const double begin = nn::steady_seconds();
  const std::int64_t first = trainer.updates();
  const auto loss = [&](const nn::Batch& batch) { return model.loss(batch, 0.1); };
  const auto validate = [&] {
    nn::RunningMean mean;
    model.eval();
    for (const nn::Batch& batch : validation) mean.update(model.loss(batch, 0).item());
    model.train();
    return nn::Scalars{{"validation", mean.value()}};
  };
  const auto save = [&](bool) { file.save(); };
  if (!nn::fit(trainer, loader, loss,
               {.epochs = options.epochs, .validate = validate, .save = save, .interrupted = [&] {
                  return interrupt.requested();
                }})) {
    return support::interrupted(options, interrupt, file);
  }
  const std::string pace =
      support::pace(options.epochs, "epochs", trainer.updates() - first, begin, 2);
  nn::save_safetensors(options.save, model.state_dict());
  pieces.save(options.save);
  std::printf("%s, %d threads; weights: %s\n", pace.c_str(), options.threads, options.save.c_str());
  model.eval();
  std::printf("validation BLEU %.1f\n", bleu_of(model, pieces, held_out, options.beam));
  std::printf("greedy test BLEU %.1f\n", bleu_of(model, pieces, test, 1));
  const double start = nn::steady_seconds();
  const double bleu = bleu_of(model, pieces, test, options.beam);
  std::printf("decoded in %.1f s\ntest BLEU %.1f\n", nn::steady_seconds() - start, bleu);
  return 0;
}

/// Prints the translations of a sentence or of a file's lines.
static int predict(const Options& options) {
  const Pieces pieces = Pieces::load(options.save);
  ag::Generator generator;
  Model model(pieces.list.size(), 0, generator);
  model.load_state_dict(nn::load_safetensors(options.save));
  model.eval();
  std::vector<std::string> lines = {options.predict};
  if (std::filesystem::exists(options.predict)) lines = nn::read_lines(options.predict);
  for (const std::string& text : translate(model, pieces, lines, options.beam))
    std::printf("%s\n", text.c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Translates English into German: a transformer of 3 + 3 layers over byte-pair pieces.\n\n"
      "Data: Multi30k, https://github.com/multi30k/dataset, from data/task1/tok into one folder:\n"
      "{train,val,test_2016_flickr}.lc.norm.tok.{en,de}, gzipped (.gz) or not: --data FOLDER",
      "translate");
  support::add_flags(app, options,
                     {.data = "folder of the six files",
                      .predict = "a sentence, or a file of them",
                      .checkpoint = true});
  app.add_option("--dropout", options.dropout, "share of features")->check(CLI::Range(0.0, 0.9));
  app.add_option("--beam", options.beam, "1 is greedy")->check(CLI::Range(1, 100));
  return support::run(app, argc, argv, options, train, predict);
}
