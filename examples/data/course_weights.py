"""Writes the initial weights of a well-known course on neural networks, as NumPy's generator makes them.

    python3 examples/data/course_weights.py [FOLDER]        (default: target/course)

gives planar_4.npz for the example `planar`, and deep_12288_7_1.npz and deep_12288_20_7_5_1.npz for `deep`, each with
W1, b1, W2, b2, … It needs NumPy alone.
"""

import sys
from pathlib import Path

import numpy as np


def save(path, seed, layers, scale):
    """Weights (n_l, n_{l-1}), normally distributed and times scale(n_{l-1}); biases (n_l, 1) of zeros."""
    random = np.random.RandomState(seed)
    arrays = {}
    for l in range(1, len(layers)):
        arrays[f"W{l}"] = random.randn(layers[l], layers[l - 1]) * scale(layers[l - 1])
        arrays[f"b{l}"] = np.zeros((layers[l], 1))
    np.savez(path, **arrays)
    print(path)


folder = Path(sys.argv[1] if len(sys.argv) > 1 else "target/course")
folder.mkdir(parents=True, exist_ok=True)
save(folder / "planar_4.npz", 2, [2, 4, 1], lambda n: 0.01)
save(folder / "deep_12288_7_1.npz", 1, [12288, 7, 1], lambda n: 0.01)
save(folder / "deep_12288_20_7_5_1.npz", 1, [12288, 20, 7, 5, 1], lambda n: 1 / np.sqrt(n))
