"""Whether a search tries networks: they are why rows are held back once, and not in folds."""

from typing import Any

from skauto._deps import are_installed
from skauto.automl._kind import Kind
from skauto.automl._select_candidates import AUTO, Request


def tries_networks(given: Any, kind: Kind) -> bool:
    """Whether a network of a kind of data is among what is asked for, and its packages are installed.

    Parameters
    ----------
    given : str or list of str and Candidate
        As `select_candidates` takes it.
    kind : Kind

    Examples
    --------
    >>> from skauto.automl._kind import kind_named
    >>> from skauto.automl._networks_tried import tries_networks
    >>> tries_networks(["auto", "-cnn"], kind_named("image"))
    False
    """
    request = Request.of(given)
    asked = {*request.names, *(candidate.name for candidate in request.own)}
    if AUTO in asked:
        asked |= {candidate.name for candidate in kind.candidates()}
    asked -= request.left_out
    networks = [c for c in kind.built_in if c.extra == "deep" and c.name in asked]
    return any(are_installed(c.package or "") for c in networks)
