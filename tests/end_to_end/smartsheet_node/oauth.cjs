// The token calls of the vendor's JavaScript client, unmodified: the answers go to standard output as JSON.
"use strict";

const { createHash } = require("node:crypto");
const smartsheet = require("smartsheet");

const [baseUrl, client_id, secret, code] = process.argv.slice(2);

function hash(proved) {
  return createHash("sha256").update(`${secret}|${proved}`).digest("hex");
}

function connect(accessToken) {
  return smartsheet.createClient({ accessToken, baseUrl });
}

async function refusal(asked) {
  try {
    await asked;
  } catch (error) {
    return error;
  }
  throw new Error("it was not refused");
}

async function main() {
  const anyone = connect("");
  const issued = await anyone.tokens.getAccessToken({ queryParameters: { client_id, code, hash: hash(code) } });
  const token = issued.refresh_token;
  const refresh = { queryParameters: { client_id, refresh_token: token, hash: hash(token) } };
  const refreshed = await anyone.tokens.refreshAccessToken(refresh);
  const own = connect(refreshed.access_token);
  const urls = await own.images.listImageUrls({ body: [{ imageId: "jpbGklqdfZuL4Jw-kZhdZA" }] });
  const revoked = await own.tokens.revokeAccessToken();
  const late = await refusal(own.images.listImageUrls({ body: [{ imageId: "x" }] }));
  const again = await refusal(anyone.tokens.refreshAccessToken(refresh));
  process.stdout.write(JSON.stringify({ issued, refreshed, urls, revoked, late, again }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack || JSON.stringify(error)}\n`);
  process.exitCode = 1;
});
