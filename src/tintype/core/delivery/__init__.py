"""From a link to bytes: the image, the variant of it that suits the client, its rendition."""
