// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { familyOfUserAgent } from "../../src/decode/user-agent.ts";
import { bytes } from "./frames.ts";

function familyOf(value: string, name = "User-Agent: "): string {
  const line = bytes(`${name}${value}\r\n`);
  return familyOfUserAgent(new DataView(line.buffer, line.byteOffset), 0, line.length);
}

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";

describe("the family that a User-Agent names", () => {
  it.each([
    [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/131.0.0.0 Safari/537.36`, "chromium"],
    [`Mozilla/5.0 (Windows NT 10.0) ${WEBKIT} Chrome/131 Safari/537.36 Edg/131`, "chromium"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "firefox"],
    [`Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML) Version/18.1 Safari/605`, "safari"],
    ["python-requests/2.32.3", "python"],
    ["Python/3.12 aiohttp/3.10", "python"],
    ["OpenAI/Python 1.54.0", "python"],
    ["Anthropic/Python 0.39.0", "python"],
    ["node-fetch/1.0", "node"],
    ["undici", "node"],
    ["Go-http-client/1.1", "go"],
    ["curl/8.5.0", "curl"],
    ["Java/21.0.2", "java"],
    ["Java-http-client/21.0.2", "java"],
    ["okhttp/4.12.0", "java"],
    ["Apache-HttpClient/4.5.14 (Java/17.0.9)", "java"],
    ["Deno/2.1.1", "deno"],
    // These may run on several, or are of nobody whose TLS can be told.
    ["OpenAI/JS 4.72.0", ""],
    ["Mozilla/4.0 (compatible; MSIE 6.0)", ""],
    ["Wget/1.21", ""],
    ["curl", ""],
    ["", ""],
  ])("%s", (value, family) => {
    expect(familyOf(value)).toBe(family);
    expect(familyOf(value.toLowerCase(), "user-agent:")).toBe(family);
  });
});
