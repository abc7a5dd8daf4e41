"""HTTP, the same for every dialect: the ASGI application, bodies, negotiation, delivery of pictures."""
