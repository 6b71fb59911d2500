// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clean,
  defang,
  formatDuration,
  formatNumber,
  safe,
  shorten,
} from "../../src/notify/text.ts";
import { hostileText } from "../support/anomalies.ts";

describe("clean", () => {
  it.each([
    ["\u202egnp.exe\u202c", "gnp.exe"],
    ["a\u0000b\u001b[31mc\r\nd\te", "a b [31mc d e"],
    ["zero\u200bwidth\ufeff and soft\u00adhyphen", "zerowidth and softhyphen"],
    ["lone \ud800 surrogate", "lone surrogate"],
    ["e\u0301\u0302\u0303\u0304\u0305", "e\u0301\u0302"],
    ["  many   spaces  ", "many spaces"],
    ["日本語 ☃ 😀", "日本語 ☃ 😀"],
  ])("makes %j into %j", (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it("cuts unbroken runs to 128 and the whole to the maximum", () => {
    const text = clean(`name ${"x".repeat(65_536)} asked`, 1_000);
    expect(text).toBe(`name ${"x".repeat(127)}…`);
    expect(clean("word ".repeat(1_000), 50)).toHaveLength(50);
  });

  it("is idempotent, within its maximum and one line, whatever comes in", () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 5, max: 700 }), (text, max) => {
        const once = clean(text, max);
        expect(once.length).toBeLessThanOrEqual(max);
        expect(once).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(clean(once, max)).toBe(once);
      }),
    );
  });
});

describe("defang", () => {
  it.each([
    ["http://evil.example/x", "hxxp://evil[.]example/x"],
    ["HTTPS://Evil.Example", "HxxPS://Evil[.]Example"],
    [
      "client 10.0.0.5 asked for a.b-c.evil-domain.co.uk:443",
      "client 10.0.0.5 asked for a[.]b-c[.]evil-domain[.]co[.]uk:443",
    ],
    ["пример.рф and xn--e1afmkfd.xn--p1ai", "пример[.]рф and xn--e1afmkfd[.]xn--p1ai"],
    [
      "2001:db8::1 had 1.5 MB, 3.25 times as much. Then it stopped.",
      "2001:db8::1 had 1.5 MB, 3.25 times as much. Then it stopped.",
    ],
  ])("%s", (text, expected) => {
    expect(defang(text)).toBe(expected);
    expect(defang(defang(text))).toBe(expected);
  });
});

describe("shorten", () => {
  it("never cuts a character or an escape in two, and stays within its maximum", () => {
    const encode = (text: string) => text.replace(/[&<>]/g, (mark) => `&#${mark.charCodeAt(0)};`);
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 300 }), (text, max) => {
        const short = shorten(safe(text, 5_000), max, encode);
        expect(short.length).toBeLessThanOrEqual(max);
        expect(short.replace(/&#\d+;/g, "")).not.toContain("&");
        expect(short).not.toMatch(/\p{Cs}/u);
      }),
    );
  });

  it("uses the room there is", () => {
    expect(shorten("abcdef", 6)).toBe("abcdef");
    expect(shorten("abcdefg", 6)).toBe("abcde…");
    expect(shorten("&&&&", 12, (text) => text.replaceAll("&", "&amp;"))).toBe("&amp;&amp;…");
  });
});

describe("formatNumber", () => {
  it.each([
    [0, "0"],
    [7, "7"],
    [1_240, "1,240"],
    [-1_240, "-1,240"],
    [999_999, "999,999"],
    [12_345_678, "12.3 M"],
    [4.2e9, "4.2 G"],
    [0.4213, "0.421"],
    [2.5049, "2.5"],
    [1_234.56, "1,235"],
    [Number.NaN, "unknown"],
    [Number.POSITIVE_INFINITY, "unknown"],
  ])("%d → %s", (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s"],
    [0.4, "0s"],
    [12, "12s"],
    [252, "4m 12s"],
    [3_600, "1h"],
    [11_100, "3h 5m"],
    [187_200, "2d 4h"],
    [-5, "0s"],
  ])("%d s → %s", (seconds, expected) => {
    expect(formatDuration(seconds)).toBe(expected);
  });
});
