// SPDX-License-Identifier: Apache-2.0
#include <autograd/apply.hpp>

#include "support.hpp"

namespace ops_test {

using autograd::apply;
namespace ops = autograd::ops;

const std::vector<RowCalls>& all_rows() {
  static const std::vector<RowCalls> rows = [] {
    std::vector<RowCalls> list;
    ops::UnaryRows::for_each([&]<class Row>() {
      list.push_back({Row::info, 1,
                      [](const Inputs& in) { return apply(ops::UnaryOp<Row>{}, in[0]); },
                      [](double a, double) { return Row().value(a); },
                      [](int, double a, double, double y) { return Row().slope(a, y); }});
    });
    ops::BinaryRows::for_each([&]<class Row>() {
      list.push_back({Row::info, 2,
                      [](const Inputs& in) {
                        return in[0].shape() == in[1].shape()
                                   ? apply(ops::BinaryOp<Row>{}, in[0], in[1])
                                   : apply(ops::BroadcastOp<Row>{}, in[0], in[1]);
                      },
                      [](double a, double b) { return Row::value(a, b); },
                      [](int k, double a, double b, double y) {
                        return k == 0 ? Row::slope_a(a, b, y) : Row::slope_b(a, b, y);
                      }});
    });
    return list;
  }();
  return rows;
}

}  // namespace ops_test
