#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes mel.txt beside this file: torchaudio 0.13's MelSpectrogram, spelled out with torch.stft and its
formula of the triangles (torchaudio.functional.melscale_fbanks), in float64.

A line is `NAME SHAPE VALUES...`; the sound is sin(0.05 i) + 0.5 sin(0.4 i + 0.0002 i i), i < 700.
"""
import math
import pathlib

import torch

i = torch.arange(700, dtype=torch.float64)
SOUND = torch.sin(0.05 * i) + 0.5 * torch.sin(0.4 * i + 0.0002 * i * i)


def to_mel(f, slaney):
    if not slaney:
        return 2595 * math.log10(1 + f / 700)
    return 3 * f / 200 if f < 1000 else 15 + math.log(f / 1000) / (math.log(6.4) / 27)


def to_hz(m, slaney):
    if not slaney:
        return 700 * (10 ** (m / 2595) - 1)
    return 200 * m / 3 if m < 15 else 1000 * math.exp(math.log(6.4) / 27 * (m - 15))


def fbanks(rate, n_fft, n_mels, f_min, f_max, slaney):
    freqs = torch.linspace(0, rate // 2, n_fft // 2 + 1, dtype=torch.float64)
    mels = torch.linspace(to_mel(f_min, slaney), to_mel(f_max, slaney), n_mels + 2, dtype=torch.float64)
    points = torch.tensor([to_hz(m, slaney) for m in mels.tolist()], dtype=torch.float64)
    gaps = points[1:] - points[:-1]
    slopes = points[None] - freqs[:, None]
    fb = torch.clamp(torch.minimum(-slopes[:, :-2] / gaps[:-1], slopes[:, 2:] / gaps[1:]), min=0)
    return fb * (2 / (points[2:] - points[:-2]))[None] if slaney else fb


def mel(name, rate, n_fft, win, hop, n_mels, f_min, f_max, slaney=False):
    power = torch.stft(SOUND, n_fft, hop, win, torch.hann_window(win, dtype=torch.float64), center=True,
                       pad_mode="reflect", onesided=True, return_complex=True).abs() ** 2
    out = fbanks(rate, n_fft, n_mels, f_min, f_max, slaney).T @ power
    return " ".join([name, ",".join(map(str, out.shape)), *map(repr, out.reshape(-1).tolist())])


text = "\n".join([mel("htk", 8000, 256, 256, 128, 12, 0, 4000),
                  mel("window", 8000, 128, 100, 64, 8, 100, 3000),
                  mel("slaney", 16000, 256, 256, 200, 10, 0, 8000, True)])
pathlib.Path(__file__).with_name("mel.txt").write_text(text + "\n")
