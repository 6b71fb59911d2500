// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { emptyPacket, type Packet, type PacketFacts } from "../../../src/decode/packet.ts";
import { type DnsAnswers, NO_NAME } from "../../../src/flow/ai/dns-answers.ts";
import { EVIDENCE, FlowNames } from "../../../src/flow/ai/flow-names.ts";
import { AiProviders } from "../../../src/flow/ai/providers.ts";
import { Decoding } from "../../decode/decoding.ts";
import {
  type Bytes,
  clientHello,
  handshakeRecord,
  hex,
  serverName,
  tcpFrame,
} from "../../decode/frames.ts";

const SLOTS = 64;
const FLOW = 9;
const NO_ROW = -1;

type Hello = NonNullable<PacketFacts["hello"]>;
type Http = NonNullable<PacketFacts["http"]>;
type ServerHello = NonNullable<PacketFacts["serverHello"]>;

class Bench {
  readonly providers = new AiProviders();
  /** What DNS says of any flow. */
  known: number = NO_NAME;
  readonly names: FlowNames;
  /** What a listener was told: `named` or `answered`, with what it could read then. */
  readonly told: string[] = [];

  constructor() {
    const answers = { find: () => this.known } as unknown as DnsAnswers;
    this.names = new FlowNames(this.providers, answers, SLOTS);
    this.names.listen({
      onNamed: ({ flow }) => {
        const { isFirst, isRenamed } = this.names;
        this.told.push(
          `named${isFirst ? " first" : ""}${isRenamed ? " again" : ""} ${this.of(flow)}`,
        );
      },
      onAnswered: () => this.told.push("answered"),
    });
  }

  hello(parts: Partial<Hello>, side = 0): void {
    const facts: Hello = {
      ...{ packet: 0, transport: "tcp", version: "1.3", sni: "", alpn: "", ja3: "", ja4: "" },
      ...{ family: "python", ech: false, resumes: false },
      ...parts,
    };
    this.#put({ hello: facts }, side);
  }

  serverHello(isRetry = false): void {
    const facts: ServerHello = {
      ...{ packet: 0, transport: "tcp", version: "1.3", cipher: 0x1301, ja3s: "", isRetry },
    };
    this.#put({ serverHello: facts }, 1);
  }

  request(host: string | null, parts: Partial<Http> = {}, side = 0): void {
    const facts: Http = {
      ...{ packet: 0, requests: 1, responses: 0, method: 0, status: -1, fields: 0 },
      ...{ headerOpen: false, responseRest: -1, bodyPending: false, connectFamily: "" },
      ...{ host: () => host, ...parts },
    };
    this.#put({ http: facts }, side);
  }

  /** Provider and evidence of a flow. */
  of(slot = FLOW): string {
    const row = this.names.row(slot);
    const provider = row === NO_ROW ? "none" : this.names.provider(row);
    return `${provider} by ${EVIDENCE[this.names.evidence(slot)]}`;
  }

  #put(facts: PacketFacts, flowSide: number): Packet {
    const packet = Object.assign(emptyPacket(facts), { flow: FLOW, flowSide });
    this.names.onPacket(packet, 1000);
    return packet;
  }
}

/** What the decoder tells of a ClientHello, with the configuration that is shipped. */
function decoded(sni: string, ech: boolean): Hello {
  const { config } = loadConfig({ env: {}, flags: [] });
  const decoding = new Decoding([], config.tls.ech_public_names);
  const extensions: [number, Bytes][] = [[0, serverName(sni)]];
  if (ech) extensions.push([0xfe0d, hex("00")]);
  decoding.takeBytes(tcpFrame({ payload: handshakeRecord(clientHello({ extensions })) }));
  const { hello } = decoding.packet.facts;
  if (hello === undefined) throw new Error("no hello was decoded");
  return { ...hello, packet: 0 };
}

describe("the name of a flow", () => {
  it("is nothing before anything was seen in it, and nothing again when another begins in its slot", () => {
    const bench = new Bench();
    expect(bench.of()).toBe("none by none");
    expect([bench.names.isKnown(FLOW), bench.names.hasHello(FLOW)]).toEqual([false, false]);
    bench.hello({ sni: "api.openai.com" });
    expect([bench.names.isKnown(FLOW), bench.names.hasHello(FLOW)]).toEqual([true, true]);
    expect(bench.names.family(FLOW)).toBe("python");
    expect(bench.of(FLOW + 1)).toBe("none by none");
    bench.names.forget(FLOW);
    expect(bench.of()).toBe("none by none");
    expect([bench.names.isKnown(FLOW), bench.names.family(FLOW)]).toEqual([false, ""]);
  });

  it.each<[string, Partial<Hello>, string]>([
    ["the server name of TLS", { sni: "api.openai.com" }, "openai by sni"],
    ["that of QUIC", { sni: "gemini.google.com", transport: "quic" }, "google_gemini by quic_sni"],
    ["a name of others", { sni: "notopenai.com" }, "none by sni"],
    ["none at all", {}, "none by none"],
    ["one behind ECH", { ech: true }, "none by ech"],
    // GREASE looks like ECH: a name that is not configured as an outer one is the server's own.
    ["one beside ECH", { ech: true, sni: "api.openai.com" }, "openai by sni"],
  ])("is %s", (_, hello, wanted) => {
    const bench = new Bench();
    bench.hello(hello);
    expect(bench.of()).toBe(wanted);
    expect(bench.told).toEqual([`named first ${wanted}`]);
  });

  it.each<[string, { sni: string; ech: boolean }, string]>([
    ["is nobody's, and said to be hidden", { sni: "Cloudflare-ECH.com", ech: true }, "none by ech"],
    ["is the server's own without ECH", { sni: "cloudflare-ech.com", ech: false }, "none by sni"],
    [
      "which is not configured as one is the server's own",
      { sni: "api.openai.com", ech: true },
      "openai by sni",
    ],
  ])("under the public name of Cloudflare's sites %s", (_, { sni, ech }, wanted) => {
    const bench = new Bench();
    bench.hello(decoded(sni, ech));
    expect(bench.of()).toBe(wanted);
    bench.names.forget(FLOW);
    bench.known = bench.providers.find("api.x.ai");
    bench.hello(decoded(sni, ech));
    expect(bench.of()).toBe(wanted === "none by ech" ? "xai by dns" : wanted);
  });

  it("comes from DNS only where the flow does not tell one", () => {
    const bench = new Bench();
    bench.known = bench.providers.find("api.groq.com");
    bench.hello({});
    expect(bench.of()).toBe("groq by dns");
    bench.names.forget(FLOW);
    bench.hello({ ech: true });
    expect(bench.of()).toBe("groq by dns");
    bench.names.forget(FLOW);
    bench.request("203.0.113.4:8000");
    expect(bench.of()).toBe("groq by dns");
    bench.names.forget(FLOW);
    bench.hello({ sni: "www.example.com" });
    expect(bench.of()).toBe("none by sni");
  });

  it("is known to be no AI's where DNS says so", () => {
    const bench = new Bench();
    bench.known = NO_ROW;
    bench.hello({});
    expect(bench.of()).toBe("none by dns");
  });

  it.each<[string, string | null, string]>([
    ["with a port", "api.mistral.ai:80", "mistral by http_host"],
    ["in capitals, as an absolute name", "API.Mistral.AI.", "mistral by http_host"],
    ["of others", "www.example.com", "none by http_host"],
    ["that is an IPv4 address", "203.0.113.4", "none by none"],
    ["that is an IPv6 address", "[2001:db8::7]:8080", "none by none"],
    ["that is missing", null, "none by none"],
  ])("is that of the Host field %s", (_, host, wanted) => {
    const bench = new Bench();
    bench.request(host);
    expect(bench.of()).toBe(wanted);
  });

  it("is that of the first request, whatever comes after it", () => {
    const bench = new Bench();
    bench.request("www.example.com");
    bench.request("api.mistral.ai");
    expect(bench.of()).toBe("none by http_host");
    expect(bench.told).toHaveLength(1);
  });

  it("waits for the Host field of a request whose header spans segments, and does not listen to servers", () => {
    const bench = new Bench();
    bench.request(null, { requests: 0, headerOpen: true });
    bench.request("api.mistral.ai", {}, 1);
    expect(bench.told).toEqual([]);
    bench.request("api.mistral.ai");
    expect(bench.of()).toBe("mistral by http_host");
  });

  it("is bettered by the hello behind a CONNECT, and told as another's only where it is", () => {
    const bench = new Bench();
    bench.request("api.anthropic.com:443");
    bench.hello({ sni: "api.anthropic.com" });
    expect(bench.told).toEqual(["named first anthropic by http_host", "named anthropic by sni"]);
    bench.names.forget(FLOW);
    bench.request("proxy.example.com");
    bench.hello({ sni: "api.x.ai" });
    expect(bench.told.slice(2)).toEqual([
      "named first none by http_host",
      "named again xai by sni",
    ]);
  });

  it("stays that of the request where the hello behind a CONNECT has none; the client's family is told", () => {
    const bench = new Bench();
    bench.request("api.anthropic.com:443");
    bench.hello({ family: "go" });
    expect(bench.of()).toBe("anthropic by http_host");
    expect(bench.names.family(FLOW)).toBe("go");
    expect(bench.names.hasHello(FLOW)).toBe(true);
  });

  it("stays when a flow greets again", () => {
    const bench = new Bench();
    bench.hello({ sni: "api.openai.com" });
    bench.hello({ sni: "www.example.com", family: "go" });
    expect(bench.of()).toBe("openai by sni");
    expect(bench.names.family(FLOW)).toBe("python");
    expect(bench.told).toHaveLength(1);
  });
});

describe("the ends of a named flow", () => {
  it("are turned where the one who greets is what the flow table calls the server", () => {
    const bench = new Bench();
    bench.hello({ sni: "api.openai.com" }, 1);
    expect(bench.names.clientSide(FLOW)).toBe(1);
    bench.names.forget(FLOW);
    bench.hello({ sni: "api.openai.com" });
    expect(bench.names.clientSide(FLOW)).toBe(0);
  });

  it("are told of an answer to a hello, not of a retry, nor of one whose hello was not seen", () => {
    const bench = new Bench();
    bench.serverHello();
    bench.hello({ sni: "api.openai.com" });
    bench.serverHello(true);
    expect(bench.told).toEqual(["named first openai by sni"]);
    bench.serverHello();
    expect(bench.told.slice(1)).toEqual(["answered"]);
  });

  it("keep their families apart, as many as the decoder knows", () => {
    const bench = new Bench();
    const families = ["python", "node", "go", "curl", "java", "deno", "chromium", "firefox"];
    for (const family of [...families, "safari", "other"]) {
      bench.names.forget(FLOW);
      bench.hello({ family });
      expect(bench.names.familyName(bench.names.familyNumber(FLOW))).toBe(family);
    }
  });
});
