// SPDX-License-Identifier: AGPL-3.0-or-later

// Every word of pcap-filter(7) that is not a name to be looked up.
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "and or not src dst ra ta addr1 addr2 addr3 addr4 host net mask port portrange less greater proto protochain " +
    "gateway broadcast multicast inbound outbound ifindex ifname rnr rulenum reason action rset ruleset srnr subrulenum " +
    "type subtype dir direction vlan mpls pppoed pppoes geneve len length byte " +
    "ether link ppp slip fddi tr wlan arp rarp ip sctp tcp udp icmp igmp igrp pim vrrp carp ip6 icmp6 ah esp " +
    "atalk aarp decnet lat sca moprc mopdl iso esis es-is isis is-is clnp stp ipx netbeui atm lane llc oam oamf4 " +
    "oamf4ec oamf4sc oamf4e oamf4s vpi vci metac bcc sc ilmic l1 l2 iih lsp snp csnp psnp radio mtp2 fisu lssu " +
    "lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls " +
    "mgt ctl data assoc-req assoc-resp reassoc-req reassoc-resp probe-req probe-resp beacon atim disassoc auth deauth " +
    "ps-poll rts cts ack cf-end cf-end-ack nods tods fromds dstods " +
    "tcpflags tcp-fin tcp-syn tcp-rst tcp-push tcp-ack tcp-urg tcp-ece tcp-cwr icmptype icmpcode icmp6type icmp6code"
  ).split(" "),
);

const ICMP_CONSTANT = /^icmp6?-[a-z0-9]+$/;
const NUMBER_OR_RANGE = /^(0x[0-9a-f]+|\d+)(-(0x[0-9a-f]+|\d+))?$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){1,3}$/;
const IPV6_OR_MAC = /^[0-9a-f.]*:[0-9a-f:.]*$/;
const OTHER_MAC = /^([0-9a-f]{2}[-.]){5}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/;
const NOT_NAMES = [ICMP_CONSTANT, NUMBER_OR_RANGE, IPV4, IPV6_OR_MAC, OTHER_MAC];

const WORD = /[\w\\:][\w.:\\-]*/g;

// Names after these are looked up in the system's own tables, /etc/services and /etc/protocols.
const LOCAL_TABLE = new Set(["port", "portrange", "proto", "protochain"]);

/** The words of a filter in tcpdump's syntax that libpcap would look up as names of hosts or networks. */
export function namesToLookUp(filter: string): readonly string[] {
  const words = filter.toLowerCase().match(WORD) ?? [];
  return words.filter(
    (word, index) =>
      !KEYWORDS.has(word) &&
      !LOCAL_TABLE.has(words[index - 1] ?? "") &&
      !NOT_NAMES.some((pattern) => pattern.test(word)),
  );
}
