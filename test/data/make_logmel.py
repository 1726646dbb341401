#!/usr/bin/python3
"""Writes logmel.json: log-mel features by numpy in float64, to compare LogMel with.

    python3 test/data/make_logmel.py

Written from the definition (a DFT by matrix, bands by interpolation), not from the code under test.
"""
import json
import os

import numpy as np

RATE, WINDOW, HOP, BANDS, LOW, HIGH, FLOOR = 8000, 256, 160, 32, 60.0, 3800.0, 1e-4


def sound(n):
    """A noise of whole numbers, the same in every language, with a silent stretch; in float32 as the code gets it."""
    i = np.arange(n, dtype=np.int64)
    x = (((i * i * 7 + i * 13) % 4001).astype(np.float64) / 4001 - 0.5) * (1 + i % 400) / 400
    x[n // 2 : n // 2 + n // 5] = 0
    return x.astype(np.float32).astype(np.float64)


def log_mel(x):
    x = np.pad(x, (0, max(0, WINDOW - len(x))))
    frames = 1 + (len(x) - WINDOW) // HOP
    n = np.arange(WINDOW)
    hann = np.sin(np.pi * n / WINDOW) ** 2
    dft = np.exp(-2j * np.pi * np.outer(np.arange(WINDOW // 2 + 1), n) / WINDOW)
    power = np.array([np.abs(dft @ (hann * x[t * HOP : t * HOP + WINDOW])) ** 2 for t in range(frames)])
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    corners = 700 * (10 ** (np.linspace(mel(LOW), mel(HIGH), BANDS + 2) / 2595) - 1)
    f = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    bands = np.array([np.interp(f, corners[m : m + 3], [0, 1, 0], left=0, right=0) for m in range(BANDS)])
    return np.log(power @ bands.T + FLOOR)


cases = []
for n in (200, 256, 1500):
    raw = log_mel(sound(n))
    standard = (raw - raw.mean()) / raw.std()
    cases.append({
        'samples': n,
        'frames': len(raw),
        'raw': [round(v, 7) for v in raw.ravel().tolist()],
        'standardized': [round(v, 7) for v in standard.ravel().tolist()],
    })
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'logmel.json'), 'w') as file:
    json.dump(cases, file)
    file.write('\n')
