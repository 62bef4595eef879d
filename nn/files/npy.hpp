// SPDX-License-Identifier: Apache-2.0
// NPY and NPZ, NumPy's formats of one array and of several under names. Source: NumPy, "NEP 1: A simple
// file format for NumPy arrays"; NPZ is a ZIP archive of them (PKWARE's APPNOTE 6.3) and needs zlib when
// nn is built.
// Reading takes f2 (as float32), f4, f8, b1, i1 to i8 and u1 to u4 (as int64), of either byte order and
// either order of axes. Objects, strings and complex numbers are refused: nothing is ever executed.
#pragma once

#include <string>

#include "../state_dict.hpp"

namespace nn {

/// Throws IoError for what is not such an array, is cut off, or claims more elements than are there.
Tensor read_npy(const std::string& path);
/// Atomic (files/file.hpp). Throws ValueError for an undefined tensor.
void write_npy(const std::string& path, const Tensor& x);

/// The arrays by name, without the ending ".npy". Checks the sums of all data, names given twice, sizes.
StateDict read_npz(const std::string& path);

struct NpzOptions {
  bool compress = false;  ///< deflate, as numpy.savez_compressed
};
/// Atomic. Throws ValueError for an undefined tensor or an archive of 4 GiB and more.
void write_npz(const std::string& path, const StateDict& arrays, NpzOptions options = {});

namespace detail {

struct FileErrors;
Tensor decode_npy(const FileErrors& errors, std::string_view bytes);
std::string encode_npy(const char* function, const Tensor& x);

}  // namespace detail
}  // namespace nn
