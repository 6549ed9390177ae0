"""What the modules of ``torch.cuda.amp`` share."""

from importlib.util import find_spec

from torsh import registry

__all__ = ["amp_definitely_not_available"]


def amp_definitely_not_available() -> bool:
    """Whether neither CUDA nor XLA is there."""
    return registry.available("cuda") is None and find_spec("torch_xla") is None
