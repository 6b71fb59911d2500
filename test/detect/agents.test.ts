// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { AgentServers } from "../../src/agent-servers.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { UnguardedServers } from "../../src/detect/unguarded-servers.ts";
import type { TrackerRows } from "../../src/flow/window.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { scopeOf } from "../../src/util/address-scope.ts";
import { pairRow } from "../support/attack-rows.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { agentTalkRow, metadataAskRow } from "../support/gallery-agents.ts";
import { aiAgentRow } from "../support/gallery-ai.ts";
import { makeWindow, START_MS } from "../support/windows.ts";

const PUBLIC = "198.51.100.9";

function told(events: readonly Anomaly[], detector: string): string[] {
  return events
    .filter((event) => event.detector === detector)
    .map(({ entity, severity, state }) => `${state} ${severity} ${entity.key}`);
}

function talks(...rows: ReturnType<typeof agentTalkRow>[]): Step {
  return { rows: { agent_talks: rows } };
}

describe("scopes of addresses", () => {
  it.each([
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["10.1.2.3", "private"],
    ["169.254.169.254", "private"],
    ["100.64.0.1", "private"],
    ["fe80::1", "private"],
    ["fd00::1", "private"],
    ["8.8.8.8", "public"],
    ["198.51.100.9", "public"],
    ["2606:4700::1", "public"],
    ["", "private"],
  ])("%s is %s", (address, scope) => {
    expect(scopeOf(address)).toBe(scope);
  });
});

describe("ai_direct_ip", () => {
  it("tells of public addresses only, and of success only", () => {
    const bench = new DetectionBench();
    bench.step(
      talks(
        agentTalkRow({ server: "8.8.8.8", messages: 1 }),
        agentTalkRow({ server: "10.0.0.80", messages: 1, toAddress: 1 }),
        agentTalkRow({ server: "172.16.0.9", messages: 1, toAddress: 1 }),
      ),
    );
    expect(told(bench.events, "ai_direct_ip")).toEqual([]);
    bench.step(talks(agentTalkRow({ server: "8.8.8.8", messages: 1, toAddress: 1 })));
    expect(told(bench.events, "ai_direct_ip")).toEqual(["open warning 10.0.0.5 8.8.8.8 8000"]);
  });

  it("knows the public addresses of the own network", () => {
    const bench = new DetectionBench({ context: { isHome: (address) => address === "8.8.8.8" } });
    bench.step(talks(agentTalkRow({ server: "8.8.8.8", messages: 1, toAddress: 1 })));
    expect(told(bench.events, "ai_direct_ip")).toEqual([]);
  });
});

describe("ai_server_exposed", () => {
  const key = "10.0.0.80:8000 mcp_stream";

  it("is a warning within the network, critical from outside, and nothing on the host itself", () => {
    const bench = new DetectionBench();
    bench.step(talks(agentTalkRow({ client: "127.0.0.1", server: "127.0.0.1", open: 5 })));
    bench.step(talks(agentTalkRow({ client: "10.0.0.80", open: 5 })));
    expect(told(bench.events, "ai_server_exposed")).toEqual([]);
    bench.step(talks(agentTalkRow({ open: 1 })));
    expect(told(bench.events, "ai_server_exposed")).toEqual([`open warning ${key}`]);
    bench.step(talks(agentTalkRow({ client: "8.8.8.8", open: 1 })));
    expect(told(bench.events, "ai_server_exposed").at(-1)).toBe(`update critical ${key}`);
  });

  it("stays what it is for the client that is farthest away, and knows the own network's public ones", () => {
    const own = "8.8.4.4";
    const servers = new UnguardedServers((address) => address === own, 3600);
    const asked = (client: string, timeMs: number): object[] =>
      servers.update([agentTalkRow({ client, open: 1 })], timeMs);
    expect(asked(own, 1)).toMatchObject([{ exposure: "private", client: own }]);
    expect(asked("8.8.8.8", 2)).toMatchObject([{ exposure: "public", client: "8.8.8.8" }]);
    expect(asked("10.0.0.5", 3)).toMatchObject([{ exposure: "public", requests: 3, lastMs: 3 }]);
  });

  it("is not a server that asks, refuses, answers errors, or is somebody else's", () => {
    const bench = new DetectionBench();
    bench.step(
      talks(
        agentTalkRow({ granted: 9 }),
        agentTalkRow({ port: 1, denied: 9 }),
        agentTalkRow({ port: 2, open: 2, errors: 2 }),
        agentTalkRow({ server: "8.8.8.8", open: 9 }),
      ),
    );
    expect(told(bench.events, "ai_server_exposed")).toEqual([]);
  });

  it("stays until it has not happened for an hour, and ends when somebody is refused", () => {
    const bench = new DetectionBench();
    bench.step(talks(agentTalkRow({ open: 1 })));
    bench.run(60);
    expect(told(bench.events, "ai_server_exposed")).not.toContain(`resolved warning ${key}`);
    bench.step(talks(agentTalkRow({ denied: 1 })));
    bench.run(11);
    expect(told(bench.events, "ai_server_exposed").at(-1)).toBe(`resolved warning ${key}`);
    bench.step(talks(agentTalkRow({ open: 1 })));
    bench.run(3600 + 11);
    expect(told(bench.events, "ai_server_exposed").at(-1)).toBe(`resolved warning ${key}`);
  });

  it("is counted in a gauge, at zero before", async () => {
    const registry = new MetricsRegistry();
    const servers = new AgentServers(registry, (address) => address.startsWith("10."));
    const series = async (): Promise<Record<string, number>> => {
      const { body } = await registry.text(false);
      const lines = body.split("\n").filter((line) => line.startsWith("nam_agent_server_un"));
      expect(lines).toHaveLength(24);
      return Object.fromEntries(
        lines
          .map((line) => line.split(" ") as [string, string])
          .filter(([, value]) => value !== "0")
          .map(([name, value]) => [name.replace(/.*\{|\}/g, ""), Number(value)]),
      );
    };
    expect(await series()).toEqual({});
    const accept = (rows: ReturnType<typeof agentTalkRow>[], at: number): void =>
      servers.accept(makeWindow({ startMs: START_MS + at * 1000, rows: { agent_talks: rows } }));
    accept([agentTalkRow({ open: 1 }), agentTalkRow({ client: "10.0.0.6", open: 1 })], 0);
    accept([agentTalkRow({ port: 1, client: "8.8.8.8", open: 1, protocol: "ollama" })], 1);
    expect(await series()).toEqual({
      'protocol="mcp_stream",exposure="private"': 1,
      'protocol="ollama",exposure="public"': 1,
    });
    accept([agentTalkRow({ denied: 1 })], 2);
    expect(await series()).toEqual({ 'protocol="ollama",exposure="public"': 1 });
  });
});

describe("ai_lateral", () => {
  const settings = { ai_lateral: { learn_seconds: 10 } };

  it("tells of new talks within the network once they are learned, and once", () => {
    const bench = new DetectionBench({ settings });
    bench.run(11, talks(agentTalkRow({ messages: 1 })));
    const news = talks(
      agentTalkRow({ messages: 1 }),
      agentTalkRow({ messages: 1, protocol: "a2a" }),
      agentTalkRow({ messages: 1, server: PUBLIC }),
      agentTalkRow({ messages: 0, protocol: "acp" }),
      agentTalkRow({ messages: 1, protocol: "ollama", client: "10.0.0.80" }),
      agentTalkRow({ messages: 1, client: "127.0.0.1", server: "127.0.0.1" }),
    );
    bench.step(news);
    bench.run(90, news);
    expect(told(bench.events, "ai_lateral")).toEqual([
      "open info 10.0.0.5 10.0.0.80 a2a",
      "resolved info 10.0.0.5 10.0.0.80 a2a",
    ]);
  });

  const reach = (at: number): Partial<TrackerRows> => ({
    pairs: [pairRow({ client: "10.0.0.5", server: `10.0.1.${at}`, connections: 1 })],
  });

  it("tells of an agent that reaches many new services, and not of others", () => {
    const bench = new DetectionBench({ settings });
    bench.run(11);
    bench.run(20, (at) => ({ rows: reach(at) }));
    expect(told(bench.events, "ai_lateral")).toEqual([]);
    const active = aiAgentRow({ calls: 3 });
    const tried = { client: "10.0.0.5", connections: 0 };
    const unanswered = Array.from({ length: 20 }, (_, at) =>
      pairRow({ ...tried, server: `10.0.2.${at}` }),
    );
    bench.step({ rows: { pairs: unanswered, ai_agents: [active] } });
    expect(told(bench.events, "ai_lateral")).toEqual([]);
    bench.run(20, (at) => ({ rows: { ...reach(50 + at), ai_agents: [active] } }));
    expect(told(bench.events, "ai_lateral")[0]).toBe("open critical 10.0.0.5");
  });

  it("takes calls in clear text for an agent at work, and slow ones for none", () => {
    const bench = new DetectionBench({ settings });
    bench.run(11);
    bench.step(talks(agentTalkRow({ server: PUBLIC, calls: 3, messages: 3 })));
    bench.run(9, (at) => ({ rows: reach(at) }));
    expect(told(bench.events, "ai_lateral")).toEqual([]);
    bench.run(1, () => ({ rows: reach(10) }));
    expect(told(bench.events, "ai_lateral")).toEqual(["open critical 10.0.0.5"]);
    const slow = new DetectionBench({ settings });
    slow.run(11);
    slow.step(talks(agentTalkRow({ server: PUBLIC, calls: 3, messages: 3 })));
    slow.run(20, (at) => ({ rows: reach(at), seconds: 60 }));
    expect(told(slow.events, "ai_lateral")).toEqual([]);
  });
});

describe("metadata_access", () => {
  const settings = { metadata_access: { learn_seconds: 10 } };
  const asks = (...rows: ReturnType<typeof metadataAskRow>[]): Step => ({
    rows: { metadata_asks: rows },
  });

  it("tells of hosts that never asked, not of those that always do", () => {
    const bench = new DetectionBench({ settings });
    bench.run(11, asks(metadataAskRow({ connections: 1 })));
    const both = asks(
      metadataAskRow({ connections: 1, bare: 1, requests: 1 }),
      metadataAskRow({ client: "10.0.0.6", connections: 1 }),
    );
    bench.run(5, both);
    expect(told(bench.events, "metadata_access")).toEqual([
      "open warning 10.0.0.6 169.254.169.254",
    ]);
  });

  it("is critical without the header of a metadata client, and where an agent works", () => {
    const bench = new DetectionBench({ settings });
    bench.run(11);
    bench.step(asks(metadataAskRow({ requests: 1, bare: 1 })));
    const active = aiAgentRow({ client: "10.0.0.6", hasLoop: true, calls: 3 });
    bench.step({
      rows: {
        metadata_asks: [metadataAskRow({ client: "10.0.0.6", connections: 1 })],
        ai_agents: [active],
      },
    });
    expect(told(bench.events, "metadata_access")).toEqual([
      "open critical 10.0.0.5 169.254.169.254",
      "open critical 10.0.0.6 169.254.169.254",
    ]);
  });
});
