"""``torch.cuda.amp.GradScaler``."""

from torsh.amp._older import scaler_of

__all__ = ["GradScaler"]
GradScaler = scaler_of("cuda")
