// SPDX-License-Identifier: AGPL-3.0-or-later
import ipaddr from "ipaddr.js";
import { z } from "../util/zod.ts";

/** Networks that belong to whoever runs the agent, unless the configuration says otherwise. */
const PRIVATE_NETWORKS = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
];

export const networksSettings = z
  .strictObject({
    home: z
      .array(
        z.string().refine(isNetwork, {
          error: "must be a network like 192.168.0.0/16 or 2001:db8::/32",
        }),
      )
      .default(PRIVATE_NETWORKS)
      .describe(
        "Your own networks. They decide which way a packet goes where the capture cannot know (mirror ports, files), and which hosts are yours.",
      ),
  })
  .prefault({})
  .describe("What is inside and what is outside.");

export const tlsSettings = z
  .strictObject({
    ech_public_names: z
      .array(z.string().toLowerCase().min(1).max(253))
      .default(["cloudflare-ech.com"])
      .describe(
        "Server names that a ClientHello with an ECH extension shows instead of the real one (RFC 9849 §6.1). Such a hello counts as one without a name. Those that stand here replace the default, so name `cloudflare-ech.com` too, which stands for every site at Cloudflare.",
      ),
  })
  .prefault({})
  .describe("How TLS is read.");

/** Four decimal parts, or IPv6: short and octal forms mean different things to different programs. */
function isNetwork(text: string): boolean {
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text);
}
