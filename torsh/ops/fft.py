"""Fourier transforms, windows and short-time transforms."""
