"""Pages for a person in a browser; so far the first page."""

from tintype.console.welcome import Page, Request, Showcase, welcome

__all__ = ["Page", "Request", "Showcase", "welcome"]
