#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes arrays.npz and arrays_deflated.npz (NumPy's arrays of every dtype and order that is read) and
picture.jpg (with cjpeg of libjpeg-turbo-progs) beside this file. Needs NumPy.
"""
import pathlib
import subprocess

import numpy

here = pathlib.Path(__file__).resolve().parent
grid = numpy.arange(6).reshape(2, 3)
arrays = {"f4": (grid / 4).astype("<f4"), "f8": grid / 3.0, "big": (grid / 4).astype(">f4"),
          "half": (grid / 4).astype("<f2"), "bool": grid % 2 == 1, "u1": (grid + 250).astype("u1"),
          "i2": (grid - 3).astype("<i2"), "i4": (grid - 3).astype(">i4"), "i8": grid - 2**60,
          "fortran": numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4)),
          "scalar": numpy.array(2.5), "empty": numpy.zeros((0, 3)), "row": numpy.arange(3)}
numpy.savez(here / "arrays.npz", **arrays)
numpy.savez_compressed(here / "arrays_deflated.npz", **arrays)

# 24 x 16: red, green and blue stripes of 8 columns.
stripes = bytes(255 if x // 8 == c else 0 for y in range(16) for x in range(24) for c in range(3))
subprocess.run(["cjpeg", "-quality", "95", "-sample", "1x1", "-outfile", here / "picture.jpg"],
               input=b"P6 24 16 255\n" + stripes, check=True)
