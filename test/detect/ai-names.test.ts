// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { aiFingerprint } from "../../src/detect/ai-fingerprint.ts";
import { aiNewProvider } from "../../src/detect/ai-new-provider.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { aiFlowRow } from "../support/gallery-covert.ts";

type Row = ReturnType<typeof aiFlowRow>;
const used = (...rows: readonly Row[]): Step => ({ rows: { ai_flows: rows } });

describe("a new AI provider", () => {
  const bench = (more: object = {}): DetectionBench =>
    new DetectionBench({
      detectors: [aiNewProvider],
      settings: { ai_new_provider: { learn_seconds: 60, forget_seconds: 1000, ...more } },
    });

  it("is told after the learning, once, for what was never used", () => {
    const one = bench();
    one.run(60, used(aiFlowRow({})));
    one.run(40, used(aiFlowRow({})));
    expect(one.events).toEqual([]);
    one.run(100, used(aiFlowRow({ provider: "deepseek" })));
    const opened = one.events.filter(({ state }) => state === "open");
    expect(opened).toMatchObject([
      {
        ...{ detector: "ai_new_provider", severity: "info" },
        entity: { source: "10.0.0.5", key: "10.0.0.5 deepseek" },
        threshold: { setting: "detectors.ai_new_provider.allowed_providers" },
      },
    ]);
    expect(one.engine.active()).toEqual([]);
  });

  it("is a warning where it is a gateway", () => {
    const one = bench();
    one.run(61);
    const row = aiFlowRow({ provider: "openrouter", category: "gateway" });
    expect(one.step(used(row))).toMatchObject([{ severity: "warning" }]);
  });

  it.each<[string, Partial<Row>]>([
    ["allowed", { provider: "mistral" }],
    ["telemetry", { category: "telemetry" }],
    ["a model hub", { category: "model_hub" }],
    ["not answered", { completed: 0 }],
  ])("is not told where it is %s", (_, parts) => {
    const one = bench({ allowed_providers: ["mistral"] });
    one.run(61);
    one.run(20, used(aiFlowRow(parts)));
    expect(one.events).toEqual([]);
  });

  it("is new again when it was not used for long", () => {
    const one = bench();
    one.run(60, used(aiFlowRow({})));
    one.run(1001);
    expect(one.step(used(aiFlowRow({})))).toMatchObject([{ state: "open" }]);
  });

  it("is not learned while packets are lost", () => {
    const one = bench();
    const dropped = { kernel: 500, ring: 0, shed: 0, ipc: 0 };
    one.run(61, { ...used(aiFlowRow({})), capture: { dropped } });
    expect(one.step(used(aiFlowRow({})))).toMatchObject([{ state: "open" }]);
  });
});

describe("a fingerprint that contradicts", () => {
  const bench = (): DetectionBench =>
    new DetectionBench({
      detectors: [aiFingerprint],
      settings: { ai_fingerprint: { learn_seconds: 60 } },
    });

  it("is a family that the host never had with the provider, seen three times", () => {
    const one = bench();
    one.run(61, used(aiFlowRow({ family: "python" })));
    one.run(2, used(aiFlowRow({ family: "go" })));
    expect(one.events).toEqual([]);
    expect(one.step(used(aiFlowRow({ family: "go" })))).toMatchObject([
      {
        severity: "info",
        observed: 3,
        threshold: { setting: "detectors.ai_fingerprint.handshakes" },
      },
    ]);
    one.run(100, used(aiFlowRow({ family: "go" }), aiFlowRow({ family: "python" })));
    expect(one.engine.active()).toEqual([]);
  });

  it("is a browser at an API from a host that does not browse", () => {
    const one = bench();
    one.run(61);
    one.run(3, used(aiFlowRow({ family: "chromium", client: "10.0.0.6", browses: true })));
    expect(one.events).toEqual([]);
    one.run(2, used(aiFlowRow({ family: "chromium" })));
    expect(one.step(used(aiFlowRow({ family: "chromium" })))).toMatchObject([
      { severity: "warning", entity: { source: "10.0.0.5" } },
    ]);
  });

  it("is a hello of another family than the CONNECT around it named, three times", () => {
    const one = bench();
    one.run(61, used(aiFlowRow({ family: "go" })));
    const proxied = { family: "go", contradicted: 1, claimed: "chromium" };
    one.run(2, used(aiFlowRow(proxied)));
    expect(one.events).toEqual([]);
    expect(one.step(used(aiFlowRow(proxied)))).toMatchObject([
      {
        severity: "warning",
        observed: 3,
        evidence: ["3 completed handshakes as go", "the User-Agent is that of a chromium program"],
      },
    ]);
    one.run(100, used(aiFlowRow(proxied)));
    expect(one.engine.active()).toEqual([]);
    expect(one.events.filter(({ state }) => state === "open")).toHaveLength(1);
  });

  it("is told beside the family that is new, neither in place of the other", () => {
    const one = bench();
    one.run(61, used(aiFlowRow({ family: "python" })));
    one.run(3, used(aiFlowRow({ family: "go", contradicted: 1, claimed: "chromium" })));
    expect(one.events.map(({ state, severity, entity }) => [state, severity, entity.key])).toEqual([
      ["open", "warning", "10.0.0.5 openai go as chromium"],
      ["open", "info", "10.0.0.5 openai go"],
    ]);
  });

  it("is none where it did so while the network was learned", () => {
    const one = bench();
    const proxied = { family: "go", contradicted: 1, claimed: "chromium" };
    one.run(61, used(aiFlowRow(proxied)));
    one.run(100, used(aiFlowRow(proxied)));
    expect(one.events).toEqual([]);
  });

  it.each<[string, Partial<Row>]>([
    ["a first family", { family: "node" }],
    ["a family that nobody knows", { family: "other" }],
    ["no TLS", { family: "" }],
    ["a browser at a chat application", { family: "chromium", category: "chat_app" }],
  ])("is not %s", (_, parts) => {
    const one = bench();
    one.run(61);
    one.run(20, used(aiFlowRow(parts)));
    expect(one.events).toEqual([]);
  });
});
