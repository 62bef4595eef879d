// SPDX-License-Identifier: Apache-2.0
// Trains a small transformer to write Shakespeare letter by letter, then writes some.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "support/training.hpp"

namespace ag = autograd;

constexpr std::int64_t kContext = 64, kWidth = 128, kHeads = 4, kLayers = 4;
constexpr double kStart = 0.05;  // deviation of the first weights: 1 / sqrt(3 kWidth)

struct Options : support::Training {
  std::string predict;
  std::int64_t steps = 2000, length = 500;
  double temperature = 0.8;
  Options() { batch = 12, lr = 1e-3; }
};

/// GPT-2 in small: norms in front of attention and feed-forward (trains without care), learned positions,
/// and one matrix that both embeds letters and scores them.
struct Gpt : nn::Module {
  nn::Embedding letters;
  nn::LearnedPositionalEncoding positions;
  nn::TransformerEncoder blocks;

  Gpt(std::int64_t vocabulary, ag::Generator& generator)
      : letters(vocabulary, kWidth, generator),
        positions(kContext, kWidth, generator, {.batch_first = true}),
        blocks(kLayers, kWidth, kHeads, generator,
               {.layer = {.dim_feedforward = 4 * kWidth,
                          .dropout = 0,  // 2,000 steps see each letter once or twice
                          .activation = nn::TransformerActivation::gelu,
                          .batch_first = true,
                          .norm_first = true},
                .norm = true}) {
    register_module("letters", letters);
    register_module("positions", positions);
    register_module("blocks", blocks);
    // As GPT-2 smaller where the sums of the residual path would grow with depth. Its 0.02 is for wider
    // layers: with it the loss after 2,000 steps is 1.895 instead of 1.76.
    for (auto& [name, p] : named_parameters()) {
      const bool last = name.ends_with("out_proj.weight") || name.ends_with("linear2.weight");
      if (p.dim() > 1)
        nn::normal_(p, 0, last ? kStart / std::sqrt(2.0 * kLayers) : kStart, generator);
      if (name.ends_with("bias")) nn::constant_(p, 0);
    }
  }
  /// ids [n, l] to scores of what comes next [n, l, letters].
  ag::Tensor operator()(const ag::Tensor& ids) const {
    return ag::linear(blocks(positions(letters(ids)), {.is_causal = true}), letters.weight, {});
  }
  /// The same of ids that follow those which are cached already.
  ag::Tensor step(const ag::Tensor& ids, std::vector<nn::KeysAndValues>& cache) const {
    const std::int64_t past = cache.empty() ? 0 : cache[0].keys.size(2);
    const ag::Tensor x = positions(letters(ids), past);
    return ag::linear(blocks.step(x, cache, {.is_causal = true}), letters.weight, {});
  }
};

/// The mean loss of `n` places drawn from `ids`: x [n, context] and the letters behind them.
static ag::Tensor loss_of(const Gpt& model, const nn::Ids& ids, std::int64_t n, ag::Generator& g) {
  nn::Ids x, y;
  const auto places = static_cast<std::int64_t>(ids.size()) - kContext;
  for (const std::int64_t at : ag::to_vector<std::int64_t>(ag::randint(0, places, {n}, g))) {
    x.insert(x.end(), ids.begin() + at, ids.begin() + at + kContext);
    y.insert(y.end(), ids.begin() + at + 1, ids.begin() + at + 1 + kContext);
  }
  const ag::Tensor scores = model(ag::tensor(x, {n, kContext}));
  return nn::cross_entropy_loss(ag::flatten(scores, 0, 1), ag::tensor(y));
}

/// The same draws at every call, so that numbers compare.
static double validation_loss(const Gpt& model, const nn::Ids& ids, std::int64_t n, int batches) {
  ag::Generator generator(12345);
  nn::RunningMean mean;
  for (int i = 0; i < batches; ++i) mean.update(loss_of(model, ids, n, generator).item());
  return mean.value();
}

/// Continues the prompt. Each letter costs one step over cached keys and values; where the context is
/// full, its last half is read again as the beginning of a new one.
static std::string write(const Gpt& model, const nn::Vocabulary& letters, const std::string& prompt,
                         const Options& options) {
  ag::Generator generator(options.seed);
  std::vector<nn::KeysAndValues> cache;
  nn::Ids text = letters.encode(nn::split_characters(prompt)), next = text;
  for (std::int64_t i = 0; i < options.length; ++i) {
    if (!cache.empty() && cache[0].keys.size(2) == kContext) {
      cache.clear();
      next.assign(text.end() - kContext / 2, text.end());
    }
    if (next.size() > kContext) next.erase(next.begin(), next.end() - kContext);
    const ag::Tensor scores = model.step(ag::unsqueeze(ag::tensor(next), 0), cache)(0, -1);
    const ag::Tensor p = ag::softmax(scores / options.temperature, 0);
    next = {static_cast<std::int64_t>(ag::multinomial(p, 1, {}, generator).item())};
    text.push_back(next[0]);
  }
  std::string all;
  for (const std::string& letter : letters.decode(text)) all += letter;
  return all;
}

/// The letters of the text, which must be UTF-8: they are saved beside the weights.
static nn::Tokens letters_of(const std::string& text, const std::string& file) {
  nn::Tokens letters = nn::split_characters(text);
  std::size_t at = 0;
  for (const std::string& letter : letters) {
    if (letter.size() == 1 && static_cast<unsigned char>(letter[0]) >= 0x80) {
      throw ag::IoError(file + ": not UTF-8 at byte " + std::to_string(at) +
                        "; need UTF-8 (iconv -f LATIN1 -t UTF-8 makes it of Latin-1)");
    }
    at += letter.size();
  }
  return letters;
}

static int train(const Options& options) {
  const std::filesystem::path data = options.data;
  const std::string name = std::filesystem::is_directory(data) ? data / "input.txt" : data;
  const std::string text = nn::read_text(name);
  const nn::Tokens tokens = letters_of(text, name);
  const auto letters = nn::Vocabulary::build({tokens}, {.specials = {}, .unknown = ""});
  const nn::Ids ids = letters.encode(tokens);
  const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() * 9 / 10);
  const nn::Ids training(ids.begin(), middle), validation(middle, ids.end());
  if (validation.size() <= kContext) {
    throw ag::ValueError("'" + name + "' is too short: " + std::to_string(ids.size()) +
                         " letters; need 650");
  }

  ag::Generator generator(options.seed);
  Gpt model(letters.size(), generator);
  std::vector<ag::Tensor> matrices, others;  // only matrices decay: norms and biases must be free
  for (const ag::Tensor& p : model.parameters()) (p.dim() > 1 ? matrices : others).push_back(p);
  nn::AdamW optimizer(matrices, {.lr = options.lr, .betas = {0.9, 0.99}, .weight_decay = 0.1});
  optimizer.add_group({.parameters = others, .weight_decay = 0.0});
  nn::WarmupCosineLR schedule(optimizer,
                              {.warmup_steps = std::min<std::int64_t>(100, options.steps / 2),
                               .total_steps = options.steps,
                               .eta_min = options.lr / 10});
  nn::Trainer trainer(optimizer, {.clip_norm = 1.0, .schedule = &schedule});
  nn::TrainingState state;
  state.add("model", model);
  state.add("optimizer", optimizer);
  state.add("schedule", schedule);
  state.add("trainer", trainer);
  state.add("generator", generator);
  const support::RunFile file(options, state,
                              {{"--steps", options.steps}, {"data", support::checksum(text)}});

  const nn::InterruptGuard interrupt;
  const double begin = nn::steady_seconds();
  const std::int64_t first = trainer.updates();
  trainer.begin_epoch(options.steps);
  while (trainer.updates() < options.steps) {
    if (trainer.updates() % 250 == 0) {
      file.save();
      trainer.show({{"validation", validation_loss(model, validation, options.batch, 20)}});
    }
    ag::Tape tape;
    trainer.step(tape, loss_of(model, training, options.batch, generator));
    if (interrupt.requested()) return support::interrupted(options, interrupt, file);
  }
  file.save();
  trainer.end_epoch();
  const std::int64_t done = options.steps - first;
  const std::string pace = support::pace(done, "steps", done, begin, 1);
  std::string all;
  for (std::int64_t i = 0; i < letters.size(); ++i) all += letters.token(i);
  nn::save_safetensors(options.save, model.state_dict(), {{"letters", all}});
  const std::string prompt = letters.contains("\n") ? "\n" : letters.token(0);
  std::printf("%s\n\n", write(model, letters, prompt, options).c_str());
  std::printf("%s, %d threads; weights: %s\n", pace.c_str(), options.threads, options.save.c_str());
  std::printf("validation loss %.3f\n", validation_loss(model, validation, options.batch, 200));
  return 0;
}

/// Continues the prompt with saved weights.
static int predict(const Options& options) {
  const nn::Metadata words = nn::safetensors_metadata(options.save);
  if (!words.contains("letters")) throw ag::IoError(options.save + ": no weights of char_gpt");
  const nn::Vocabulary letters(nn::split_characters(words.at("letters")), "");
  ag::Generator generator;
  Gpt model(letters.size(), generator);
  model.load_state_dict(nn::load_safetensors(options.save));
  std::printf("%s\n", write(model, letters, options.predict, options).c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Trains a transformer of 0.8 million weights to continue text letter by letter.\n\n"
      "Data: Shakespeare (A. Karpathy's char-rnn), 1.1 million letters:\n"
      "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt\n"
      "or any other text; the first 90 % train, the rest validates: --data FILE",
      "char_gpt");
  support::add_flags(app, options,
                     {.data = "a text, or the folder of input.txt",
                      .predict = "continue this text",
                      .epochs = "",  // counted in steps instead
                      .checkpoint = true});
  app.add_option("--steps", options.steps, "updates")->check(CLI::Range(1, 100000000));
  app.add_option("--length", options.length, "letters to write")->check(CLI::Range(0, 10000000));
  app.add_option("--temperature", options.temperature, "below 1: likely letters; above: bold ones")
      ->check(support::check_positive);
  return support::run(app, argc, argv, options, train, predict);
}
