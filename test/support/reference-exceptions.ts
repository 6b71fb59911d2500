// SPDX-License-Identifier: AGPL-3.0-or-later
// Every capture of the shared data on which the product deliberately differs from tshark, however that is asked. Each is
// tested to differ, so that what has become equal must go.

/** Packets by layer. */
export const layerExceptions: Readonly<Record<string, string>> = {
  "captures/tcpdump/kday1.pcap":
    "an IPv4 header whose version field says 6: tshark goes on as IPv6, here it is malformed",
};

/** HTTP messages. */
export const httpExceptions: Readonly<Record<string, string>> = {
  "captures/arkime/http2-nghttp2.pcap":
    "a GET over HTTP/2 of which the fields fill more than 16 KiB, in two frames and 20 segments: tshark does not put it together",
};

/** TCP connections and their sequence numbers; sorted. */
export const flowExceptions: Readonly<Record<string, string>> = {
  "captures/arkime/tcp-reassembly-synthetic.pcap":
    "frame 41 is stamped before the one that it comes after: out of order here, sent again for the reference",
  "captures/arkime/wireshark-retrans.pcap":
    "frame 10, a SYN captured for the fourth time, was sent again; the reference has it out of order, because it comes soon",
};

/** Messages of ICMP, ICMPv6, ARP and DHCP by type. */
export const messageExceptions: Readonly<Record<string, string>> = {
  "captures/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-1__frag-1.pcap":
    "an echo request one of whose fragments comes twice with other content: refused here, as RFC 5722 wants, put together by tshark",
};
