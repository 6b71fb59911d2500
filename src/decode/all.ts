// SPDX-License-Identifier: AGPL-3.0-or-later
import { ah } from "./ah.ts";
import { arp } from "./arp.ts";
import { bittorrent } from "./bittorrent.ts";
import { ciscoHdlc } from "./cisco-hdlc.ts";
import { dccp } from "./dccp.ts";
import { dhcp } from "./dhcp.ts";
import { dhcpv6 } from "./dhcpv6.ts";
import { dns } from "./dns.ts";
import { dtls } from "./dtls.ts";
import { erspan } from "./erspan.ts";
import { esp } from "./esp.ts";
import { etherIp } from "./ether-ip.ts";
import { ethernet } from "./ethernet.ts";
import { etag, vntag } from "./fabric-tags.ts";
import { frameRelay } from "./frame-relay.ts";
import { ftp } from "./ftp.ts";
import { geneve } from "./geneve.ts";
import { gre } from "./gre.ts";
import { gtpU } from "./gtp-u.ts";
import { http } from "./http.ts";
import { http2 } from "./http2.ts";
import { icmp } from "./icmp.ts";
import { icmpv6 } from "./icmpv6.ts";
import { ieee80211 } from "./ieee80211.ts";
import { igmp } from "./igmp.ts";
import { imap } from "./imap.ts";
import { ipv4InIp, ipv6InIp } from "./ip-in-ip.ts";
import { ipv4 } from "./ipv4.ts";
import { ipv6 } from "./ipv6.ts";
import { kerberos } from "./kerberos.ts";
import { l2tp } from "./l2tp.ts";
import { ldap } from "./ldap.ts";
import { linuxSll } from "./linux-sll.ts";
import { linuxSll2 } from "./linux-sll2.ts";
import { llc } from "./llc.ts";
import { lldp } from "./lldp.ts";
import { llmnr } from "./llmnr.ts";
import { mdns } from "./mdns.ts";
import { modbus } from "./modbus.ts";
import { mpls } from "./mpls.ts";
import { mqtt } from "./mqtt.ts";
import { mysql } from "./mysql.ts";
import { nbns } from "./nbns.ts";
import { nflog } from "./nflog.ts";
import { nsh } from "./nsh.ts";
import { ntp } from "./ntp.ts";
import { nullLoopback } from "./null-loopback.ts";
import { pop3 } from "./pop3.ts";
import { postgresql } from "./postgresql.ts";
import { ppp, pppWithDirection } from "./ppp.ts";
import { pppoe } from "./pppoe.ts";
import { prism } from "./prism.ts";
import type { Protocol } from "./protocol.ts";
import { quic } from "./quic.ts";
import { radiotap } from "./radiotap.ts";
import { radius } from "./radius.ts";
import { rawIp } from "./raw-ip.ts";
import { rdp } from "./rdp.ts";
import { sctp } from "./sctp.ts";
import { sip } from "./sip.ts";
import { smb } from "./smb.ts";
import { smtp } from "./smtp.ts";
import { snmp } from "./snmp.ts";
import { ssdp } from "./ssdp.ts";
import { ssh } from "./ssh.ts";
import { stp } from "./stp.ts";
import { stun } from "./stun.ts";
import { syslog } from "./syslog.ts";
import { tcp } from "./tcp.ts";
import { telnet } from "./telnet.ts";
import { teredo } from "./teredo.ts";
import { tftp } from "./tftp.ts";
import { tls } from "./tls.ts";
import { udp } from "./udp.ts";
import { udpLite } from "./udp-lite.ts";
import { vlan } from "./vlan.ts";
import { vxlan } from "./vxlan.ts";
import { vxlanGpe } from "./vxlan-gpe.ts";
import { websocket } from "./websocket.ts";
import { wireguard } from "./wireguard.ts";

/** Every protocol the product decodes. Adding one: its file, and its name here. */
export const protocols: readonly Protocol[] = [
  ...[ethernet, llc, vlan, linuxSll, linuxSll2, rawIp, nullLoopback, nflog],
  ...[ppp, pppWithDirection, pppoe, ciscoHdlc, frameRelay, mpls],
  ...[ieee80211, radiotap, prism, etag, vntag, nsh, erspan],
  ...[arp, ipv4, ipv6, lldp, stp],
  ...[tcp, udp, icmp, icmpv6, igmp, sctp, udpLite, dccp, gre, esp, ah],
  ...[ipv4InIp, ipv6InIp, etherIp, vxlan, vxlanGpe, geneve, gtpU, teredo, l2tp],
  ...[dns, mdns, llmnr, nbns, dhcp, dhcpv6, ntp, snmp, syslog, ssdp],
  ...[tls, dtls, quic, http, http2, websocket, ssh, telnet, ftp, tftp, smtp, imap, pop3, smb, rdp],
  ...[ldap, kerberos, radius, mysql, postgresql],
  ...[mqtt, modbus, sip, stun, wireguard, bittorrent],
];
