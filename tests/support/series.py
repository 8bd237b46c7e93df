"""Series of which a classifier can learn something."""

import numpy as np


def waves(n=90, time=20, seed=0):
    """Three classes of noisy waves (n, time, 2) that differ in frequency."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    phase, t = rng.uniform(0, 6, (n, 1)), np.arange(time)
    x = np.sin(phase + t * np.array([0.2, 0.9, 2.0])[codes][:, None])
    return x[:, :, None] + 0.2 * rng.normal(size=(n, time, 2)), np.array(["ant", "bee", "cat"])[codes]
