// SPDX-License-Identifier: AGPL-3.0-or-later
// Interfaces that go down, are renamed, and are removed and made again under a running capture.
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { CaptureLab } from "./capture-lab.ts";
import { ARP, BROADCAST, ethernet } from "./frames.ts";

describe.runIf(canMakeNamespaces())("afpacket on an interface that changes", () => {
  let lab: CaptureLab;

  beforeEach(async () => {
    lab = await CaptureLab.create();
  });
  afterEach(() => lab.lab.close());

  const inB = (...command: [string, ...string[]]): Promise<string> =>
    lab.lab.exec(lab.lab.b, ...command);

  it("goes on when the interface goes down and up", async () => {
    const capture = await lab.capture();
    const frame = ethernet(BROADCAST, ARP, 28);
    await lab.send([frame]);
    await capture.until("the first frame", ({ delivered }) => delivered === 1);
    await inB("ip", "link", "set", "lab0", "down");
    await capture.until("down", ({ capturing }) => capturing === false);
    await inB("ip", "link", "set", "lab0", "up");
    await capture.until("up", ({ capturing }) => capturing === true);
    await lab.send([frame]);
    expect((await capture.take(2)).frames.length).toBe(2);
  });

  it("finds an interface that was removed and made again, without any privilege", async () => {
    const capture = await lab.capture({ dropTo: "nobody" });
    const frame = ethernet(BROADCAST, ARP, 28);
    await lab.send([frame]);
    await capture.until("the first frame", ({ delivered }) => delivered === 1);
    await inB("ip", "link", "del", "lab0");
    await capture.until("gone", ({ capturing }) => capturing === false);
    await lab.lab.exec(
      lab.lab.a,
      ...([
        "ip",
        "link",
        "add",
        "lab0",
        "type",
        "veth",
        "peer",
        "lab0",
        "netns",
        lab.lab.b,
      ] as const),
    );
    await lab.lab.exec(lab.lab.a, "ip", "link", "set", "lab0", "up");
    await inB("ip", "link", "set", "lab0", "up");
    await capture.until("back", ({ capturing }) => capturing === true);
    await lab.send([frame]);
    const { snapshot } = await capture.take(2);
    expect(snapshot.stats).toMatchObject({ received: 2, droppedKernel: 0 });
    expect(snapshot.kernelPackets).toBe(2);
  });

  it("finds an interface that left the namespace and came back under its old number", async () => {
    const elsewhere = `${lab.lab.b}-c`;
    const index = (): Promise<string> => inB("cat", "/sys/class/net/lab0/ifindex");
    execFileSync("ip", ["netns", "add", elsewhere]);
    try {
      const capture = await lab.capture();
      const before = await index();
      await inB("ip", "link", "set", "lab0", "netns", elsewhere);
      execFileSync("ip", ["-n", elsewhere, "link", "set", "lab0", "netns", lab.lab.b]);
      expect(await index()).toBe(before);
      await capture.until("down", ({ capturing }) => capturing === false);
      await inB("ip", "link", "set", "lab0", "up");
      await capture.until("up", ({ capturing }) => capturing === true);
      await lab.send([ethernet(BROADCAST, ARP, 28)]);
      expect((await capture.take(1)).frames.length).toBe(1);
    } finally {
      execFileSync("ip", ["netns", "del", elsewhere]);
    }
  });

  it("keeps an interface that is renamed", async () => {
    const capture = await lab.capture();
    await inB("ip", "link", "set", "lab0", "down");
    await inB("ip", "link", "set", "lab0", "name", "wan0");
    await capture.until("down", ({ capturing }) => capturing === false);
    await inB("ip", "link", "set", "wan0", "up");
    await capture.until("up", ({ capturing }) => capturing === true);
    await lab.send([ethernet(BROADCAST, ARP, 28)]);
    expect((await capture.take(1)).frames.length).toBe(1);
  });

  it("ends, so that it can be started again, when a fanout member's interface is made again", async () => {
    const capture = await lab.capture({ settings: { fanoutGroup: 5 } });
    const failure = capture.ended().catch((error: unknown) => error);
    await inB("ip", "link", "del", "lab0");
    await inB("ip", "link", "add", "lab0", "type", "veth");
    expect(await failure).toMatchObject({ code: "CAPTURE_INTERFACE" });
  });
});
