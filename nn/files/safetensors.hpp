// SPDX-License-Identifier: Apache-2.0
// Safetensors, the format in which weights travel between libraries: 8 bytes with the header's length, a
// header in JSON, the elements. Source: github.com/huggingface/safetensors, README "Format". Needs
// nlohmann's JSON library when nn is built; without it all three throw IoError.
// Threads: any number at a time.
#pragma once

#include <map>
#include <string>

#include "../state_dict.hpp"

namespace nn {

/// What a file says about itself: free words under free names.
using Metadata = std::map<std::string, std::string>;

/// Writes the tensors under their names, and the metadata, as one atomic replacement of the file (see
/// files/file.hpp). The header keeps the order; elements are laid out by falling size, so that all are
/// aligned. Throws ValueError for an undefined tensor, a name that is not UTF-8 or is "__metadata__";
/// IoError when it cannot be written, and then the old file is as it was.
void save_safetensors(const std::string& path, const StateDict& state,
                      const Metadata& metadata = {});

/// The tensors of a file in the header's order: F32, F64, I64 and BOOL as they are, F16 and BF16 converted
/// to float32. Everything is checked before memory is taken: lengths against the file's size, extents
/// against lengths, holes, overlaps, names given twice. Throws IoError for what does not fit and for other
/// dtypes.
StateDict load_safetensors(const std::string& path);

/// The metadata alone; reads no elements. Throws as load_safetensors does.
Metadata safetensors_metadata(const std::string& path);

}  // namespace nn
