// A round trip with the vendor's JavaScript client, unmodified: the answers go to standard output as JSON.
"use strict";

const fs = require("node:fs");
const smartsheet = require("smartsheet");

const [baseUrl, accessToken, picture] = process.argv.slice(2);
const cell = { sheetId: 1696831624483716, rowId: 1049441315358596, columnId: 7476190317566554 };
const unknown = "jpbGklqdfZuL4Jw-kZhdZA";

function connect(token) {
  return smartsheet.createClient({ accessToken: token, baseUrl });
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
  const client = connect(accessToken);
  const body = fs.readFileSync(picture);
  const queryParameters = { altText: "Caution sign", overrideValidation: true };
  const added = await client.images.addImageToCell({ ...cell, body, fileName: picture, queryParameters });
  const row = await client.sheets.getRow(cell);
  const imageId = row.cells[0].image.id;
  const urls = await client.images.listImageUrls({
    body: [{ imageId }, { imageId, width: 20, height: 40 }, { imageId: unknown }],
  });
  const missing = await refusal(client.sheets.getRow({ ...cell, rowId: 1 }));
  const stranger = await refusal(connect("nonsense").images.listImageUrls({ body: [{ imageId }] }));
  process.stdout.write(JSON.stringify({ added, row, urls, missing, stranger }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack || JSON.stringify(error)}\n`);
  process.exitCode = 1;
});
