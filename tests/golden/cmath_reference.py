#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes cmath_reference.csv: what tests/cmath_test.cpp holds every function of scalars to.

usage: cmath_reference.py > cmath_reference.csv     (needs python3-mpmath; takes half a minute)

One line for each function and point, computed with 50 digits:
  unary    name,x,value,first,second,near
  binary   name,a,b,value,by a,by b,by aa,by ab,by bb,near
Arguments are doubles in hexadecimal, so that they are exact. `near` has a bit for each derivative, the
first one lowest: set when that derivative has a zero within 0.1 of the point, where the test asks for
absolute accuracy. Derivatives are closed forms written down here, not those of the library.
"""
import random
import sys

from mpmath import (acos, acosh, asin, asinh, atan, atan2, atanh, beta, cbrt, ceil, cos, cosh, erf,
                    erfc, exp, expm1, floor, gamma, isinf, isnan, ln2, log, log10, log1p, mp, mpf, pi,
                    power, psi, sign, sin, sinh, sqrt, tan, tanh)

mp.dps = 50
BIG = mpf(10) ** 290  # beyond this and its inverse doubles run out of exponent


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x):
    return log1p(exp(x)) if x < 50 else x + log1p(exp(-x))


def normal_cdf(x):
    return erfc(-x / sqrt(mpf(2))) / 2


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def normal_icdf(p):
    if p > 0.5:
        return -normal_icdf(1 - p)
    x = -sqrt(-2 * log(p)) if p < 0.01 else mpf(-1) if p < 0.4 else (p - 0.5) * sqrt(2 * pi)
    for _ in range(100):
        f = normal_cdf(x)
        step = (log(f) - log(p)) * f / density(x)
        x -= step
        if abs(step) <= abs(x) * mpf(10) ** -45:
            break
    return x


def nearest(x):
    """Ties to even."""
    n = floor(x)
    d = x - n
    return n + (1 if d > 0.5 or (d == 0.5 and int(n) % 2) else 0)


def away(x):
    return sign(x) * floor(abs(x) + mpf(1) / 2)


def toward_zero(x):
    return sign(x) * floor(abs(x))


R = random.Random(20261121)


def uniform(low, high, n):
    return [R.uniform(low, high) for _ in range(n)]


def spread(low, high, n, signs=(1,)):
    """Uniform in the exponent of ten."""
    return [R.choice(signs) * 10 ** R.uniform(low, high) for _ in range(n)]


def above(x, *powers):
    return [x + 2.0 ** -k for k in powers]


BOTH = (1, -1)
ALL = [-700.5, -40.0, -3.0, -1.0, -0.5, -1e-3, -1e-10, 1e-300, 1e-20, 1e-5, 0.3, 1.0, 2.5, 30.0, 600.0]
POSITIVE = [1e-300, 1e-100, 1e-10, 0.01, 0.5, 0.999999, 1.0, 1.0000001, 1.5, 10.0, 1e5, 1e100, 1e300]
SMALL = [-1.0, -0.5, -1e-3, -1e-10, 1e-300, 1e-20, 1e-5, 0.3, 1.0]

# name: (value, first derivative, second derivative, points)
UNARY = {
    "exp": (exp, exp, exp, ALL + uniform(-5, 5, 8)),
    "exp2": (lambda x: power(2, x), lambda x: power(2, x) * ln2, lambda x: power(2, x) * ln2 ** 2,
             ALL + uniform(-5, 5, 8)),
    "expm1": (expm1, exp, exp, ALL + uniform(-5, 5, 8)),
    "log": (log, lambda x: 1 / x, lambda x: -1 / x ** 2, POSITIVE + uniform(0.5, 2, 8)),
    "log2": (lambda x: log(x) / ln2, lambda x: 1 / (x * ln2), lambda x: -1 / (x ** 2 * ln2),
             POSITIVE + uniform(0.5, 2, 8)),
    "log10": (log10, lambda x: 1 / (x * log(10)), lambda x: -1 / (x ** 2 * log(10)),
              POSITIVE + uniform(0.5, 2, 8)),
    "log1p": (log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2,
              above(-1.0, 53, 40, 10, 1) + SMALL[1:] + [1e5, 1e100] + uniform(-0.9, 3, 8)),
    "sqrt": (sqrt, lambda x: 1 / (2 * sqrt(x)), lambda x: -1 / (4 * x * sqrt(x)),
             POSITIVE + uniform(0.5, 2, 5)),
    "cbrt": (lambda x: sign(x) * cbrt(abs(x)), lambda x: 1 / (3 * cbrt(abs(x)) ** 2),
             lambda x: -2 * sign(x) / (9 * abs(x) * cbrt(abs(x)) ** 2),
             POSITIVE + [-1e-100, -2.0, -1e100] + uniform(-3, 3, 5)),
    "square": (lambda x: x * x, lambda x: 2 * x, lambda x: mpf(2), uniform(-3, 3, 6) + [1e-100, 1e100]),
    "sin": (sin, cos, lambda x: -sin(x), SMALL + [100.0, 1e10] + uniform(-10, 10, 12)),
    "cos": (cos, lambda x: -sin(x), lambda x: -cos(x), SMALL + [100.0, 1e10] + uniform(-10, 10, 12)),
    "tan": (tan, lambda x: 1 + tan(x) ** 2, lambda x: 2 * tan(x) * (1 + tan(x) ** 2),
            SMALL + [100.0, 1e10, 1.5707963267948966, 1.57, -1.5] + uniform(-10, 10, 10)),
    "asin": (asin, lambda x: 1 / sqrt(1 - x * x), lambda x: x / sqrt(1 - x * x) ** 3,
             SMALL[1:-1] + [1 - 2.0 ** -53, 1 - 2.0 ** -30, -1 + 2.0 ** -20, 0.99] + uniform(-1, 1, 8)),
    "acos": (acos, lambda x: -1 / sqrt(1 - x * x), lambda x: -x / sqrt(1 - x * x) ** 3,
             SMALL[1:-1] + [1 - 2.0 ** -53, 1 - 2.0 ** -30, -1 + 2.0 ** -20, 0.99] + uniform(-1, 1, 8)),
    "atan": (atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2,
             SMALL + [-1e100, -1e9, -1e7, 10.0, 1e5, 1e8, 1e20, 1e90, 1e140] + uniform(-3, 3, 8)),
    "sinh": (sinh, cosh, sinh, ALL + uniform(-5, 5, 6)),
    "cosh": (cosh, sinh, cosh, ALL + uniform(-5, 5, 6)),
    "tanh": (tanh, lambda x: 1 / cosh(x) ** 2, lambda x: -2 * tanh(x) / cosh(x) ** 2,
             SMALL + [-330.0, -50.0, -19.1, -5.0, 3.8, 3.9, 4.1, 8.0, 20.0, 100.0, 320.0]
             + uniform(-5, 5, 12)),
    "asinh": (asinh, lambda x: 1 / sqrt(1 + x * x), lambda x: -x / sqrt(1 + x * x) ** 3,
              SMALL + [-1e100, -1e9, 10.0, 1e5, 1e8, 1e20, 1e140] + uniform(-3, 3, 8)),
    "acosh": (acosh, lambda x: 1 / sqrt(x * x - 1), lambda x: -x / sqrt(x * x - 1) ** 3,
              above(1.0, 52, 40, 20, 5) + [2.0, 10.0, 1e5, 1e9, 1e20, 1e140] + uniform(1, 5, 8)),
    "atanh": (atanh, lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2,
              SMALL[1:-1] + [1 - 2.0 ** -53, 1 - 2.0 ** -30, -1 + 2.0 ** -20, 0.99] + uniform(-1, 1, 8)),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x),
                lambda x: sigmoid(x) * sigmoid(-x) * (sigmoid(-x) - sigmoid(x)),
                ALL + [40.0, 36.8, 18.0, 6.9, 7.0, -660.0] + uniform(-8, 8, 10)),
    "softplus": (softplus, sigmoid, lambda x: sigmoid(x) * sigmoid(-x),
                 ALL + [40.0, -37.0, -660.0] + uniform(-8, 8, 10)),
    "logsigmoid": (lambda x: -softplus(-x), lambda x: sigmoid(-x), lambda x: -sigmoid(x) * sigmoid(-x),
                   ALL + [40.0, -37.0, -660.0] + uniform(-8, 8, 6)),
    "erf": (erf, lambda x: 2 / sqrt(pi) * exp(-x * x), lambda x: -4 * x / sqrt(pi) * exp(-x * x),
            SMALL + [-25.0, -5.5, 3.0, 10.0, 25.0] + uniform(-4, 4, 10)),
    "erfc": (erfc, lambda x: -2 / sqrt(pi) * exp(-x * x), lambda x: 4 * x / sqrt(pi) * exp(-x * x),
             SMALL + [-25.0, -5.5, 3.0, 10.0, 25.0] + uniform(-4, 25, 14)),
    "tgamma": (gamma, lambda x: gamma(x) * psi(0, x), lambda x: gamma(x) * (psi(0, x) ** 2 + psi(1, x)),
               [1e-100, 1e-5, 0.5, 1.0, 1.46, 1.4616321449683622, 1.4616, 2.0, 5.0, 20.5, 100.0, 170.5,
                -0.5, -1e-10, -1.0001, -2.5, -10.3, -50.5, -0.5040830082644554, -1.5734]
               + uniform(0, 10, 8) + uniform(-20, 0, 8)),
    "lgamma": (lambda x: log(abs(gamma(x))), lambda x: psi(0, x), lambda x: psi(1, x),
               [1e-100, 1e-5, 0.5, 1.46, 1.4616321449683622, 1.0000001, 1 - 2.0 ** -50, 1.9999999,
                2.00001, 2 + 2.0 ** -50, 5.0, 100.0, 1e5, 1e20, 1e100, -0.5, -1e-10, -1.0001, -2.5,
                -2.457024738220801, -2.7476826467, -10.3, -50.5, -0.5040830082644554, -1.5734]
               + uniform(0, 10, 8) + uniform(-20, 0, 8)),
    "digamma": (lambda x: psi(0, x), lambda x: psi(1, x), lambda x: psi(2, x),
                [1e-100, 1e-5, 0.5, 1.0, 1.46, 1.4616321449683622, 1.4616, 1.4616321449683625, 1.4617,
                 1.44, 1.48, 1.5, 2.0, 5.0, 100.0, 1e5, 1e20, 1e100, -0.5, -1e-10, -1.0001, -2.5, -10.3,
                 -50.5] + uniform(0, 10, 10) + uniform(-20, 0, 8)),
    "normal_cdf": (normal_cdf, density, lambda x: -x * density(x),
                   SMALL + [-36.0, -25.0, -15.5, -8.3, -5.0, 3.0, 8.0, 20.0] + uniform(-5, 5, 10)),
    "normal_icdf": (normal_icdf, lambda p: 1 / density(normal_icdf(p)),
                    lambda p: normal_icdf(p) / density(normal_icdf(p)) ** 2,
                    [1e-140, 1e-100, 1e-50, 1e-20, 1e-10, 1e-5, 0.01, 0.074, 0.076, 0.3, 0.499, 0.5,
                     0.5001, 0.6, 0.92, 0.93, 0.99, 1 - 2.0 ** -53, 1 - 2.0 ** -30] + uniform(0, 1, 10)),
    "abs": (abs, sign, lambda x: mpf(0), [-3.0, -1e-300, 1e-300, 2.0]),
    "relu": (lambda x: x if x > 0 else mpf(0), lambda x: mpf(x > 0), lambda x: mpf(0), [-3.0, 1e-300, 2.0]),
}
STEPS = [-3.7, -2.5, -1.5, -0.5, -0.3, 0.49999999999999994, 0.5, 0.7, 1.5, 2.5, 4503599627370497.5, 1e300]
for name, f in {"floor": floor, "ceil": ceil, "trunc": toward_zero, "round": away, "rint": nearest,
                "nearbyint": nearest, "sign": sign}.items():
    UNARY[name] = (f, lambda x: mpf(0), lambda x: mpf(0), STEPS)


def zero(a, b):
    return mpf(0)


def one(a, b):
    return mpf(1)


def square_sum(a, b):
    return a * a + b * b


def pow_ab(a, b):
    l = log(a)
    return power(a, b - 1) * (1 + b * l)


def remainder_row(quotient, points):
    return (lambda a, b: a - b * quotient(a / b), one, lambda a, b: -quotient(a / b), zero, zero, zero,
            points)


PAIRS = [(a, b) for a, b in zip(uniform(-3, 3, 10), uniform(-3, 3, 10))]
POSITIVES = [(a, b) for a, b in zip(uniform(0.1, 5, 10), uniform(0.1, 5, 10))]
QUOTIENTS = PAIRS + [(5.3, 2.0), (-5.3, 2.0), (5.3, -2.0), (-5.3, -2.0), (3.0, 1.0), (1e15, 0.3),
                     (2.9999999999999996, 1.0), (0.1, 3.0), (-0.1, 3.0), (1e-300, 3.0), (7.0, 1e-3)]
POLAR = PAIRS + [(1e-8, 1.0), (1.0, 1e-8), (1000.0, 1.0), (1.0, 1000.0), (-1.0, -1e-12), (1e150, 1e150),
                 (1e-150, 1e-140), (3e200, 1e195), (0.0, 2.0), (2.0, 0.0), (0.0, -2.0), (-1.0, 1.0)]
GAMMAS = POSITIVES + [(50.0, 0.1), (0.1, 50.0), (1000.0, 0.001), (1e-3, 1e4), (1e-3, 2.0), (100.0, 100.0),
                      (200.0, 300.5), (9.5, 11.0), (12.0, 15.0), (1e5, 1.5), (1.0, 1.0), (0.5, 0.5)]


def s_(a, b):
    return sigmoid(a - b) * sigmoid(b - a)


# name: (value, by a, by b, by aa, by ab, by bb, points)
BINARY = {
    "add": (lambda a, b: a + b, one, one, zero, zero, zero, PAIRS),
    "sub": (lambda a, b: a - b, one, lambda a, b: -mpf(1), zero, zero, zero, PAIRS),
    "mul": (lambda a, b: a * b, lambda a, b: b, lambda a, b: a, zero, one, zero, PAIRS),
    "div": (lambda a, b: a / b, lambda a, b: 1 / b, lambda a, b: -a / b ** 2, zero,
            lambda a, b: -1 / b ** 2, lambda a, b: 2 * a / b ** 3,
            PAIRS + [(1e-100, 1e100), (1e100, 1e-50), (1.0, 1e80), (1e200, 1e-30)]),
    "pow": (power, lambda a, b: b * power(a, b - 1), lambda a, b: power(a, b) * log(a),
            lambda a, b: b * (b - 1) * power(a, b - 2), pow_ab,
            lambda a, b: power(a, b) * log(a) ** 2,
            POSITIVES + [(2.0, -3.5), (0.5, 100.0), (10.0, -80.0), (1.0, 5.0), (1.0000001, 1e6), (3.0, 0.0),
                         (1e-100, 0.5), (1e100, 1.5), (0.3, 1e-20), (7.0, 1.0), (7.0, 2.0), (1e-5, -3.0)]),
    "hypot": (lambda a, b: sqrt(square_sum(a, b)), lambda a, b: a / sqrt(square_sum(a, b)),
              lambda a, b: b / sqrt(square_sum(a, b)), lambda a, b: b * b / sqrt(square_sum(a, b)) ** 3,
              lambda a, b: -a * b / sqrt(square_sum(a, b)) ** 3,
              lambda a, b: a * a / sqrt(square_sum(a, b)) ** 3, POLAR),
    "atan2": (atan2, lambda a, b: b / square_sum(a, b), lambda a, b: -a / square_sum(a, b),
              lambda a, b: -2 * a * b / square_sum(a, b) ** 2,
              lambda a, b: (a * a - b * b) / square_sum(a, b) ** 2,
              lambda a, b: 2 * a * b / square_sum(a, b) ** 2, POLAR),
    "logaddexp": (lambda a, b: max(a, b) + log1p(exp(-abs(a - b))), lambda a, b: sigmoid(a - b),
                  lambda a, b: sigmoid(b - a), s_, lambda a, b: -s_(a, b), s_,
                  PAIRS + [(0.0, -700.0), (-700.0, 0.0), (1000.0, 999.0), (-1000.0, -1001.0), (1e300, 1.0),
                           (0.0, -40.0), (3.0, 3.0), (-0.5, -0.94), (-5.0, -0.0067), (-0.7, -0.69), (20.0, -30.0)]),
    "fmod": remainder_row(toward_zero, QUOTIENTS),
    "ieee_remainder": remainder_row(nearest, QUOTIENTS),
    "fdim": (lambda a, b: max(a - b, mpf(0)), lambda a, b: mpf(a > b), lambda a, b: -mpf(a > b), zero, zero,
             zero, PAIRS),
    "fmax": (max, lambda a, b: mpf(a > b), lambda a, b: mpf(a < b), zero, zero, zero, PAIRS),
    "fmin": (min, lambda a, b: mpf(a < b), lambda a, b: mpf(a > b), zero, zero, zero, PAIRS),
    "copysign": (lambda a, b: abs(a) * sign(b), lambda a, b: sign(a) * sign(b), zero, zero, zero, zero,
                 PAIRS),
    "beta": (beta, lambda a, b: beta(a, b) * (psi(0, a) - psi(0, a + b)),
             lambda a, b: beta(a, b) * (psi(0, b) - psi(0, a + b)),
             lambda a, b: beta(a, b) * ((psi(0, a) - psi(0, a + b)) ** 2 + psi(1, a) - psi(1, a + b)),
             lambda a, b: beta(a, b) * ((psi(0, a) - psi(0, a + b)) * (psi(0, b) - psi(0, a + b))
                                        - psi(1, a + b)),
             lambda a, b: beta(a, b) * ((psi(0, b) - psi(0, a + b)) ** 2 + psi(1, b) - psi(1, a + b)),
             GAMMAS),
}


def text(x):
    return mp.nstr(x, 22, strip_zeros=True, min_fixed=0, max_fixed=0) if x else "0"


def near_zero(f, *at):
    """Whether f vanishes at the point or changes its sign within 0.1 along an axis."""
    try:
        here = f(*at)
        if here == 0:
            return True
        for i in range(len(at)):
            for d in (-0.1, -0.05, 0.05, 0.1):
                moved = list(at)
                moved[i] = moved[i] + mpf(d)
                there = f(*moved)
                if isinstance(there, mpf) and sign(there) != sign(here):
                    return True
    except (ValueError, ZeroDivisionError, TypeError):
        pass
    return False


def line(name, args, functions):
    at = [mpf(x) for x in args]
    values = [mpf(f(*at)) for f in functions]
    if any(isnan(v) or isinf(v) for v in values):
        sys.exit(f"{name}{args}: not a number among {values}")
    near = sum(1 << i for i, f in enumerate(functions[1:]) if near_zero(f, *at))
    print(",".join([name, *(float(x).hex() for x in args), *map(text, values), str(near)]))


def main():
    print("# Written by cmath_reference.py, which says what the columns are.")
    for name, (f, first, second, points) in UNARY.items():
        for x in points:
            line(name, [x], [f, first, second])
    for name, (*functions, points) in BINARY.items():
        for pair in points:
            line(name, list(pair), functions)


if __name__ == "__main__":
    main()
