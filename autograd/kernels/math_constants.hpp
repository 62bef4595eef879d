// SPDX-License-Identifier: Apache-2.0
// Constants of vector_math-inl.hpp for float and double: splits of ln 2, limits beyond which
// results saturate, and minimax coefficients, lowest power first. No code.
#pragma once

#include <cstdint>

namespace autograd::kernels {

template <class T> struct MathConstants;

template <> struct MathConstants<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr int kExponentBias = 127;
  static constexpr double kMagic = 12582912.0;  // 1.5 2^23
  static constexpr double kLog2E = 1.4426950408889634074;
  static constexpr double kLn2High = 0.693359375;
  static constexpr double kLn2Low = -2.12194440054690583e-4;
  static constexpr double kSqrtHalf = 0.70710678118654752440;
  static constexpr double kExpLow = -104, kExpHigh = 89;  // beyond: 0, infinity
  static constexpr double kTanhOne = 10;                  // beyond: 1
  static constexpr double kSubnormalScale = 33554432;     // 2^25
  static constexpr int kSubnormalBits = 25;
  // (e^r - 1 - r) / r^2
  static constexpr float kExpm1[] = {0.50000000795675221765f,   0.16666666816947376265f,
                                     0.041666265972510380533f,  0.0083332740666242027951f,
                                     0.0013946295799352710794f, 0.00019913240550256858179f};
  // (tanh(a) - a) / a^3 in a^2
  static constexpr float kTanh[] = {-0.33333330877212707146f,   0.13333208792422204432f,
                                    -0.053947095230673776287f,  0.021702420298861941564f,
                                    -0.0081814130187084900223f, 0.0021464470414814197485f};
  // fdlibm's e_logf.c
  static constexpr float kLog[] = {0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f};
  // e^(z^2 / 2) (z + 4) times the normal tail beyond z, in (z - 4) / (z + 4); up to z = 15
  static constexpr float kNormalTail[] = {
      0.755285130818f,    -0.607896657651f,    0.387137351381f,   -0.186521327179f,
      0.0603977429495f,   -0.00754480948809f,  -0.0034900898649f, 0.00164338075601f,
      0.000171517544238f, -0.000229278829556f, -5.03443957191e-5f};
};

template <> struct MathConstants<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr int kExponentBias = 1023;
  static constexpr double kMagic = 6755399441055744.0;  // 1.5 2^52
  static constexpr double kLog2E = 1.4426950408889634074;
  static constexpr double kLn2High = 6.93147180369123816490e-01;
  static constexpr double kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kSqrtHalf = 0.70710678118654752440;
  static constexpr double kExpLow = -746, kExpHigh = 710;
  static constexpr double kTanhOne = 20;
  static constexpr double kSubnormalScale = 18014398509481984.0;  // 2^54
  static constexpr int kSubnormalBits = 54;
  static constexpr double kExpm1[] = {0.50000000000000130224,     0.1666666666666669044,
                                      0.041666666666513495868,    0.0083333333333123425581,
                                      0.0013888888947454908069,   0.00019841269906832424077,
                                      0.000024801489532321495182, 2.7557225347633724267e-6,
                                      2.7631415191529047356e-7,   2.5115089845194553219e-8};
  static constexpr double kTanh[] = {
      -0.33333333333333332492,   0.13333333333333161935,      -0.053968253968131634249,
      0.021869488531750001956,   -0.0088632354361615831109,   0.003592126751727431931,
      -0.0014558224522714787906, 0.00058995005366502047165,   -0.00023877375158299072848,
      0.0000957580434569241824,  -0.000036636192206463267268, 0.00001180408997580599999,
      -2.2755110079044672888e-6};
  // fdlibm's e_log.c
  static constexpr double kLog[] = {6.666666666666735130e-01, 3.999999999940941908e-01,
                                    2.857142874366239149e-01, 2.222219843214978396e-01,
                                    1.818357216161805012e-01, 1.531383769920937332e-01,
                                    1.479819860511658591e-01};
  // e^(z^2 / 2) (z + 4) times the normal tail beyond z, in (z - 4) / (z + 4); up to z = 40
  static constexpr double kNormalTail[] = {
      0.7552851304157514928,      -0.60789664197189208893,   0.38713740074221469916,
      -0.18652185795965922532,    0.060396574890927622637,   -0.0075401889666656224918,
      -0.0034796923671921687765,  0.0016308184567316905255,  0.00013334431003841312969,
      -0.00023109492867487931204, -1.908241959973905655e-6,  0.000035144657216576561934,
      7.1659381054453515922e-7,   -5.9200967880118804202e-6, -6.2949060954999730456e-7,
      1.0214388227559821876e-6,   2.7142688501747761457e-7,  -1.548913669790519286e-7,
      -8.4977064419008090847e-8,  1.3314438834316811532e-8,  1.9340662559975448116e-8,
      1.8387743050280813318e-9,   -2.4441301122348828474e-9, -6.9160323027914835012e-10};
};

}  // namespace autograd::kernels
