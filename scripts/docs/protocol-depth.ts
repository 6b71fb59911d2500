// SPDX-License-Identifier: AGPL-3.0-or-later

/** What is read of protocols beyond their header, as docs/protocols.md says it. */
export const DEPTH: readonly (readonly [what: string, read: string])[] = [
  [
    "IPv4 and IPv6",
    "options and extension headers are walked; fragments are put together, 64 datagrams of each version at once and for 30 s, " +
      "in any order; datagrams whose fragments overlap are refused whole.",
  ],
  [
    "TCP",
    "handshakes and how they end, segments sent again, out of order or missing, shut windows, round trips of handshakes: the " +
      "`nam_tcp_` metrics and `nam_capture_gap_loss_ratio`.",
  ],
  [
    "DNS over UDP and TCP",
    "types, response codes, EDNS, names with their registrable domain by the public suffix list; queries are matched to responses " +
      "for latency and time-outs. Names are followed into earlier bytes only.",
  ],
  [
    "TLS and DTLS",
    "ClientHello and ServerHello over segments, records and fragments in any order, up to 16 KiB, 8 packets and 5 s: server name, " +
      "ALPN, versions, ECH, JA3, JA3S, JA4 (of DTLS the JA4 only); up to TLS 1.2 also whether certificates are valid and self-signed. " +
      "GREASE is left out.",
  ],
  [
    "QUIC v1, v2 and drafts from 23 on",
    "Initials are decrypted, also coalesced ones, CRYPTO frames split and shuffled over several Initials, and behind a Retry: " +
      "server name, ALPN, JA3, JA4.",
  ],
  ["SSH", "banners with the software of each side, HASSH and hasshServer."],
  [
    "HTTP/1.x, HTTP/2 and WebSocket in clear text",
    "messages by method and class of status, hosts, upgrades and CONNECT, followed over segments; header blocks of HTTP/2 are unpacked " +
      "(HPACK) with the 128 newest fields of each table. Bodies are read for MCP, A2A, ACP and language models in HTTP/1.x only.",
  ],
  [
    "Logins in clear text",
    "refused ones of FTP, Telnet, SMTP, IMAP, POP3, SMB, LDAP, Kerberos, RADIUS, MySQL, PostgreSQL and MQTT: " +
      "`nam_login_failures_total`.",
  ],
];

/** What is deliberately left out. */
export const LIMITS: readonly string[] = [
  "Tunnels over UDP are known by their port. Teredo between two clients, on ports of their own, stays UDP, and so does a tunnel on " +
    "another port than those above.",
  "Encrypted 802.11 frames, and parts of 802.11 frames, end at their link header; of an aggregate the first packet is read.",
  "Nothing is decrypted but the Initials of QUIC, whose keys anybody can derive. What is behind ESP, TLS, DTLS, SSH and WireGuard is not " +
    "looked at.",
  "Agents and language models are not looked for in HTTP/2 in clear text.",
  "A message of HTTP/1.x whose header comes in segments out of order is lost; a header line over 64 bytes that a segment cuts is not " +
    "read.",
  "Of the fingerprints of the JA4 family there is only JA4 of clients: the others are under a licence that this project cannot take.",
];
