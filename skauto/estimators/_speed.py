"""How fast this machine trains convolutions, measured once."""

import functools
import time

from skauto._deps import require

torch = require("torch", extra="deep")

# Rows, channels and side of the convolution, and how often it is timed: some hundredths of a second in all.
ROWS, CHANNELS, SIDE, TIMES = 32, 32, 28, 5


@functools.cache
def training_flops_a_second():
    """Multiplications and additions a second of a convolution 3 x 3, forward and backward, on one thread.

    By processor time, since others may be at work while this is measured.
    """
    conv = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False).to(memory_format=torch.channels_last)
    images = torch.zeros(ROWS, CHANNELS, SIDE, SIDE).to(memory_format=torch.channels_last).requires_grad_()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        best = min(_seconds(conv, images) for _ in range(TIMES))
    finally:
        torch.set_num_threads(threads)
    flops = 2 * ROWS * CHANNELS * CHANNELS * 9 * SIDE * SIDE
    return 3 * flops / best


def _seconds(conv, images):
    began = time.thread_time()
    conv(images).sum().backward()
    return time.thread_time() - began
