// SPDX-License-Identifier: AGPL-3.0-or-later
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { certificate, certificateMessage } from "../../scripts/fixtures/certificate.ts";
import { CertificateReader } from "../../src/decode/certificate.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes, frameOf, handshakeRecord, hex, tcpFrame } from "./frames.ts";

const VALID = { notBefore: "20200101000000Z", notAfter: "20300101000000Z" };
const FIELDS = { ...VALID, subject: "WWW.example.com", issuer: "Example CA" };

function read(content: Bytes) {
  const memory = Uint8Array.from(content);
  const reader = new CertificateReader();
  return reader.read(new DataView(memory.buffer), 0, memory.length) ? reader.certificate : null;
}

describe("a certificate", () => {
  it("tells its names and its times", () => {
    const names = ["www.example.com", "*.Example.org"];
    expect(read(certificate({ ...FIELDS, names }))).toEqual({
      notBefore: Date.UTC(2020, 0, 1) / 1000,
      notAfter: Date.UTC(2030, 0, 1) / 1000,
      isSelfIssued: false,
      commonName: "www.example.com",
      names: ["www.example.com", "*.example.org"],
    });
  });

  it("may be valid beyond 2049, which is written otherwise", () => {
    const { notAfter } = read(certificate({ ...FIELDS, notAfter: "99991231235959Z" })) ?? {};
    expect(notAfter).toBe(Date.UTC(9999, 11, 31, 23, 59, 59) / 1000);
  });

  it("is self-issued where subject and issuer are the same", () => {
    expect(read(certificate({ ...FIELDS, issuer: FIELDS.subject }))?.isSelfIssued).toBe(true);
  });

  it("keeps no more than sixteen names", () => {
    const names = Array.from({ length: 40 }, (_, i) => `n${i}.example`);
    expect(read(certificate({ ...FIELDS, names }))?.names).toEqual(names.slice(0, 16));
  });

  it("is read as OpenSSL reads it", () => {
    const made = certificate({ ...FIELDS, names: ["a.example"] });
    // The filler key is none, which OpenSSL finds out only when it is asked for.
    const theirs = new X509Certificate(made);
    const ours = read(made);
    expect(Date.parse(theirs.validTo) / 1000).toBe(ours?.notAfter);
    expect(theirs.subject).toContain("WWW.example.com");
    expect(theirs.subjectAltName).toBe(`DNS:${ours?.names[0]}`);
  });

  it("that is damaged throws nothing and reads nothing outside", () => {
    const made = certificate({ ...FIELDS, names: ["a.example", "b.example"] });
    const edits = fc.array(fc.tuple(fc.nat(made.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.nat(made.length), (changes, length) => {
        const content = Uint8Array.from(made.subarray(0, length));
        for (const [at, value] of changes) if (at < length) content[at] = value;
        read(content);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("a Certificate message", () => {
  const hello = bytes(hex("02 000026 0303"), new Uint8Array(32), hex("00 c02f 00"));

  function taken(payload: Bytes): FlowDecoding {
    const decoding = new FlowDecoding();
    decoding.take(frameOf(tcpFrame({ sourcePort: 443, sequence: 1, payload })));
    return decoding;
  }

  it.each([
    ["valid", "no", certificate(FIELDS)],
    ["valid", "yes", certificate({ ...FIELDS, issuer: FIELDS.subject })],
    ["expired", "no", certificate({ ...FIELDS, notAfter: "20230101000000Z" })],
    ["not_yet_valid", "no", certificate({ ...FIELDS, notBefore: "20290101000000Z" })],
    ["unreadable", "no", Buffer.from("nothing of the kind")],
  ])("counts its certificate as %s, self-signed %s", (validity, selfSigned, content) => {
    const records = handshakeRecord(bytes(hello, certificateMessage(content)));
    const decoding = taken(records);
    const labels = { validity, self_signed: selfSigned };
    expect(decoding.packet.fault).toBe(0);
    expect(decoding.value("nam_tls_certificates_total", labels)).toBe(1);
    expect(decoding.packet.facts.certificate).toMatchObject({
      packet: decoding.packet.number,
      validity,
    });
  });

  it("may hold no certificate", () => {
    const decoding = taken(handshakeRecord(bytes(hello, hex("0b 000003 000000"))));
    expect(decoding.packet.fault).toBe(0);
    expect(decoding.value("nam_tls_certificates_total")).toBe(0);
  });

  it("may lie about the length of its first certificate", () => {
    const decoding = taken(handshakeRecord(bytes(hello, hex("0b 000007 000004 0000ff 30"))));
    const labels = { validity: "unreadable" };
    expect(decoding.value("nam_tls_certificates_total", labels)).toBe(1);
  });
});
