"""Data pipes, by how they are read: ``iter`` and ``map``."""

from torsh.utils.data.datapipes import iter, map
