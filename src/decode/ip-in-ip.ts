// SPDX-License-Identifier: AGPL-3.0-or-later
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import { type HeaderProtocol, ipKey } from "./protocol.ts";

/** IPv4 in IPv4 (RFC 2003) or in IPv6 (RFC 2473). */
export const ipv4InIp: HeaderProtocol = {
  name: "ipv4_in_ip",
  help: "IPv4 in IP",
  layer: "tunnel",
  keys: [ipKey(4)],
  create: () => () => IPV4_KEY,
};

/** IPv6 in IPv4 (6in4, 6to4, 6rd, ISATAP: RFC 4213) or in IPv6 (RFC 2473). */
export const ipv6InIp: HeaderProtocol = {
  name: "ipv6_in_ip",
  help: "IPv6 in IP",
  layer: "tunnel",
  keys: [ipKey(41)],
  create: () => () => IPV6_KEY,
};
