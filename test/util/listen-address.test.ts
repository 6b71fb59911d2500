// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { isLocalAddress, parseListenAddress } from "../../src/util/listen-address.ts";

describe("parseListenAddress", () => {
  it.each([
    ["127.0.0.1:9977", { kind: "tcp", host: "127.0.0.1", port: 9977 }, true],
    ["127.8.8.8:1", { kind: "tcp", host: "127.8.8.8", port: 1 }, true],
    ["[::1]:9977", { kind: "tcp", host: "::1", port: 9977 }, true],
    ["[::ffff:127.0.0.1]:1", { kind: "tcp", host: "::ffff:127.0.0.1", port: 1 }, true],
    ["[fe80::1%eth0]:1", { kind: "tcp", host: "fe80::1%eth0", port: 1 }, false],
    ["localhost:80", { kind: "tcp", host: "localhost", port: 80 }, true],
    [":9977", { kind: "tcp", host: "", port: 9977 }, false],
    ["0.0.0.0:9977", { kind: "tcp", host: "0.0.0.0", port: 9977 }, false],
    ["[::]:9977", { kind: "tcp", host: "::", port: 9977 }, false],
    ["gateway.example:65535", { kind: "tcp", host: "gateway.example", port: 65535 }, false],
    ["localhost.evil.example:80", { kind: "tcp", host: "localhost.evil.example", port: 80 }, false],
    ["unix:/run/nam.sock", { kind: "unix", path: "/run/nam.sock" }, true],
  ])("reads %s", (text, address, isLocal) => {
    const parsed = parseListenAddress(text);
    expect(parsed).toEqual(address);
    expect(parsed && isLocalAddress(parsed)).toBe(isLocal);
  });

  it.each([
    "",
    "9977",
    "host",
    "host:",
    "host:65536",
    "::1:80",
    "a b:1",
    "http://x:1",
    "unix:x",
    "[x]:1",
  ])("does not understand %j", (text) => {
    expect(parseListenAddress(text)).toBeNull();
  });
});
