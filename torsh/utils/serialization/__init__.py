"""How files are written and read.  Source: https://docs.pytorch.org/docs/stable/notes/serialization.html"""

from torsh.utils.serialization import config as config
