"""Writing what TensorBoard shows.  The package ``tensorboard`` writes the files and must be installed.

Source: https://docs.pytorch.org/docs/stable/tensorboard.html
"""

try:
    import tensorboard as _tensorboard
except ImportError as e:
    raise ModuleNotFoundError(
        "No module named 'tensorboard': torch.utils.tensorboard needs it, `pip install tensorboard`", name="tensorboard"
    ) from e

from torsh.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
