"""A complete backend for torsh in another package: array-api-strict, which allows what the standard says, no more."""

import array_api_strict

from torsh_arrayapi import ArrayAPIBackend


class ToyBackend(ArrayAPIBackend):
    """Every kernel is generic; views, in-place writes and autograd come from torsh."""

    name = "toy"
    xp = array_api_strict
    raw_type = type(array_api_strict.zeros(()))

    def version(self):
        return array_api_strict.__version__
