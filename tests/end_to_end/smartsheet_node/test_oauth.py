"""The token calls of the vendor's own JavaScript client, unmodified."""

import httpx

from tests.dialects.smartsheet.oauth_flow import new_app
from tests.end_to_end.smartsheet_node.conftest import Run
from tests.running import Running


def test_tokens_are_got_refreshed_and_revoked(demo: Running, run: Run) -> None:
    with httpx.Client(base_url=demo.base_url) as http:
        app = new_app(demo, http)
        code = app.code(demo.token("smartsheet", "javascript"))
    answers = run("oauth.cjs", f"{demo.base_url}/2.0/", app.client_id, app.secret, code)
    issued, refreshed = answers["issued"], answers["refreshed"]
    assert (issued["token_type"], issued["expires_in"]) == ("bearer", 604_800)
    assert refreshed["access_token"] != issued["access_token"]
    # The token was let in: the image is none of its account's.
    assert answers["urls"]["imageUrls"][0]["error"]["errorCode"] == 5001
    assert answers["revoked"] == {"message": "SUCCESS", "resultCode": 0}
    assert (answers["late"]["statusCode"], answers["late"]["errorCode"]) == (401, 1002)
    assert (answers["again"]["statusCode"], answers["again"]["errorCode"]) == (400, 1031)
