// SPDX-License-Identifier: AGPL-3.0-or-later
// What the decoders count in fixture captures, beyond the packets that the golden reports hold.
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../support/project.ts";
import { readCapture } from "./captures.ts";
import type { Counts } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";

const EXPECTED: Readonly<Record<string, Readonly<Record<string, Counts>>>> = {
  "http.pcap": {
    nam_http_requests_total: { get: 5, head: 1, connect: 1, other: 1 },
    nam_http_responses_total: { "1xx": 2, "2xx": 4, "4xx": 1, "5xx": 1 },
    nam_http2_frames_total: { settings: 2 },
  },
  "http2.pcap": {
    nam_http_requests_total: { get: 5, post: 1, delete: 1, other: 1 },
    nam_http_responses_total: { "2xx": 6, "4xx": 1, "5xx": 1 },
    nam_http2_frames_total: { headers: 16, data: 10, settings: 4, other: 4 },
    nam_http2_headers_unread_total: {},
  },
  "mail-and-files.pcap": {
    nam_login_failures_total: { ftp: 1, imap: 1, pop3: 1, smtp: 1, telnet: 1 },
  },
  "services.pcap": {
    nam_login_failures_total: { kerberos: 1, ldap: 1, mqtt: 1, mysql: 1, smb: 1 },
    nam_smb_negotiations_total: { "3.1.1": 1 },
    nam_rdp_connections_total: { request: 1, confirm: 1 },
  },
  "datagrams.pcap": {
    nam_dhcp_messages_total: { discover: 1, offer: 1, request: 1, ack: 1 },
    nam_dhcpv6_messages_total: { solicit: 1 },
    nam_ntp_messages_total: { client: 1, server: 1, private: 2 },
    nam_snmp_messages_total: { "2c": 2 },
    nam_sip_requests_total: { register: 1, invite: 1 },
    nam_sip_responses_total: { "1xx": 1, "4xx": 1 },
    nam_login_failures_total: { radius: 1 },
  },
};

it.each(Object.entries(EXPECTED))("%s", async (name, families) => {
  const decoding = new FlowDecoding();
  await readCapture(join(root, "test/fixtures/pcap", name), (frame) => decoding.take(frame));
  const found = Object.keys(families).map((metric) => [metric, decoding.series(metric)]);
  expect(Object.fromEntries(found)).toEqual(families);
  expect(decoding.value("nam_frame_errors_total")).toBe(0);
});
