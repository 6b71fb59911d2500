// SPDX-License-Identifier: AGPL-3.0-or-later
// The victim's honest services, run inside a namespace: HTTP with pages and downloads on ADDRESS:8080 and :80.
import { createServer } from "node:http";

const PAGE_BYTES = 6_000;
const address = process.argv[2] ?? "127.0.0.1";

for (const port of [80, 8080]) {
  createServer((request, response) => {
    const bytes = Number(
      new URL(request.url ?? "/", "http://x").searchParams.get("bytes") ?? PAGE_BYTES,
    );
    response.end(Buffer.alloc(Math.min(bytes, 50_000_000), "x"));
  }).listen(port, address, () => process.send?.("listening"));
}
