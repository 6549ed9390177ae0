"""What DataLoader is made of, under the names that libraries import from PyTorch."""

from torsh.utils.data._utils import collate as collate
from torsh.utils.data._utils import worker as worker
