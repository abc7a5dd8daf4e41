"""Pages for a person in a browser; at present only the first page."""

from tintype.console.icons import icons
from tintype.console.welcome import ExampleRequest, Page, Showcase, welcome

__all__ = ["ExampleRequest", "Page", "Showcase", "icons", "welcome"]
