// SPDX-License-Identifier: AGPL-3.0-or-later
// A language model and its client in a lab: `serve ADDRESS` streams tokens over TLS, `ask ADDRESS` gets two replies
// under the name of a known provider, and one under a name of nobody.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "./certificates.ts";
import { askFor, TokenServer } from "./token-streams.ts";

const [task = "serve", address = "127.0.0.1"] = process.argv.slice(2);
const REPLY = { events: 60, gapMs: 40, batch: 1 };

if (task === "serve") {
  const folder = mkdtempSync(join(tmpdir(), "nam-lab-model-"));
  const { cert, key } = new Authority(folder).issue("model", ["DNS:api.openai.com"]);
  rmSync(folder, { recursive: true });
  await TokenServer.start({ cert, key }, { address, port: 443 });
} else {
  const target = { host: address, port: 443, rejectUnauthorized: false };
  const replies = [1, 2, 3].map((seed) => ({ ...REPLY, seed }));
  await askFor(replies.slice(0, 2), { ...target, servername: "api.openai.com" });
  await askFor(replies.slice(2), { ...target, servername: "model.lab.test" });
}
