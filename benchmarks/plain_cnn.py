"""The peer of images.py: a plain PyTorch CNN, as one writes it in some forty lines, trained for given seconds."""

import math
import time

import numpy as np
import torch
from torch import nn


def blocks(channels, n_classes, width, side):
    """Three blocks of convolution, norm, ReLU and pooling, and a hidden layer."""
    layers = []
    for wide in (width, 2 * width, 4 * width):
        layers += [
            nn.Conv2d(channels, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        channels = wide
    flat = channels * (side[0] // 8) * (side[1] // 8)
    head = [nn.Flatten(), nn.Linear(flat, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, n_classes)]
    return nn.Sequential(*layers, *head).to(memory_format=torch.channels_last)


class PlainCNN:
    """AdamW on one cycle of the learning rate that fills the seconds; shifts by two pixels, flips where asked for."""

    def __init__(self, seconds, flip=False, width=32, lr=0.003, batch_size=64, seed=0):
        self.seconds, self.flip, self.width, self.lr = seconds, flip, width, lr
        self.batch_size, self.seed = batch_size, seed

    def fit(self, X, y):
        began = time.monotonic()
        torch.manual_seed(self.seed)
        self.classes_, codes = np.unique(y, return_inverse=True)
        X, codes = self._images(X), torch.from_numpy(codes)
        self.mean, self.spread = X.mean((0, 2, 3), keepdim=True), X.std((0, 2, 3), keepdim=True)
        X = (X - self.mean) / self.spread
        self.net = blocks(X.shape[1], len(self.classes_), self.width, X.shape[2:])
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=self.lr, weight_decay=0.05, fused=True)
        done, took = 0.0, 0.0
        while done < 1:
            for rows in torch.randperm(len(X)).split(self.batch_size):
                now = time.monotonic()
                done = (now - began + took) / self.seconds
                if done >= 1 or len(rows) < 2:
                    break
                up = 0.04 + 0.96 * done / 0.3
                optimizer.param_groups[0]["lr"] = self.lr * min(
                    up, (1 + math.cos(math.pi * max(0, done - 0.3) / 0.7)) / 2
                )
                loss = nn.functional.cross_entropy(self.net(self._augmented(X[rows])), codes[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                took = time.monotonic() - now
        self.net.eval()
        return self

    def _augmented(self, x):
        down, across = torch.randint(-2, 3, (2,)).tolist()
        x = nn.functional.pad(x, (2, 2, 2, 2))[:, :, 2 + down :, 2 + across :][:, :, : x.shape[2], : x.shape[3]]
        mirrored = torch.rand(len(x), 1, 1, 1) < (0.5 if self.flip else 0)
        return torch.where(mirrored, x.flip(3), x).contiguous(memory_format=torch.channels_last)

    def _images(self, X):
        X = torch.from_numpy(X).float() / 255
        return X[:, None] if X.ndim == 3 else X.permute(0, 3, 1, 2)

    def predict(self, X):
        with torch.no_grad():
            parts = [self.net((part - self.mean) / self.spread).argmax(1) for part in self._images(X).split(500)]
        return self.classes_[torch.cat(parts).numpy()]
