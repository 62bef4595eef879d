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
  static constexpr double kLargeSquare = 0x1p60, kSquareScale = 0x1p80;
  static constexpr double kExp2Low = -152, kExp2High = 129;  // of 2^x: 0, infinity
  // pi / 2, log2 e, log10 e and log10 2: the number of T next to it, or one of half its digits, and the
  // rest.
  static constexpr double kHalfPi = 1.5707963705062866211, kHalfPiLow = -4.3711390001862428308e-8;
  static constexpr double kLog2EShort = 1.4423828125, kLog2ERest = 0.00031222838896340735992;
  static constexpr double kLog10EShort = 0.4342041015625, kLog10ERest = 0.000090380340751827651129;
  static constexpr double kLog10Of2Short = 0.301025390625, kLog10Of2Rest = 4.6050389811952137389e-6;
  // (sin(a) - a) / a^3, (cos(a) - 1 + a^2 / 2) / a^4 and (tan(a) - a) / a^3 in a^2, up to pi / 4
  static constexpr float kSin[] = {-0.1666666465f, 0.0083327459375f, -0.0001958738732f};
  static constexpr float kCos[] = {0.041666664647f, -0.0013888300698f, 2.4547437463e-5f};
  static constexpr float kTan[] = {0.3333333399f,   0.13333229486f,   0.053994784456f,
                                   0.021618612738f, 0.0099709567807f, 0.0011712617582f,
                                   0.0038514743366f};
  // (asin(a) - a) / a^3 up to 1 / 2, (atan(a) - a) / a^3 up to tan(pi / 8), (sinh(a) - a) / a^3 up to 1
  static constexpr float kAsin[] = {0.16666672415f, 0.074988550726f, 0.04500138007f,
                                    0.026554542206f, 0.038085023561f};
  static constexpr float kAtan[] = {-0.33333331746f, 0.19999537102f, -0.14263838535f,
                                    0.10742467481f, -0.064477431387f};
  static constexpr float kSinh[] = {0.16666666647f, 0.0083333396759f, 0.00019838101969f,
                                    2.8062802582e-6f};
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
  // erf(a) / a - 1 in a^2, up to 1
  static constexpr float kErf[] = {0.12837916584f,   -0.37612626598f,  0.11283593801f,
                                   -0.026854168336f, 0.0051889942242f, -0.00080159561897f,
                                   7.8725827622e-5f};
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
  static constexpr double kLargeSquare = 0x1p500, kSquareScale = 0x1p600;
  static constexpr double kExp2Low = -1080, kExp2High = 1025;
  // 2 / pi, and pi / 2 in parts: the products of the first two, of 33 bits each, with a number of 20 bits
  // are exact.
  static constexpr double kTwoOverPi = 0.63661977236758134308;
  static constexpr double kHalfPi1 = 1.57079632673412561417, kHalfPi2 = 6.07710050630396597655e-11;
  static constexpr double kHalfPi3 = 2.02226624879595073240e-21;
  static constexpr double kHalfPi2Rounded = 6.07710050650619260148e-11;  // all but the first
  static constexpr double kHalfPi = 1.5707963267948965580, kHalfPiLow = 6.1232339957367658861e-17;
  static constexpr double kLog2EShort = 1.4426950216293334961,
                          kLog2ERest = 1.9259629911266174681e-8;
  static constexpr double kLog10EShort = 0.43429447710514068604,
                          kLog10ERest = 4.7981111416159726689e-9;
  static constexpr double kLog10Of2Short = 0.30102999508380889893,
                          kLog10Of2Rest = 5.8017229628795764472e-10;
  static constexpr double kSin[] = {-0.16666666666666664599,    0.0083333333333309245741,
                                    -0.00019841269836722435879, 2.7557316083825740605e-6,
                                    -2.5051127945965638632e-8,  1.5917848665121939067e-10};
  static constexpr double kCos[] = {0.041666666666666665373,    -0.0013888888888887382279,
                                    0.000024801587298743080624, -2.7557317260014707376e-7,
                                    2.0876143829213936948e-9,   -1.1382456865840482437e-11};
  static constexpr double kTan[] = {
      0.33333333333333333806,     0.13333333333332989689,      0.053968253968667940851,
      0.021869488516520764446,    0.0088632360162462467773,    0.0035921208050577944027,
      0.001455904297390134397,    0.00058956624400602949746,   0.0002412654362449077108,
      0.000089870575507885320505, 0.000055823187835267106508,  -0.000011344703131308744212,
      0.000036820190390548031654, -0.000018479422558448530918, 8.5228197628400537737e-6};
  static constexpr double kAsin[] = {
      0.16666666666666667827,   0.074999999999984329332, 0.044642857146355429783,
      0.030381944138531247287,  0.022372172942149887875, 0.017352392720869972942,
      0.013971212973552933304,  0.011479177415184905896, 0.010322814350185779287,
      0.0054575067186403583004, 0.017400879442694022443, -0.014851887071247203224,
      0.028757851367421564708};
  static constexpr double kAtan[] = {
      -0.33333333333333330094,  0.1999999999999543738,   -0.14285714284649182253,
      0.11111111013861389573,   -0.0909090452150014806,  0.076921818766966248625,
      -0.066644929550813265851, 0.058579884306572263857, -0.050846107775821886058,
      0.039207445320545597147,  -0.019147263763236980056};
  static constexpr double kSinh[] = {0.16666666666666666667,    0.0083333333333333333658,
                                     0.00019841269841269773197, 2.7557319224040338598e-6,
                                     2.5052108364058040751e-8,  1.605904839635056164e-10,
                                     7.6466253616566576563e-13, 2.8445264169895285633e-15};
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
  static constexpr double kErf[] = {
      0.12837916709551257376,    -0.37612638903183748004,     0.1128379167095487604,
      -0.026866170645076269332,  0.0052239776248126373243,    -0.00085483269805094128699,
      0.00012055331099279798001, -0.000014925594957596026201, 1.6460995338195412092e-6,
      -1.6350256278696498423e-7, 1.4659383821340067539e-8,    -1.1371291831047952906e-9,
      5.9544715831534823226e-11};
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
