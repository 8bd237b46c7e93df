"""Gaussian-process regression of some hundred values at most: lengths and noise of greatest posterior density."""

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

ROOT5 = math.sqrt(5)
LENGTH, LENGTH_SD = math.log(0.5), 1.0  # prior of a length's logarithm: half the range
NOISE, NOISE_SD = math.log(0.01), 2.0  # prior of the logarithm of the noise's variance beside a signal's of 1
LENGTH_BOUNDS, NOISE_BOUNDS = (-4.0, 5.0), (math.log(1e-4), 0.0)
JITTER = 1e-8
MAX_STEPS = 40


class Kriging:
    """A Matern 5/2 process with a length for each dimension and noise, of values with mean 0 and variance 1.

    Parameters
    ----------
    X : ndarray of shape (n, n_columns)
    y : ndarray of shape (n,)
    length_of : ndarray of shape (n_columns,)
        Index of the length scale of each column; columns may have a common one.

    Attributes
    ----------
    log_lengths : ndarray of shape (n_lengths,)
    log_noise : float

    References
    ----------
    Rasmussen and Williams, "Gaussian processes for machine learning", 2006, equations 2.25, 2.26, 4.17 and 5.9. The
    priors keep ten points from proving what they cannot.

    Examples
    --------
    >>> import numpy as np
    >>> from skauto.search.strategies._kriging import Kriging
    >>> X = np.linspace(0, 1, 9)[:, None]
    >>> mean, deviation = Kriging(X, np.sin(6 * X[:, 0]), np.array([0])).predict(np.array([[0.3]]))
    >>> bool(abs(mean[0] - np.sin(1.8)) < 0.1)
    True
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, length_of: np.ndarray) -> None:
        self._X, self._length_of = X, length_of
        n_lengths = int(length_of.max(initial=-1)) + 1
        self._apart = np.stack([_squares(X[:, length_of == i], X[:, length_of == i]) for i in range(n_lengths)])
        start = np.append(np.full(n_lengths, LENGTH), math.log(0.05))
        bounds = [LENGTH_BOUNDS] * n_lengths + [NOISE_BOUNDS]
        found = minimize(
            self._loss, start, args=(y,), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": MAX_STEPS}
        )
        self.log_lengths, self.log_noise = found.x[:-1], float(found.x[-1])
        self._factor = cho_factor(self._covariance(found.x)[0], lower=True)
        self._answers = cho_solve(self._factor, y)

    def predict(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations, without the noise, at rows; each of shape (m,)."""
        scale = np.exp(-self.log_lengths)[self._length_of]
        covariance = _matern(_squares(X * scale, self._X * scale))[0]
        solved = solve_triangular(self._factor[0], covariance.T, lower=True)
        return covariance @ self._answers, np.sqrt(np.maximum(1 - (solved**2).sum(axis=0), 1e-10))

    def _covariance(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The covariance of the known rows, and what its derivatives by the logarithms of lengths have in common."""
        covariance, slope = _matern(np.tensordot(np.exp(-2 * theta[:-1]), self._apart, 1))
        covariance[np.diag_indices_from(covariance)] += math.exp(theta[-1]) + JITTER
        return covariance, slope

    def _loss(self, theta: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the logarithm of the posterior density of lengths and noise, and its gradient."""
        covariance, slope = self._covariance(theta)
        factor = cho_factor(covariance, lower=True)
        answers = cho_solve(factor, y)
        excess = cho_solve(factor, np.eye(len(y))) - np.outer(answers, answers)
        loss = 0.5 * y @ answers + np.log(np.diag(factor[0])).sum()
        by_length = 0.5 * np.einsum("ij,kij->k", excess * slope, self._apart) * np.exp(-2 * theta[:-1])
        by_noise = 0.5 * np.trace(excess) * math.exp(theta[-1])
        middle = np.append(np.full(len(theta) - 1, LENGTH), NOISE)
        spread = np.append(np.full(len(theta) - 1, LENGTH_SD), NOISE_SD)
        off = (theta - middle) / spread
        return loss + 0.5 * off @ off, np.append(by_length, by_noise) + off / spread


def _squares(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances of all pairs of rows, without an array of all differences: choices may be many columns."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    return np.maximum(squares, 0.0)


def _matern(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matern 5/2 of squared distances, and minus twice its derivative by them."""
    distance = ROOT5 * np.sqrt(squares)
    decay = np.exp(-distance)
    return (1 + distance + distance**2 / 3) * decay, 5 / 3 * (1 + distance) * decay
