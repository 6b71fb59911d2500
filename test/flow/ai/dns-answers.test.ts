// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { DnsMessage } from "../../../src/decode/dns-message.ts";
import { emptyPacket, type Packet } from "../../../src/decode/packet.ts";
import { DnsAnswers, NO_NAME } from "../../../src/flow/ai/dns-answers.ts";
import { AiProviders } from "../../../src/flow/ai/providers.ts";
import { bytes, dnsMessage, u16, u32 } from "../../decode/frames.ts";
import { type End, Protocol, setPacket, v4, v6 } from "../../support/packets.ts";

const CLIENT = v4("10.0.0.5", 40_000);
const OTHER_CLIENT = v4("10.0.0.6", 40_000);
const RESOLVER = v4("10.0.0.1", 53);
const SERVER = v4("203.0.113.4", 443);
const SECOND_MS = 1000;
const T0 = 1_700_000_000_000;
const RESPONSE = 0x8180;
const [A, AAAA] = [1, 28];

interface Answer {
  readonly to?: End;
  readonly addresses?: readonly End[];
  readonly seconds?: number;
  readonly isAsked?: boolean;
}

class Bench {
  readonly providers = new AiProviders();
  evicted = 0;
  readonly answers = new DnsAnswers(this.providers, 3, (count) => {
    this.evicted += count;
  });

  /** A resolver's answer to a client; with `isAsked: false` one that nobody asked for. */
  answer(timeMs: number, name: string, options: Answer = {}): void {
    const { to = CLIENT, addresses = [SERVER], seconds = 300, isAsked = true } = options;
    const records = addresses.map((address) => recordOf(address, seconds));
    const tail = bytes(...records);
    const labels = name.split(".");
    const content = dnsMessage({ flags: RESPONSE, labels, answers: records.length, tail });
    const message = new DnsMessage();
    const memory = Uint8Array.from(Buffer.from(content));
    message.read(new DataView(memory.buffer), 0, memory.length, memory.length, false);
    const facts = { packet: 0, count: 1, messages: [message], domainAt: () => 0 };
    const packet = emptyPacket({ dns: facts });
    setPacket(packet, RESOLVER, to, { ipProtocol: Protocol.UDP, payload: memory.length });
    packet.flowSide = isAsked ? 1 : 0;
    facts.packet = packet.number;
    this.answers.onPacket(packet, timeMs);
  }

  /** What the answers make of a first packet from the client to an address. */
  find(timeMs: number, to = SERVER, from = CLIENT): string {
    const row = this.answers.find(packetOf(from, to), timeMs);
    if (row === NO_NAME) return "no name";
    return row < 0 ? "none" : this.providers.provider(row);
  }
}

function packetOf(from: End, to: End): Packet {
  return setPacket(emptyPacket({}), from, to, { ipProtocol: Protocol.TCP });
}

/** A record with a pointer to the question's name. */
function recordOf({ words }: End, seconds: number): Uint8Array {
  const isV4 = words[2] === 0xffff;
  const data = isV4 ? u32(words[3]) : bytes(...words.map((word) => u32(word)));
  const head = bytes(u16(0xc00c), u16(isV4 ? A : AAAA), u16(1), u32(seconds));
  return bytes(head, u16(data.length), data);
}

describe("an answer of DNS", () => {
  it("names the address for the client that asked, and for nobody else", () => {
    const bench = new Bench();
    bench.answer(T0, "api.openai.com", { addresses: [SERVER, v6(7)] });
    expect(bench.find(T0)).toBe("openai");
    expect(bench.find(T0, v6(7))).toBe("openai");
    expect(bench.find(T0, v4("203.0.113.5"))).toBe("no name");
    expect(bench.find(T0, SERVER, OTHER_CLIENT)).toBe("no name");
  });

  it("is not believed where no query was seen", () => {
    const bench = new Bench();
    bench.answer(T0, "api.openai.com", { isAsked: false });
    expect(bench.find(T0)).toBe("no name");
    expect(bench.answers.size).toBe(0);
  });

  it("says too that a name is no AI's", () => {
    const bench = new Bench();
    bench.answer(T0, "www.example.com");
    expect(bench.find(T0)).toBe("none");
  });

  it("names nothing where two names led the client to the address, until both are over", () => {
    const bench = new Bench();
    bench.answer(T0, "api.openai.com");
    bench.answer(T0 + SECOND_MS, "images.example.com", { seconds: 600 });
    expect(bench.find(T0 + 2 * SECOND_MS)).toBe("no name");
    bench.answer(T0 + 3 * SECOND_MS, "api.openai.com");
    expect(bench.find(T0 + 4 * SECOND_MS)).toBe("no name");
    bench.answer(T0 + 700 * SECOND_MS, "api.openai.com");
    expect(bench.find(T0 + 700 * SECOND_MS)).toBe("openai");
  });

  it("goes on where the same name is asked for again", () => {
    const bench = new Bench();
    bench.answer(T0, "api.openai.com", { seconds: 100 });
    bench.answer(T0 + 90 * SECOND_MS, "API.openai.com", { seconds: 100 });
    expect(bench.find(T0 + 180 * SECOND_MS)).toBe("openai");
  });

  it.each([
    ["0 seconds count for a minute", 0, 59, 60],
    ["a usual time counts as it is", 300, 299, 300],
    ["days count for an hour", 200_000, 3599, 3600],
    ["the largest number counts for an hour", 0xffffffff, 3599, 3600],
  ])("%s", (_, seconds, lastly, over) => {
    const bench = new Bench();
    bench.answer(T0, "api.openai.com", { seconds });
    expect(bench.find(T0 + lastly * SECOND_MS)).toBe("openai");
    expect(bench.find(T0 + over * SECOND_MS)).toBe("no name");
  });

  it("makes room for others, and that is counted", () => {
    const bench = new Bench();
    for (let host = 0; host < 100_000; host++) {
      const address: End = { words: [0, 0, 0xffff, host], port: 443 };
      bench.answer(T0 + host, `h${host}.example.com`, { addresses: [address] });
    }
    expect(bench.answers.size).toBeLessThanOrEqual(32_768);
    expect(bench.evicted).toBeGreaterThan(60_000);
  });
});
