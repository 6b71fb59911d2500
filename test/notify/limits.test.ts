// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../src/alert/alert.ts";
import { discordPayload } from "../../src/notify/discord.ts";
import { slackPayload } from "../../src/notify/slack.ts";
import { teamsPayload } from "../../src/notify/teams.ts";
import { telegramPayload } from "../../src/notify/telegram.ts";
import { alertOf, anomalyOf, anyAlert } from "../support/anomalies.ts";
import { problemsOf } from "../support/channel-payloads.ts";
import { stringsIn } from "../support/vendor-checks.ts";

/** As long as everything can be at once. */
function fullest(filler: string): Alert {
  const text = filler.repeat(3_000);
  const anomaly = anomalyOf({
    id: text,
    detector: text,
    protocol: text,
    interface: text,
    evidence: [text, text, text, text, text, text],
    explanation: text,
    degraded: true,
    observed: -1.234_567e-300,
    z: -1.234_567e-300,
    entity: { kind: "pair", key: text, source: text, destination: text, port: 65_535 },
    threshold: { value: 1.234_567e-300, setting: text },
    suggestion: { wireshark_filter: text, promql: text },
  });
  return alertOf({
    anomalies: Array.from({ length: 30 }, () => anomaly),
    more: Number.MAX_SAFE_INTEGER,
    agent: text,
    sentMs: alertOf().createdMs + 80_000_000,
  });
}

describe.each(Object.entries(problemsOf))("messages for %s", (_, problems) => {
  it.each(["&", "<", "`", "\\", '"', "]", "a ", "😀", "漢"])(
    "keep every limit at their fullest, all made of %s",
    (filler) => {
      expect(problems(fullest(filler))).toEqual([]);
      const digest = {
        count: 1e15,
        seconds: 1e9,
        detectors: Array.from({ length: 50 }, () => ({ name: filler.repeat(300), count: 1e15 })),
        topSources: Array.from({ length: 3 }, () => ({ name: filler.repeat(300), count: 1e15 })),
      };
      expect(problems({ ...fullest(filler), digest })).toEqual([]);
    },
  );

  it("keep every limit for some messages of an attacker's choice", () => {
    fc.assert(
      fc.property(anyAlert, (alert) => {
        expect(problems(alert)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

describe.each([
  ["slack", slackPayload],
  ["discord", discordPayload],
  ["teams", teamsPayload],
  ["telegram", telegramPayload],
] as const)("%s payloads", (_, payloadOf) => {
  it("name every anomaly the router may name, even with long names", () => {
    const anomalies = Array.from({ length: 10 }, (_, index) =>
      anomalyOf({
        entity: { kind: "source", key: `n${index}`, source: `node${index}-${"x".repeat(100)}` },
        explanation: "y ".repeat(500),
      }),
    );
    const text = stringsIn(payloadOf(alertOf({ anomalies }))).join("\n");
    for (let index = 0; index < 10; index++) expect(text).toContain(`node${index}-`);
  });

  it("tell everything of an ordinary anomaly, uncut", () => {
    const text = stringsIn(payloadOf(alertOf())).join("\n");
    expect(text).not.toContain("…");
  });
});

describe("slack payloads", () => {
  it("show what comes off the wire as it is: no mention, link, formatting or emoji", () => {
    const explanation = "<!channel> <@U1> <https://a.example|b> *bold* `code` :ab: & more";
    const anomaly = anomalyOf({ explanation, evidence: ["aa:ab:100::1234: & co"] });
    const { blocks, text } = slackPayload(alertOf({ anomalies: [anomaly] })) as {
      blocks: { text: unknown }[];
      text: string;
    };
    expect(blocks[1]?.text).toEqual({
      type: "plain_text",
      text: "‹!channel› ‹@U1› ‹hxxps://a[.]example|b› *bold* `code` :ab: ＆ more",
      emoji: false,
    });
    expect(blocks[3]?.text).toMatchObject({ type: "plain_text", text: "• aa:ab:100::1234: ＆ co" });
    expect(text).toContain("&lt;!channel&gt; &lt;@U1&gt;");
  });

  it("unfurl nothing and have a text for notifications", () => {
    expect(slackPayload(alertOf())).toMatchObject({
      unfurl_links: false,
      unfurl_media: false,
      text: expect.stringMatching(
        /^🔴 CRITICAL port scan from 10\.0\.0\.5 on host-a: 10\.0\.0\.5 tries/,
      ),
    });
  });
});

describe("discord payloads", () => {
  it("let nothing ring and escape markdown", () => {
    const explanation = "@everyone <@1> [a](https://b.example) *bold* ||x|| `code` aa:ab:cc \\";
    const payload = discordPayload(
      alertOf({ anomalies: [anomalyOf({ explanation, evidence: [] })] }),
    );
    expect(payload.allowed_mentions).toEqual({ parse: [] });
    const [embed] = payload.embeds as { description: string }[];
    expect(embed?.description).toBe(
      "@everyone \\<@1\\> [a\\](hxxps://b[.]example) \\*bold\\* \\|\\|x\\|\\| \\`code\\` aa\\:ab:cc \\\\",
    );
  });
});
