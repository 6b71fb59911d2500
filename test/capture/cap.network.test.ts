// SPDX-License-Identifier: AGPL-3.0-or-later
// What is particular to the source `cap`: it says what it cannot do, and what is wrong when it cannot start.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { hasCap } from "./available.ts";
import { CaptureLab } from "./capture-lab.ts";
import { ARP, BROADCAST, ethernet, IPV4 } from "./frames.ts";

const NOT_PERMITTED = ["setpriv", "--bounding-set", "-net_raw"];

/** Starts a command in which the package does not exist. */
const WITHOUT_PACKAGE = [
  "env",
  `NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(`
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(\`
      export async function resolve(name, context, next) {
        if (name === "cap") throw new Error("Cannot find package 'cap'");
        return next(name, context);
      }\`));`)}`,
];

describe.runIf(canMakeNamespaces() && (await hasCap()))("cap", () => {
  let lab: CaptureLab;

  beforeAll(async () => {
    lab = await CaptureLab.create();
  });
  afterAll(() => lab.lab.close());

  const settings = { source: "cap" } as const;

  it("says that it cannot count drops", async () => {
    const capture = await lab.capture({ settings });
    const { stats, capturing } = (await capture.stop()).snapshot;
    expect(stats).toEqual({
      received: 0,
      droppedKernel: 0,
      droppedRing: 0,
      duplicates: 0,
      ringFreezes: 0,
      ringFill: 0,
      dropCounterSupported: false,
    });
    expect(capturing).toBeNull();
  });

  it("delivers loopback frames once", async () => {
    const capture = await lab.capture({ settings: { ...settings, interfaceName: "lo" } });
    await lab.lab.exec(lab.lab.b, "ping", "-q", "-c", "5", "-i", "0.01", "127.0.0.1");
    const { frames } = await capture.take(10);
    expect(new Set(frames.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size).toBe(10);
    expect(frames.length).toBe(10);
  });

  it("delivers cooked frames of all interfaces", async () => {
    const capture = await lab.capture({ settings: { ...settings, interfaceName: "any" } });
    await lab.send([ethernet(BROADCAST, ARP, 28)]);
    expect((await capture.take(1)).frames[0]).toMatchObject({ linkType: 113, wireLength: 16 + 28 });
  });

  it("takes what the filter matches only", async () => {
    const capture = await lab.capture({ settings: { ...settings, filter: "arp" } });
    await lab.send([ethernet(BROADCAST, IPV4, 64), ethernet(BROADCAST, ARP, 28)]);
    expect((await capture.take(1)).frames[0]?.bytes.length).toBe(42);
  });

  it("gives libpcap's words where the filter is wrong", async () => {
    await expect(
      lab.capture({ settings: { ...settings, filter: "tcp prt 80" } }),
    ).rejects.toMatchObject({
      code: "CAPTURE_FILTER",
      message: expect.stringMatching(/syntax error/),
    });
  });

  it("names the interfaces there are", async () => {
    await expect(
      lab.capture({ settings: { ...settings, interfaceName: "nope0", filter: "arp" } }),
    ).rejects.toMatchObject({
      code: "CAPTURE_INTERFACE",
      message: expect.stringMatching(/nope0.*lab0/),
    });
  });

  it("says that it has no permission", async () => {
    await expect(lab.capture({ settings }, { wrapper: NOT_PERMITTED })).rejects.toMatchObject({
      code: "CAPTURE_PERMISSION",
    });
  });

  it("says what to install where the package is missing", async () => {
    await expect(lab.capture({ settings }, { wrapper: WITHOUT_PACKAGE })).rejects.toMatchObject({
      code: "CAPTURE_SOURCE_UNAVAILABLE",
      message: expect.stringMatching(/libpcap-dev.*npm install/),
    });
  });
});
