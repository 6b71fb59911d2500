// SPDX-License-Identifier: AGPL-3.0-or-later
import { u8 } from "../util/typed.ts";
import type { DnsName } from "./dns-name.ts";
import { localNameService } from "./local-names.ts";
import { WireText } from "./wire-text.ts";

/** First-level encoding (RFC 1001 §14.1): each half of a byte as a letter from A on, here in lower case. */
const ENCODED_BYTES = 32;
const LETTER_A = 0x61;
const NAME_BYTES = 15;
const SPACE = 0x20;
const NOTHING = -1;

/** NetBIOS name service (RFC 1002). */
export const nbns = localNameService({
  name: "nbns",
  help: "NetBIOS name service",
  ports: { udp: [137] },
  text: netbiosName,
});

/** `name<20>`: the name without its padding and the suffix that tells the service; another encoding is left as it is. */
function netbiosName(name: DnsName): string {
  if (u8(name.bytes, 0) !== ENCODED_BYTES) return name.text();
  const decoded = new DataView(new ArrayBuffer(NAME_BYTES + 1));
  for (let i = 0; i <= NAME_BYTES; i++) {
    const high = u8(name.bytes, 1 + 2 * i) - LETTER_A;
    const low = u8(name.bytes, 2 + 2 * i) - LETTER_A;
    if (high < 0 || high > 15 || low < 0 || low > 15) return name.text();
    decoded.setUint8(i, (high << 4) | low);
  }
  let length = NAME_BYTES;
  while (length > 0 && decoded.getUint8(length - 1) === SPACE) length--;
  const text = new WireText(NAME_BYTES);
  text.append(decoded, 0, length, NOTHING);
  return `${text.take()}<${decoded.getUint8(NAME_BYTES).toString(16).padStart(2, "0")}>`;
}
