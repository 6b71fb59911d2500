// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { DnsName } from "../../src/decode/dns-name.ts";
import { RegistrableDomains } from "../../src/decode/registrable-domain.ts";
import { bytes } from "./frames.ts";

function nameOf(...labels: readonly string[]): DnsName {
  const wire = Uint8Array.from(bytes(...labels.map((label) => bytes(label.length, label)), 0));
  const name = new DnsName();
  expect(name.read(new DataView(wire.buffer), 0, 0, wire.length)).toBe(wire.length);
  return name;
}

function domainOf(domains: RegistrableDomains, text: string): string {
  const name = nameOf(...text.split("."));
  return name.text(domains.startOf(name));
}

const DOMAINS: readonly (readonly [name: string, domain: string])[] = [
  ["www.example.com", "example.com"],
  ["example.com", "example.com"],
  ["com", "com"],
  ["a.b.c.example.co.uk", "example.co.uk"],
  ["co.uk", "co.uk"],
  ["x.nam.test", "nam.test"],
  ["bucket.s3.amazonaws.com", "bucket.s3.amazonaws.com"],
  ["a.bucket.s3.amazonaws.com", "bucket.s3.amazonaws.com"],
  ["other.s3.amazonaws.com", "other.s3.amazonaws.com"],
  ["x.foo.duckdns.org", "foo.duckdns.org"],
  ["x.bar.duckdns.org", "bar.duckdns.org"],
  ["a.www.ck", "www.ck"],
  ["a.b.ck", "a.b.ck"],
  ["x.a.b.ck", "a.b.ck"],
  ["_dns-sd._udp.example.org", "example.org"],
  ["www.xn--55qx5d.cn", "www.xn--55qx5d.cn"],
  ["-.example.com", "example.com"],
];

describe("registrable domains", () => {
  it("are found for new names and for names whose parent was asked about", () => {
    const domains = new RegistrableDomains();
    for (let round = 0; round < 3; round++) {
      for (const [name, domain] of DOMAINS) expect(domainOf(domains, name)).toBe(domain);
    }
  });

  it("are the same whether the list was asked or the parent was known", () => {
    const domains = new RegistrableDomains();
    for (const prefix of ["", "a.", "b.", "a.b.", "c.b.", "d.a.b."]) {
      for (const [name] of DOMAINS) {
        const fresh = domainOf(new RegistrableDomains(), prefix + name);
        expect(domainOf(domains, prefix + name), prefix + name).toBe(fresh);
      }
    }
  });

  it("take no part of a label for a label", () => {
    const domains = new RegistrableDomains();
    const name = nameOf("evil", "a.co.uk", "com");
    expect(name.text(domains.startOf(name))).toBe("a\\.co\\.uk.com");
    const binary = nameOf("\u0000\u0001", "\u00ff.", "example", "com");
    expect(binary.text(domains.startOf(binary))).toBe("example.com");
  });

  it("lie behind long labels as behind short ones", () => {
    const domains = new RegistrableDomains();
    const data = "d".repeat(63);
    expect(domainOf(domains, `${data}.${data}.example.co.uk`)).toBe("example.co.uk");
    expect(domainOf(domains, `${data}.co.uk`)).toBe(`${data}.co.uk`);
    expect(domainOf(domains, `x.${data}.co.uk`)).toBe(`${data}.co.uk`);
  });

  it("are the whole name where there is nothing to ask about", () => {
    const domains = new RegistrableDomains();
    expect(domains.startOf(new DnsName())).toBe(0);
    expect(domains.startOf(nameOf())).toBe(0);
    const longest = nameOf(...Array.from({ length: 127 }, () => "a"));
    expect(longest.text(domains.startOf(longest))).toBe("a.a");
  });
});
