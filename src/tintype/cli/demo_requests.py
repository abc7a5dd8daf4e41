"""Requests to paste, one a dialect, with the demo's own address and credentials."""

from pathlib import Path

from tintype.cli.demo_library import Credentials
from tintype.console import Request
from tintype.model import Image
from tintype.model.ids import short


def requests(url: str, given: Credentials, image: Image, sample: Path) -> list[Request]:
    """The requests that the first page of a demo shows, about one image and a sample to upload."""
    product = f"{url}/stores/{given.evotor.store_id}/products/{given.evotor.product_id}/images"
    return [
        Request(
            "mews: an image id to a URL",
            f"""curl {url}/api/connector/v1/images/getUrls -H 'Content-Type: application/json' -d '{{
  "ClientToken": "{given.mews.client_token}",
  "AccessToken": "{given.mews.access_token}",
  "Client": "Sample Client 1.0.0",
  "Images": [{{"ImageId": "{image.id}", "Width": 200, "Height": 150, "ResizeMode": "Fit"}}]
}}'""",
        ),
        Request(
            "smartsheet: a temporary signed URL",
            f"""curl {url}/2.0/imageurls -H 'Authorization: Bearer {given.smartsheet.token}' \\
  -H 'Content-Type: application/json' -d '[{{"imageId": "{short(image.id)}", "width": 300}}]'""",
        ),
        Request(
            "publisher: a page of the list, as XML",
            f"""curl '{url}/api/2/images?limit=2&sort=+name' \\
  -H 'Authorization: {given.publisher.token}' -H 'Accept: application/xml'""",
        ),
        Request(
            "evotor: the image of a product",
            f"""curl -i -X POST "{product}" -H "X-Authorization:{given.evotor.token}" \\
  -H "Content-Type:multipart/form-data" -F datafile=@'{sample}'""",
        ),
        Request(
            "native: an upload",
            f"""curl {url}/v1/images -H 'Authorization: Bearer {given.native.token}' \\
  -H 'Content-Disposition: attachment; filename="sample.png"' --data-binary @'{sample}'""",
        ),
    ]
