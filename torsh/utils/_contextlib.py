"""Context managers that are decorators, too, also of classes' methods and generators."""

from __future__ import annotations

from torsh.autograd.grad_mode import _DecoratorContextManager as _DecoratorContextManager
