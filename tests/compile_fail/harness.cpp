// expect: needs an integer
// SPDX-License-Identifier: Apache-2.0
// The smallest snippet of its kind: shows the form, and that the harness itself works.
#include <concepts>

template <class T> void count(T) { static_assert(std::integral<T>, "count needs an integer"); }

int main() {
  count(3);
#ifdef MUST_NOT_COMPILE
  count(3.0);
#endif
}
