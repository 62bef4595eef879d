// SPDX-License-Identifier: Apache-2.0
// Safetensors: round trips, PyTorch's files, every check of the header, hostile files.
#include <cmath>
#include <cstring>

#include "files_support.hpp"

namespace {

using nn_test::attack;
using nn_test::expect_message;
using nn_test::Folder;
using nn_test::golden;
using nn_test::slurp;
using nn_test::spill;

class Safetensors : public testing::Test {
 protected:
  void SetUp() override {
    try {
      nn::load_safetensors(golden("linear.safetensors"));
    } catch (const ag::IoError& error) {
      if (std::strstr(error.what(), "built without")) GTEST_SKIP() << error.what();
      throw;
    }
  }
  Folder folder;
};

nn::StateDict example() {
  nn::StateDict state;
  state.insert("flags", ag::tensor({{1, 0, 1}}, ag::boolean));
  state.insert("weight", ag::tensor({{1.5, -2.0}, {0.1, 4.0}}));
  state.insert("größe", ag::tensor({1e-300, -0.0}, ag::float64));
  state.insert("count \"x\"\n", ag::tensor({9007199254740993, -1}, ag::int64));
  state.insert("none", ag::zeros({2, 0, 3}));
  state.insert("view", ag::transpose(ag::tensor({{1, 2, 3}, {4, 5, 6}})));
  return state;
}

std::string file(const std::string& header, std::size_t bytes) {
  std::uint64_t length = header.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &length, 8);
  return text + header + std::string(bytes, '\1');
}

TEST_F(Safetensors, RoundTrip) {
  const std::string path = folder / "a.safetensors";
  const nn::StateDict saved = example();
  nn::save_safetensors(path, saved, {{"epoch", "3"}, {"who", "größer"}});
  const nn::StateDict loaded = nn::load_safetensors(path);
  ASSERT_EQ(loaded.size(), saved.size());
  auto at = loaded.begin();
  for (const auto& [name, tensor] : saved) {
    EXPECT_EQ(at->first, name);
    EXPECT_EQ(at->second.dtype(), tensor.dtype());
    EXPECT_TRUE(ag::equal(at->second, tensor)) << name;
    EXPECT_FALSE(at->second.requires_grad());
    ++at;
  }
  EXPECT_EQ(nn::safetensors_metadata(path).at("who"), "größer");
  EXPECT_EQ(nn::safetensors_metadata(path).size(), 2u);
  nn::save_safetensors(path, {});
  EXPECT_TRUE(nn::load_safetensors(path).empty());
  EXPECT_TRUE(nn::safetensors_metadata(path).empty());
  EXPECT_EQ(folder.files(), 1u);
}

TEST_F(Safetensors, FileOfPyTorchGivesTheSameOutputs) {
  nn::StateDict state = nn::load_safetensors(golden("linear.safetensors"));
  const ag::Tensor x = state.at("x"), y = state.at("y");
  state.erase("x");
  state.erase("y");
  nn::Linear model(4, 3);
  model.load_state_dict(state);
  nn_test::expect_values(model(x), nn_test::values(y), 1e-6);
  EXPECT_EQ(nn::safetensors_metadata(golden("linear.safetensors")).at("words"), "größer");
}

TEST_F(Safetensors, EveryDtypeOfPyTorch) {
  const nn::StateDict state = nn::load_safetensors(golden("dtypes.safetensors"));
  const std::vector<double> numbers{0, -0.0, 1, -2.5, 65504, 0x1p-24};
  nn_test::expect_values(state.at("f32"), numbers, 0);
  EXPECT_EQ(state.at("f64").dtype(), ag::float64);
  EXPECT_EQ(state.at("f64").at({1, 1}), 65504.0 / 3);
  EXPECT_EQ(state.at("i64").data<std::int64_t>()[0], 9007199254740993);
  nn_test::expect_values(state.at("bool"), {1, 0, 1}, 0);
  EXPECT_EQ(state.at("f16").dtype(), ag::float32);
  nn_test::expect_values(state.at("f16"), numbers, 0);
  EXPECT_TRUE(std::signbit(state.at("f16").at({0, 1})));
  nn_test::expect_values(state.at("bf16"), {0, -0.0, 1, -2.5, 65536, 0x1p-24}, 0);
  for (const char* name : {"f16 special", "bf16 special"}) {
    const ag::Tensor special = state.at(name);
    EXPECT_EQ(special.at({0}), INFINITY);
    EXPECT_EQ(special.at({1}), -INFINITY);
    EXPECT_EQ(special.at({2}), 0x1p-14);
    EXPECT_NEAR(special.at({3}), 0.333, 1e-3);
  }
  EXPECT_EQ(state.at("scalar").dim(), 0);
  EXPECT_EQ(state.at("empty").shape(), (ag::Shape{0, 3}));
}

TEST_F(Safetensors, SavingRefuses) {
  const std::string path = folder / "a.safetensors";
  nn::StateDict undefined, reserved, bytes;
  undefined.insert("w", ag::Tensor());
  reserved.insert("__metadata__", ag::ones({1}));
  bytes.insert("\xff", ag::ones({1}));
  expect_message<ag::ValueError>(
      "save_safetensors: an entry cannot be saved: 'w'; need a defined tensor, and a name that is "
      "not '__metadata__'",
      [&] { nn::save_safetensors(path, undefined); });
  EXPECT_THROW(nn::save_safetensors(path, reserved), ag::ValueError);
  expect_message<ag::ValueError>(
      "save_safetensors: a name is not UTF-8: '\\xff'; need UTF-8, which JSON asks for",
      [&] { nn::save_safetensors(path, bytes); });
  expect_message<ag::ValueError>(
      "save_safetensors: a value of the metadata is not UTF-8: 'gr\\xfc\\xdfe' of key 'letters'; "
      "need UTF-8, which JSON asks for",
      [&] {
        nn::save_safetensors(path, {},
                             {{"letters",
                               "gr\xfc\xdf"
                               "e"}});
      });
  expect_message<ag::ValueError>(
      "save_safetensors: a key of the metadata is not UTF-8: '\\xfc'; need UTF-8, which JSON asks "
      "for",
      [&] {
        nn::save_safetensors(path, {}, {{"\xfc", "u"}});
      });
  EXPECT_EQ(folder.files(), 0u);
}

TEST_F(Safetensors, MessagesOfTheHeader) {
  const std::string path = folder / "a";
  const auto refuses = [&](const std::string& bytes, const std::string& what) {
    spill(path, bytes);
    try {
      nn::load_safetensors(path);
      ADD_FAILURE() << "nothing thrown, want " << what;
    } catch (const ag::IoError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find("load_safetensors: "), 0u);
      EXPECT_NE(message.find(what), std::string::npos) << message;
      EXPECT_NE(message.find("; need "), std::string::npos) << message;
    }
  };
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& at) {
    return "{\"w\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + at +
           "}}";
  };
  spill(path, file(one("F32", "[2]", "[0,8]"), 8));
  EXPECT_EQ(nn::load_safetensors(path).size(), 1u);

  refuses("", "the file is too short");
  refuses("1234567", "the file is too short");
  refuses(std::string(8, '\xff'), "a header of 18446744073709551615 bytes in a file of 8");
  refuses(file("", 0), "begins with '{'");
  refuses(file("[]", 0), "begins with '{'");
  refuses(file("{", 0), "not JSON at byte 2");
  refuses(file("{}x", 0), "not JSON at byte");
  refuses(file(std::string("{}\0{\"evil\":1}", 13), 0), "a zero byte at 2; need");
  refuses(file(std::string("{}\0\0\0\0\0\0", 8), 0), "a zero byte at 2; need");
  refuses(file("{}", 4), "bytes that belong to no tensor");
  refuses(file("{\"\xff\":{}}", 0), "not JSON");
  refuses(file("{\"w\":3}", 0), "a number where none belongs, at 'w'");
  refuses(file("{\"w\":{}}", 0), "an entry is incomplete: '");
  refuses(file("{\"w\":{\"dtype\":{}}}", 0), "an object where none belongs, at 'w.dtype'");
  refuses(file("{\"w\":{\"size\":1}}", 0), "an unknown field 'size'");
  refuses(file("{\"__metadata__\":{\"a\":1}}", 0), "a number where none belongs");
  refuses(file(one("I32", "[2]", "[0,8]"), 8),
          "tensor 'w' is 'I32'; need F32, F64, I64, BOOL, F16");
  refuses(file(one("F32", "[3]", "[0,8]"), 8), "the shape does not fit the bytes");
  refuses(file(one("F32", "[-2]", "[0,8]"), 8), "a negative number");
  refuses(file(one("F32", "[2.0]", "[0,8]"), 8), "a number");
  refuses(file(one("F32", "[[2]]", "[0,8]"), 8), "a list where none belongs");
  refuses(file(one("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8), "too many axes");
  refuses(file(one("F32", "[4294967296,4294967296]", "[0,0]"), 0), "the shape does not fit");
  refuses(file(one("F32", "[9223372036854775808,0]", "[0,0]"), 0), "an extent is too large");
  refuses(file(one("F32", "[2]", "[0,9]"), 8), "the elements are outside of the file");
  refuses(file(one("F32", "[2]", "[8,0]"), 8), "the elements are outside of the file");
  refuses(file(one("F32", "[2]", "[0,8,8]"), 8), "an entry is incomplete");
  refuses(file(one("F32", "[1]", "[4,8]"), 8), "bytes that belong to no tensor");
  refuses(file(one("F32", "[1]", "[0,4]"), 8), "bytes that belong to no tensor");
  const std::string w = "\"w\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}";
  const std::string v = "\"v\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[1,3]}";
  refuses(file("{" + w + "," + v + "}", 3), "tensors overlap");
  refuses(file("{" + w + "," + w + "}", 2), "the name 'w' is there twice");
  refuses(file("{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0), "'w' has 'dtype' twice");
  std::string flags = file("{" + w + "}", 2);
  flags.back() = 2;
  refuses(flags, "a BOOL that is neither 0 nor 1");
  // Deep nesting and a long list are refused as they come.
  refuses(file("{\"w\":" + std::string(1000000, '['), 0), "a list where none belongs");
  std::string list = "[1";
  for (int i = 0; i < 100; ++i) list += ",1";
  refuses(file(one("F32", list + "]", "[0,8]"), 8), "a list of more than 64 numbers");
}

TEST_F(Safetensors, TextOfTheFileInMessages) {
  const std::string path = folder / "a";
  spill(path, file("{\"\\u0000\\u001b[2J\":3}", 0));
  expect_message<ag::IoError>(
      "load_safetensors: the header is malformed: '" + path +
          "': a number where none belongs, at '\\x00\\x1b[2J'; need a header of safetensors",
      [&] { nn::load_safetensors(path); });
  spill(path, file("{\"" + std::string(5'000'000, 'w') + "\":3}", 0));
  expect_message<ag::IoError>("load_safetensors: the header is malformed: '" + path +
                                  "': a number where none belongs, at '" + std::string(100, 'w') +
                                  "...' (5000000 bytes); need a header of safetensors",
                              [&] { nn::load_safetensors(path); });
}

TEST_F(Safetensors, NotAFile) {
  expect_message<ag::IoError>("load_safetensors: cannot open: '" + folder / "no" +
                                  "': No such file or directory; need a file "
                                  "that is there",
                              [&] { nn::load_safetensors(folder / "no"); });
  EXPECT_THROW(nn::load_safetensors("/dev/zero"), ag::IoError);
  EXPECT_THROW(nn::load_safetensors(folder / "."), ag::IoError);
  EXPECT_THROW(nn::load_safetensors(std::string("a\0b", 3)), ag::IoError);
}

TEST_F(Safetensors, HostileFiles) {
  const std::string path = folder / "a";
  nn::save_safetensors(path, example(), {{"epoch", "3"}});
  const auto load = [](const std::string& from) { nn::load_safetensors(from); };
  EXPECT_EQ(attack(slurp(path), 5000, load), 0);
}

}  // namespace
