"""HTTP itself, the same for every dialect: bodies, negotiation, delivery of pictures, and the front door."""
