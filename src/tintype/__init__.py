"""One library of images, served in the dialect your clients already speak."""

__version__ = "0.1.0"
