// SPDX-License-Identifier: AGPL-3.0-or-later
import { localNameService } from "./local-names.ts";

/** LLMNR (RFC 4795). */
export const llmnr = localNameService({
  name: "llmnr",
  help: "Link-local name resolution",
  ports: { tcp: [5355], udp: [5355] },
  text: (name) => name.text(),
});
