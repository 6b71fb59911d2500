// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Domains below which services, by design, put data into names: block lists of mail servers, reputation look-ups of
 * virus scanners, measurement and advertisement hosts.
 */
export const DATA_IN_NAMES: readonly string[] = [
  ...["spamhaus.org", "spamhaus.net", "dq.spamhaus.net", "spamcop.net", "sorbs.net", "surbl.org"],
  ...["uribl.com", "dnswl.org", "mailspike.net", "senderbase.org", "barracudacentral.org"],
  ...["spamrats.com", "uceprotect.net", "abuseat.org", "support-intelligence.net", "habeas.com"],
  ...["mailshell.net", "njabl.org", "backscatterer.org", "rfc-clueless.org", "invaluement.com"],
  ...["sophosxl.net", "sophosxl.com", "cymru.com", "mcafee.com", "trendmicro.com", "e5.sk"],
  ...[
    "symantec.com",
    "webrootcloudav.com",
    "bitdefender.net",
    "kaspersky.com",
    "kaspersky-labs.com",
  ],
  ...["f-secure.com", "avast.com", "avcdn.net", "avira.com", "malwarebytes.com", "opendns.com"],
  ...[
    "commtouch.com",
    "ctmail.com",
    "cyren.com",
    "brightcloud.com",
    "panda.com",
    "gdatasecurity.de",
  ],
  ...["googlesyndication.com", "ampproject.org", "nflxvideo.net"],
  ...["online-metrix.net", "omtrdc.net", "demdex.net", "cedexis-radar.net", "dynatrace.com"],
  ...["dnsleaktest.com", "ntp.org", "home.arpa"],
];

/**
 * Clouds and content networks: countless names of countless customers, asked for by address. Below them a tunnel is
 * one that asks for records which carry data.
 */
export const MANY_NAMES: readonly string[] = [
  ...["gstatic.com", "googlevideo.com", "1e100.net", "akamaihd.net", "akamaiedge.net"],
  ...["akamai.net", "edgekey.net", "edgesuite.net", "akstat.io", "cloudfront.net", "fastly.net"],
  ...["fbcdn.net", "cdn77.org", "llnwd.net", "amazonaws.com", "windows.net", "azure.com"],
  ...["trafficmanager.net", "microsoft.com", "apple.com"],
];

/** True for names below one of the domains, and for those domains; of reverse look-ups always. */
export function isBelow(name: string, domains: ReadonlySet<string>): boolean {
  if (name === "arpa" || name.endsWith(".arpa")) return true;
  for (let at = 0; at >= 0; at = nextLabel(name, at)) {
    if (domains.has(name.slice(at))) return true;
  }
  return false;
}

function nextLabel(name: string, at: number): number {
  const dot = name.indexOf(".", at);
  return dot < 0 ? -1 : dot + 1;
}
