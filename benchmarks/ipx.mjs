// ipx on a folder, as its own `ipx serve` starts it, without the listening helper's banner and browser.
// Arguments: the folder of ipx's installation, the folder of originals, the port.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [installed, originals, port] = process.argv.slice(2);
const found = createRequire(`${installed}/`).resolve("ipx");
const { createIPX, createIPXNodeServer, ipxFSStorage } = await import(pathToFileURL(found));
const ipx = createIPX({ storage: ipxFSStorage({ dir: originals }) });
createServer(createIPXNodeServer(ipx)).listen(Number(port), "127.0.0.1");
