// SPDX-License-Identifier: AGPL-3.0-or-later
import { localNameService } from "./local-names.ts";

/** Multicast DNS (RFC 6762); of several questions the first one is named. */
export const mdns = localNameService({
  name: "mdns",
  help: "Multicast DNS",
  ports: { udp: [5353] },
  text: (name) => name.text(),
});
