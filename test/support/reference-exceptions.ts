// SPDX-License-Identifier: AGPL-3.0-or-later
// Every capture of the shared data on which the product deliberately differs from tshark, however that is asked. Each is
// tested to differ, so that what has become equal must go.

/** Packets by layer. */
export const layerExceptions: Readonly<Record<string, string>> = {
  "captures/tcpdump/kday1.pcap":
    "an IPv4 header whose version field says 6: tshark goes on as IPv6, here it is malformed",
  "captures/tcpdump/ipv6_39_byte_header.pcap":
    "an IPv6 header cut by the capture: tshark shows what fields there are, here a header counts whole or not at all",
  "captures/tcpdump/ipv6_invalid_length.pcap":
    "an IPv6 header that was sent without its last byte: the same",
};

/** HTTP messages. */
export const httpExceptions: Readonly<Record<string, string>> = {
  "captures/zeek/mixed-vlan-mpls.pcap":
    "a request of HTTP/0.9: what has no version is not taken for HTTP/1.x",
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
  "captures/pcapng-test-generator/output_le__basic__test012.pcapng":
    "two replies cut by the capture behind the option that says what they are: tshark does not read it, here it counts",
  "captures/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-1__frag-1.pcap":
    "an echo request one of whose fragments comes twice with other content: refused here, as RFC 5722 wants, put together by tshark",
  "captures/tcpdump/vxlan_port_8472.pcap":
    "what is inside VXLAN on the port that Linux used first, which tshark does not know",
};

/** Round-trip times of TCP handshakes. */
export const roundTripExceptions: Readonly<Record<string, string>> = {
  "captures/tcpdump/timestamp_invalid_micro.pcap":
    "a SYN's answer has 1,000,000 microseconds, which is no time",
  "captures/zeek/tls__chrome-1250-tls-x25519-kyber.pcap":
    "a handshake within one instant: tshark takes a trip of 0 for none, and measures to a later packet",
};
