// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { dga } from "../../src/detect/dga.ts";
import { nxdomainRatio, txtRatio } from "../../src/detect/dns-ratio.ts";
import { dnsTunnel } from "../../src/detect/dns-tunnel.ts";
import { oddness } from "../../src/detect/odd-names.ts";
import { DetectionBench, randomOf } from "../support/detection-bench.ts";
import { randomLabel } from "../support/gallery-covert.ts";
import { dnsDomainRow, dnsHostRow } from "../support/windows.ts";

const detectors = [dnsTunnel, dga, nxdomainRatio, txtRatio];
const bench = (): DetectionBench => new DetectionBench({ detectors });

interface Load {
  readonly domain?: string;
  /** Queries a tick, characters of each name, and bits of entropy. */
  readonly queries: number;
  readonly chars: number;
  readonly bits: number;
  readonly carriers?: number;
  /** Distinct names for each query. */
  readonly novelty?: number;
}

/** As many ticks of one client's queries, `every` seconds apart. */
function talk(ticks: number, load: Load, every = 1): DetectionBench {
  const { queries, novelty = 1 } = load;
  const run = bench();
  for (let at = 0; at < ticks; at++) {
    const all = Math.ceil(queries * novelty * (at + 1));
    const row = dnsDomainRow({
      domain: load.domain ?? "evil.test",
      queries,
      carrierQueries: queries * (load.carriers ?? 0),
      subdomainChars: queries * load.chars,
      entropyBits: queries * load.bits,
      subdomains: Math.min(all, Math.ceil((queries * novelty * 600) / every)),
      allSubdomains: all,
    });
    run.step({ rows: { dns_domains: [row] } });
    if (every > 1) run.run(every - 1);
  }
  return run;
}

describe("dns tunnel", () => {
  it("finds hexadecimal data, whose entropy is never above 4 bits", () => {
    const { events } = talk(5, { queries: 20, chars: 60, bits: 3.8 });
    expect(events).toMatchObject([
      {
        ...{ detector: "dns_tunnel", severity: "warning", observed: 60 },
        threshold: { value: 50, setting: "detectors.dns_tunnel.subdomains" },
        entity: { source: "10.0.0.5", domain: "evil.test" },
      },
    ]);
  });

  it("finds short names of a tunnel that polls for data with TXT queries", () => {
    const load = { queries: 2, chars: 18, bits: 3.2, carriers: 1 };
    expect(talk(60, load).events).toMatchObject([{ detector: "dns_tunnel" }]);
  });

  it("is critical when much is carried", () => {
    const { events } = talk(30, { queries: 50, chars: 100, bits: 4.5 });
    expect(events.at(-1)).toMatchObject({ severity: "critical" });
  });

  it("finds one query a minute within four hours", () => {
    const { events } = talk(240, { queries: 1, chars: 50, bits: 4.2 }, 60);
    expect(events[0]).toMatchObject({
      threshold: { value: 200, setting: "detectors.dns_tunnel.slow_subdomains" },
    });
  });

  it("says of short names that ask for addresses that they are worth knowing, and of a thousand more", () => {
    const { events } = talk(240, { queries: 5, chars: 13, bits: 3.1 });
    expect(events.map(({ severity }) => severity)).toEqual(["info", "warning"]);
    expect(events).toMatchObject([
      {
        observed: 100,
        threshold: { value: 100, setting: "detectors.dns_tunnel.short_subdomains" },
      },
      { observed: 1000 },
    ]);
  });

  it("says nothing of short names of a client that asks for much else", () => {
    const run = bench();
    run.run(120, (at) => ({
      rows: {
        dns_domains: [
          dnsDomainRow({
            ...{ domain: "cdn.test", queries: 5, subdomains: 5 * (at + 1) },
            ...{ subdomainChars: 65, entropyBits: 15.5 },
          }),
          ...Array.from({ length: 6 }, (_, site) =>
            dnsDomainRow({ domain: `site${(at * 6 + site) % 900}.test`, queries: 1 }),
          ),
        ],
      },
    }));
    expect(run.events).toEqual([]);
  });

  it.each([
    ["short names half of which repeat", { queries: 20, chars: 13, bits: 3.2, novelty: 0.6 }],
    ["short names of few letters", { queries: 20, chars: 13, bits: 2.8 }],
    ["very short names", { queries: 20, chars: 8, bits: 3 }],
    [
      "names of TXT queries that hold next to nothing",
      { queries: 2, chars: 6, bits: 2.9, carriers: 1 },
    ],
    ["short names of a cloud", { domain: "cloudfront.net", queries: 20, chars: 13, bits: 3.2 }],
    ["a content network", { queries: 40, chars: 14, bits: 3.1, novelty: 0.2 }],
    ["names that repeat", { queries: 40, chars: 40, bits: 4, novelty: 0.1 }],
    ["a block list", { domain: "spamhaus.org", queries: 40, chars: 36, bits: 3.2 }],
    ["an unknown block list", { domain: "dnsbl.test", queries: 40, chars: 11, bits: 2.7 }],
    ["a virus scanner", { domain: "sophosxl.net", queries: 40, chars: 60, bits: 4, carriers: 1 }],
    ["reverse look-ups", { domain: "8.e.f.ip6.arpa", queries: 40, chars: 32, bits: 3.3 }],
  ])("leaves %s alone", (_, load) => {
    expect(talk(120, load).events).toEqual([]);
  });
});

/** Missing domains, one a tick, beside answers of which a share is missing. */
function missing(names: (at: number) => string, ticks: number, ratio: number): DetectionBench {
  const run = bench();
  run.run(ticks, (at) => ({
    rows: {
      dns_domains: [dnsDomainRow({ domain: names(at), queries: 1, nxdomain: 1 })],
      dns_hosts: [dnsHostRow({ responses: 4, nxdomain: 4 * ratio })],
    },
  }));
  return run;
}

describe("generated domains", () => {
  it("are told from those that people choose by their letters", () => {
    const random = randomOf(1);
    const odd = Array.from({ length: 1000 }, () => oddness(randomLabel(random, 14)));
    expect(odd.filter((score) => score >= 4).length).toBeGreaterThan(900);
    for (const name of ["google", "wikipedia", "cloudflare", "volkswagen", "dienstleistungen"]) {
      expect(oddness(name)).toBeLessThan(4);
    }
    expect(Number.isFinite(oddness(""))).toBe(true);
  });

  it("are an alarm when many do not exist", () => {
    const random = randomOf(2);
    const { events } = missing(() => `${randomLabel(random, 14)}.com`, 20, 0.5);
    expect(events[0]).toMatchObject({ detector: "dga", severity: "warning", observed: 10 });
  });

  it("are no alarm where the client is answered otherwise", () => {
    const random = randomOf(2);
    expect(missing(() => `${randomLabel(random, 14)}.com`, 20, 0.1).events).toEqual([]);
  });

  it("are not what browsers probe, nor misspelt names, nor one that is asked again and again", () => {
    const random = randomOf(4);
    expect(missing(() => randomLabel(random, 10), 60, 0.5).events).toEqual([]);
    const words = ["gogle", "facebok", "wikipeda", "amazn", "exampel", "weather", "banking"];
    const misspelt = (at: number): string => `${words[at % 7]}${words[(at * 3 + 1) % 7]}.com`;
    expect(missing(misspelt, 60, 0.5).events).toEqual([]);
    expect(missing(() => "qzxkvwpjqz.com", 60, 0.5).events).toEqual([]);
  });

  it("are not the few odd ones among many misspelt ones", () => {
    const random = randomOf(5);
    const names = (at: number): string => (at % 5 === 0 ? randomLabel(random, 14) : ordinary(at));
    expect(missing((at) => `${names(at)}.com`, 60, 0.5).events).toEqual([]);
  });

  it("are not international names, nor those below domains whose names are made by machines", () => {
    const random = randomOf(6);
    expect(missing(() => `xn--${randomLabel(random, 14)}.com`, 60, 0.5).events).toEqual([]);
    expect(missing(() => `${randomLabel(random, 14)}.spamhaus.org`, 60, 0.5).events).toEqual([]);
  });

  it("may be made of words: a hundred that do not exist are worth knowing", () => {
    expect(missing((at) => `${ordinary(at)}.com`, 120, 0.5).events).toMatchObject([
      {
        ...{ detector: "dga", severity: "info", observed: 100 },
        threshold: { value: 100, setting: "detectors.dga.domains" },
      },
    ]);
  });

  it("are forgotten after ten minutes, and no more than 512 are counted in five", () => {
    const random = randomOf(7);
    const odd = () => ({
      dns_domains: [dnsDomainRow({ domain: `${randomLabel(random, 14)}.com`, nxdomain: 1 })],
      dns_hosts: [dnsHostRow({ responses: 4, nxdomain: 2 })],
    });
    const run = bench();
    run.run(9, () => ({ rows: odd() }));
    run.run(660);
    run.step({ rows: odd() });
    expect(run.events).toEqual([]);
    const many = bench();
    many.run(200, () => {
      const three = [odd(), odd(), odd()].flatMap(({ dns_domains }) => dns_domains);
      return { rows: { ...odd(), dns_domains: three } };
    });
    expect(many.engine.active()[0]?.evidence.join()).toContain("of 512 domains");
  });
});

/** One of 144 names that a person would choose. */
function ordinary(at: number): string {
  const words = ["garden", "water", "house", "mobile", "travel", "music"];
  const others = ["center", "market", "news", "online", "store", "world"];
  const number = at % 144;
  const pair = [words[number % 6], others[Math.floor(number / 6) % 6]];
  return (
    number < 36 ? pair : number < 72 ? pair.reverse() : [...pair, number < 108 ? "club" : "team"]
  ).join("");
}

describe("shares of DNS messages", () => {
  it.each([
    ["nxdomain_ratio", { responses: 10, nxdomain: 9 }],
    ["txt_ratio", { queries: 10, txtQueries: 8 }],
  ])("%s tells of a client whose messages are mostly of one kind", (detector, row) => {
    const run = bench();
    run.run(4, { rows: { dns_hosts: [dnsHostRow(row)] } });
    expect(run.events).toEqual([]);
    run.run(10, { rows: { dns_hosts: [dnsHostRow(row)] } });
    expect(run.events).toMatchObject([{ detector, severity: "info" }]);
  });

  it("is silent about few messages and about what is usual", () => {
    const run = bench();
    run.run(300, (at) => ({
      rows: { dns_hosts: at % 10 === 0 ? [dnsHostRow({ responses: 3, nxdomain: 3 })] : [] },
    }));
    run.run(300, { rows: { dns_hosts: [dnsHostRow({ responses: 10, nxdomain: 4 })] } });
    expect(run.events).toEqual([]);
  });

  it("is silent where so few messages may be of one kind by chance", () => {
    const run = bench();
    run.step({ rows: { dns_hosts: [dnsHostRow({ responses: 50, nxdomain: 33 })] } });
    expect(run.events).toEqual([]);
  });

  it("must be three times the client's own, which is not learned while packets are lost", () => {
    const eventsAfter = (dropped: number): readonly unknown[] => {
      const run = bench();
      const usual = { rows: { dns_hosts: [dnsHostRow({ responses: 10, nxdomain: 5 })] } };
      run.run(4000, {
        ...usual,
        capture: { dropped: { kernel: dropped, ring: 0, shed: 0, ipc: 0 } },
      });
      run.run(120, { rows: { dns_hosts: [dnsHostRow({ responses: 10, nxdomain: 8 })] } });
      return run.events;
    };
    expect(eventsAfter(0)).toEqual([]);
    expect(eventsAfter(500)).toMatchObject([{ detector: "nxdomain_ratio" }]);
  });
});
