"""One example request for each dialect, with the address and credentials of the demo."""

import shlex
from pathlib import Path

from tintype.cli.demo_library import Credentials
from tintype.console import ExampleRequest
from tintype.model import Image
from tintype.model.ids import short


def requests(url: str, credentials: Credentials, image: Image, sample: Path) -> list[ExampleRequest]:
    """The commands on the first page of a demo, about one image and a sample file to upload."""
    upload = shlex.quote(f"@{sample}")
    product = f"{url}/stores/{credentials.evotor.store_id}/products/{credentials.evotor.product_id}/images"
    return [
        ExampleRequest(
            "mews: an image id to a URL",
            f"""curl {url}/api/connector/v1/images/getUrls -H 'Content-Type: application/json' -d '{{
  "ClientToken": "{credentials.mews.client_token}",
  "AccessToken": "{credentials.mews.access_token}",
  "Client": "Sample Client 1.0.0",
  "Images": [{{"ImageId": "{image.id}", "Width": 200, "Height": 150, "ResizeMode": "Fit"}}]
}}'""",
        ),
        ExampleRequest(
            "smartsheet: a temporary signed URL",
            f"""curl {url}/2.0/imageurls -H 'Authorization: Bearer {credentials.smartsheet.token}' \\
  -H 'Content-Type: application/json' -d '[{{"imageId": "{short(image.id)}", "width": 300}}]'""",
        ),
        ExampleRequest(
            "publisher: a page of the list, as XML",
            f"""curl '{url}/api/2/images?limit=2&sort=+name' \\
  -H 'Authorization: {credentials.publisher.token}' -H 'Accept: application/xml'""",
        ),
        ExampleRequest(
            "evotor: the image of a product",
            f"""curl -i -X POST "{product}" \\
  -H "X-Authorization:{credentials.evotor.token}" \\
  -H "Content-Type:multipart/form-data" -F datafile={upload}""",
        ),
        ExampleRequest(
            "native: an upload",
            f"""curl {url}/v1/images -H 'Authorization: Bearer {credentials.native.token}' \\
  -H 'Content-Disposition: attachment; filename="sample.png"' --data-binary {upload}""",
        ),
    ]
