"""OAuth 2: the page where people give an app access, and the tokens that it gets (RFC 6749, 4.1).

Source: the vendor's "OAuth" guide and the reference of `/token`, version 2.0.0; `docs/dialects/smartsheet.md`
says what is ours.
"""
