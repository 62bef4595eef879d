// SPDX-License-Identifier: Apache-2.0
// The header is read by events and not into a tree: names given twice would be lost in a tree, and a
// hostile one would take many times the file's size. The reader knows the few places where something may
// stand and refuses everything else.
#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <unordered_set>

#include "file.hpp"
#include "half.hpp"

#ifdef NN_HAVE_JSON
#include <nlohmann/json.hpp>
#endif

namespace nn {

#ifdef NN_HAVE_JSON

using autograd::DType;
using autograd::Shape;
using autograd::ValueError;
using detail::FileErrors;
using detail::InputFile;

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // that of the reference implementation
constexpr const char* kMetadataKey = "__metadata__";

struct Stored {
  const char* name;
  std::uint64_t bytes;  // of an element in the file
  DType dtype;          // in memory
};
constexpr Stored kStored[] = {{"F32", 4, DType::float32}, {"F64", 8, DType::float64},
                              {"I64", 8, DType::int64},   {"BOOL", 1, DType::boolean},
                              {"F16", 2, DType::float32}, {"BF16", 2, DType::float32}};

struct Entry {
  std::string name, dtype;
  std::vector<std::uint64_t> shape, offsets;
  bool has_dtype = false, has_shape = false, has_offsets = false;
};

struct Header {
  std::vector<Entry> entries;
  Metadata metadata;
};

/// Takes the events of the JSON parser; returning false stops it, `wrong` says why.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(Header& header) : header_(header) {}
  std::string wrong;

  bool null() override { return stop("null"); }
  bool boolean(bool) override { return stop("a truth value"); }
  bool number_integer(number_integer_t) override { return stop("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return stop("a number"); }
  bool binary(binary_t&) override { return stop("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!numbers_) return stop("a number");
    if (numbers_->size() == 64) return stop("a list of more than 64 numbers");
    numbers_->push_back(value);
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ == 2 && in_metadata_) {
      header_.metadata[field_] = value;
      return true;
    }
    if (depth_ != 2 || field_ != "dtype" || numbers_) return stop("a string");
    header_.entries.back().dtype = value;
    return true;
  }
  bool start_object(std::size_t) override {
    if (depth_ == 2 || numbers_) return stop("an object");
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool key(string_t& value) override { return depth_ == 1 ? outer_key(value) : inner_key(value); }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || numbers_) return stop("a list");
    Entry& entry = header_.entries.back();
    if (field_ == "shape") {
      numbers_ = &entry.shape;
    } else if (field_ == "data_offsets") {
      numbers_ = &entry.offsets;
    } else {
      return stop("a list");
    }
    return true;
  }
  bool end_array() override {
    numbers_ = nullptr;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    wrong = "not JSON at byte " + std::to_string(position);
    return false;
  }

 private:
  bool stop(const std::string& what) {
    wrong = what + " where none belongs, at " +
            detail::quote((depth_ == 2 ? outer_ + "." : "") + field_);
    return false;
  }
  bool outer_key(const std::string& value) {
    if (!names_.insert(value).second) {
      wrong = "the name " + detail::quote(value) + " is there twice";
      return false;
    }
    outer_ = field_ = value;
    fields_.clear();
    in_metadata_ = value == kMetadataKey;
    if (!in_metadata_) {
      header_.entries.emplace_back();
      header_.entries.back().name = value;
    }
    return true;
  }
  bool inner_key(const std::string& value) {
    field_ = value;
    if (!fields_.insert(value).second) {
      wrong = detail::quote(outer_) + " has " + detail::quote(value) + " twice";
      return false;
    }
    if (in_metadata_) return true;
    Entry& entry = header_.entries.back();
    if (value == "dtype") return entry.has_dtype = true;
    if (value == "shape") return entry.has_shape = true;
    if (value == "data_offsets") return entry.has_offsets = true;
    wrong = detail::quote(outer_) + " has an unknown field " + detail::quote(value);
    return false;
  }

  Header& header_;
  std::unordered_set<std::string> names_, fields_;
  std::string outer_, field_;
  int depth_ = 0;
  bool in_metadata_ = false;
  std::vector<std::uint64_t>* numbers_ = nullptr;
};

struct Place {
  std::string name;
  const Stored* stored;
  Shape shape;
  std::uint64_t begin, end;
};

/// product * factor, or the largest number when that does not fit.
std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                : product;
}

/// One entry, checked against the number of bytes that follow the header.
Place place_of(const Entry& entry, std::uint64_t bytes, const FileErrors& errors) {
  const std::string at = ", tensor " + detail::quote(entry.name);
  if (!entry.has_dtype || !entry.has_shape || !entry.has_offsets || entry.offsets.size() != 2) {
    errors.fail("an entry is incomplete", at, "dtype, shape and two data_offsets");
  }
  const auto stored = std::find_if(std::begin(kStored), std::end(kStored),
                                   [&](const Stored& s) { return entry.dtype == s.name; });
  if (stored == std::end(kStored)) {
    errors.fail("a dtype that is not known here", at + " is " + detail::quote(entry.dtype),
                "F32, F64, I64, BOOL, F16 or BF16");
  }
  if (entry.shape.size() > autograd::kMaxDim) {
    errors.fail("too many axes", at + " has " + std::to_string(entry.shape.size()), "at most 8");
  }
  const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1];
  if (begin > end || end > bytes) {
    errors.fail("the elements are outside of the file",
                at + " at " + std::to_string(begin) + " to " + std::to_string(end),
                "0 <= begin <= end <= " + std::to_string(bytes));
  }
  Shape shape;
  const bool none = std::find(entry.shape.begin(), entry.shape.end(), 0u) != entry.shape.end();
  std::uint64_t count = none ? 0 : 1;
  for (const std::uint64_t extent : entry.shape) {
    if (extent > std::uint64_t{1} << 48) {
      errors.fail("an extent is too large", at + ": " + std::to_string(extent), "at most 2^48");
    }
    count = times(count, extent);
    shape.push_back(static_cast<std::int64_t>(extent));
  }
  if (times(count, stored->bytes) != end - begin) {
    errors.fail("the shape does not fit the bytes",
                at + " " + stored->name + " " + to_string(shape) + " in " +
                    std::to_string(end - begin) + " bytes",
                "end - begin == elements times bytes of one");
  }
  return {entry.name, stored, shape, begin, end};
}

void check_no_gaps(const std::vector<Place>& places, std::uint64_t bytes,
                   const FileErrors& errors) {
  std::vector<const Place*> sorted;
  for (const Place& place : places) sorted.push_back(&place);
  std::sort(sorted.begin(), sorted.end(), [](const Place* a, const Place* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t reached = 0;
  for (const Place* place : sorted) {
    if (place->begin != reached) {
      errors.fail(
          place->begin < reached ? "tensors overlap" : "bytes that belong to no tensor",
          ", tensor " + detail::quote(place->name) + " begins at " + std::to_string(place->begin),
          "each to begin where the one before ends (" + std::to_string(reached) + ")");
    }
    reached = place->end;
  }
  if (reached != bytes) {
    errors.fail("bytes that belong to no tensor",
                ", " + std::to_string(bytes) + " bytes follow the header",
                "as many as the tensors have (" + std::to_string(reached) + ")");
  }
}

struct Contents {
  std::vector<Place> places;
  Metadata metadata;
  std::uint64_t data = 0;  // where the elements begin
};

Contents read_header(const InputFile& file) {
  const FileErrors& errors = file.errors();
  std::uint64_t length = 0;
  file.read(0, &length, sizeof length);
  if (length > kMaxHeader || length > file.size() - 8) {
    errors.fail("not a safetensors file",
                ", a header of " + std::to_string(length) + " bytes in a file of " +
                    std::to_string(file.size()),
                "a length of the header that fits, at most 100,000,000");
  }
  std::string text(length, '\0');
  file.read(8, text.data(), text.size());
  if (text.empty() || text[0] != '{') {
    errors.fail("not a safetensors file", "", "a header that begins with '{'");
  }
  if (const std::size_t at = text.find('\0'); at != std::string::npos) {
    // To the parser it is the end of the text: what follows would be ignored.
    errors.fail("the header is malformed", ", a zero byte at " + std::to_string(at),
                "a header of safetensors");
  }
  Header header;
  HeaderReader reader(header);
  if (!nlohmann::json::sax_parse(text, &reader)) {
    errors.fail("the header is malformed", ": " + reader.wrong, "a header of safetensors");
  }
  Contents contents{{}, std::move(header.metadata), 8 + length};
  const std::uint64_t bytes = file.size() - contents.data;
  for (const Entry& entry : header.entries) {
    contents.places.push_back(place_of(entry, bytes, errors));
  }
  check_no_gaps(contents.places, bytes, errors);
  return contents;
}

Tensor read_tensor(const InputFile& file, std::uint64_t data, const Place& place) {
  Tensor tensor = autograd::empty(place.shape, place.stored->dtype);
  const std::size_t bytes = place.end - place.begin;
  if (place.stored->bytes == 2) {
    std::vector<std::uint16_t> halves(bytes / 2);
    file.read(data + place.begin, halves.data(), bytes);
    const auto convert = place.stored->name[0] == 'B' ? &detail::from_bfloat16 : &detail::from_half;
    std::transform(halves.begin(), halves.end(), tensor.mutable_data<float>().begin(), convert);
    return tensor;
  }
  if (place.stored->dtype == DType::boolean) {
    std::vector<unsigned char> flags(bytes);
    file.read(data + place.begin, flags.data(), bytes);
    if (std::any_of(flags.begin(), flags.end(), [](unsigned char flag) { return flag > 1; })) {
      file.errors().fail("a BOOL that is neither 0 nor 1", ", tensor " + detail::quote(place.name),
                         "bytes 0 and 1");
    }
    std::copy(flags.begin(), flags.end(), tensor.mutable_data<bool>().begin());
    return tensor;
  }
  autograd::dispatch(place.stored->dtype, [&]<class T>(T) {
    file.read(data + place.begin, tensor.mutable_data<T>().data(), bytes);
  });
  return tensor;
}

/// A JSON string. Throws ValueError, which says what it is and `of` what, unless it is UTF-8.
std::string json_string(const char* what, const std::string& text, const std::string& of = "") {
  if (!detail::is_utf8(text)) {
    throw ValueError(std::string("save_safetensors: ") + what + " is not UTF-8: " +
                     detail::quote(text) + of + "; need UTF-8, which JSON asks for");
  }
  return nlohmann::json(text).dump();
}

const Stored& stored_as(DType dtype) {
  return *std::find_if(std::begin(kStored), std::end(kStored),
                       [&](const Stored& s) { return s.dtype == dtype; });
}

std::string entry_text(const std::string& name, const Tensor& tensor, std::uint64_t begin) {
  const Stored& stored = stored_as(tensor.dtype());
  std::string shape;
  for (const std::int64_t extent : tensor.shape()) {
    shape += (shape.empty() ? "" : ",") + std::to_string(extent);
  }
  const std::uint64_t end = begin + static_cast<std::uint64_t>(tensor.numel()) * stored.bytes;
  return json_string("a name", name) + ":{\"dtype\":\"" + stored.name + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::string metadata_text(const Metadata& metadata) {
  std::string text;
  for (const auto& [name, words] : metadata) {
    text += (text.empty() ? "" : ",") + json_string("a key of the metadata", name) + ":" +
            json_string("a value of the metadata", words, " of key " + detail::quote(name));
  }
  return std::string("\"") + kMetadataKey + "\":{" + text + "}";
}

void check_savable(const StateDict& state) {
  for (const auto& [name, tensor] : state) {
    if (!tensor.defined() || name == kMetadataKey) {
      throw ValueError("save_safetensors: an entry cannot be saved: " + detail::quote(name) +
                       "; need a defined tensor, and a name that is not '__metadata__'");
    }
  }
}

}  // namespace

void save_safetensors(const std::string& path, const StateDict& state, const Metadata& metadata) {
  check_savable(state);
  // The order of the elements: large ones first, so that each begins at a multiple of its size.
  std::vector<std::size_t> order(state.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto tensor = [&](std::size_t i) -> const Tensor& {
    return (state.begin() + static_cast<std::ptrdiff_t>(i))->second;
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return item_size(tensor(a).dtype()) > item_size(tensor(b).dtype());
  });
  std::vector<std::uint64_t> begins(order.size());
  std::uint64_t end = 0;
  for (const std::size_t i : order) {
    begins[i] = end;
    end += static_cast<std::uint64_t>(tensor(i).numel()) * item_size(tensor(i).dtype());
  }
  std::string header = metadata.empty() ? "" : metadata_text(metadata);
  std::size_t i = 0;
  for (const auto& [name, values] : state) {
    header += (header.empty() ? "" : ",") + entry_text(name, values, begins[i++]);
  }
  header = "{" + header + "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');

  detail::OutputFile file("save_safetensors", path);
  const std::uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header);
  for (const std::size_t k : order) {
    const Tensor values = autograd::contiguous(autograd::detach(tensor(k)));
    autograd::dispatch(values.dtype(), [&]<class T>(T) {
      file.write(values.data<T>().data(), values.data<T>().size_bytes());
    });
  }
  file.commit();
}

StateDict load_safetensors(const std::string& path) {
  const InputFile file("load_safetensors", path);
  const Contents contents = read_header(file);
  StateDict state;
  for (const Place& place : contents.places) {
    state.insert(place.name, read_tensor(file, contents.data, place));
  }
  return state;
}

Metadata safetensors_metadata(const std::string& path) {
  return read_header(InputFile("safetensors_metadata", path)).metadata;
}

#else

namespace {

[[noreturn]] void no_json(const char* function, const std::string& path) {
  detail::throw_io(function, "nn was built without JSON", path, "",
                   "nlohmann's JSON library (package nlohmann-json3-dev) when nn is built");
}

}  // namespace

void save_safetensors(const std::string& path, const StateDict&, const Metadata&) {
  no_json("save_safetensors", path);
}
StateDict load_safetensors(const std::string& path) { no_json("load_safetensors", path); }
Metadata safetensors_metadata(const std::string& path) { no_json("safetensors_metadata", path); }

#endif

}  // namespace nn
