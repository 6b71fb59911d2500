// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { messageOf } from "../../src/notify/message.ts";
import { slackPayload } from "../../src/notify/slack.ts";
import { DEFAULT_TEMPLATES, templateProblem } from "../../src/notify/template.ts";
import { alertOf, anomalyOf } from "../support/anomalies.ts";

describe("templates", () => {
  it("change title and text, and nothing else", () => {
    const templates = {
      title_template: "[{{severity}}] {{kind}} by {{ source }}",
      text_template: "{{text}} Runbook: https://wiki.example/nam",
    };
    const message = messageOf(alertOf(), templates);
    expect(message.title).toBe("[critical] port scan by 10.0.0.5");
    expect(message.lead).toBe(`${messageOf(alertOf()).lead} Runbook: https://wiki.example/nam`);
    expect({ ...message, title: "", lead: "" }).toEqual({
      ...messageOf(alertOf()),
      title: "",
      lead: "",
    });
  });

  it("put values in once: a value that looks like a placeholder stays what it is", () => {
    const entity = { kind: "source", key: "k", source: "{{severity}}{{constructor}}" } as const;
    const templates = { ...DEFAULT_TEMPLATES, title_template: "{{source}}" };
    const alert = alertOf({ anomalies: [anomalyOf({ entity })] });
    expect(messageOf(alert, templates).title).toBe("{{severity}}{{constructor}}");
  });

  it("are escaped for the vendor after they are filled", () => {
    const templates = { ...DEFAULT_TEMPLATES, title_template: "<!channel> {{title}}" };
    expect(slackPayload(alertOf(), templates).text).toContain("&lt;!channel&gt; CRITICAL");
  });

  it("leave a message without an anomaly alone", () => {
    const test = alertOf({ anomalies: [], test: true });
    expect(messageOf(test, { title_template: "x", text_template: "y" })).toEqual(messageOf(test));
  });

  it.each([
    ["{{title}} {{agent}}", null],
    ["{{titel}}", /there is no \{\{titel\}\}; there are \{\{title\}\}/],
    ["{{constructor}}", /there is no/],
    ["{{title", /double braces/],
    ["{{1+1}}", /double braces/],
  ])("%s is checked when it is read", (text, problem) => {
    if (problem === null) expect(templateProblem(text)).toBeNull();
    else expect(templateProblem(text)).toMatch(problem);
  });
});
