// SPDX-License-Identifier: AGPL-3.0-or-later
// What afpacket needs, what it gives up, and that nobody notices it.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Direction } from "../../src/capture/source.ts";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { CaptureLab, type CaptureProcess } from "./capture-lab.ts";
import { ARP, BROADCAST, ethernet } from "./frames.ts";

const NOT_PERMITTED = ["setpriv", "--bounding-set", "-net_raw"];
const IFF_PROMISC = 0x100;

describe.runIf(canMakeNamespaces())("afpacket", () => {
  let lab: CaptureLab;

  beforeAll(async () => {
    lab = await CaptureLab.create();
  });
  afterAll(() => lab.lab.close());

  const inB = (...command: [string, ...string[]]): Promise<string> =>
    lab.lab.exec(lab.lab.b, ...command);

  const interfaceFlags = async (): Promise<number> =>
    Number(await inB("cat", "/sys/class/net/lab0/flags"));

  it("says how to get the permission where it has none", async () => {
    await expect(lab.capture({}, { wrapper: NOT_PERMITTED })).rejects.toMatchObject({
      code: "CAPTURE_PERMISSION",
      message: expect.stringMatching(/root.*setcap.*AmbientCapabilities.*NET_RAW/),
    });
  });

  describe("privileges", () => {
    const statusOf = ({ processId }: CaptureProcess): string =>
      readFileSync(`/proc/${processId}/status`, "utf8");

    it.each(["nobody", "65534", "65534:65534"])(
      "gives up root for %s with every capability, and captures on",
      async (dropTo) => {
        const wrapper = ["setpriv", "--groups", "4,24"];
        const capture = await lab.capture({ dropTo }, { wrapper });
        expect(await capture.running).toBe(dropTo);
        const status = statusOf(capture);
        expect(status).toMatch(/^Uid:(\s+65534){4}$/m);
        expect(status).toMatch(/^Gid:(\s+65534){4}$/m);
        expect(status).toMatch(/^Groups:\s*$/m);
        expect(status).toMatch(/^CapPrm:\s+0+$/m);
        expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
        await lab.send([ethernet(BROADCAST, ARP, 28)]);
        expect((await capture.take(1)).frames.length).toBe(1);
      },
    );

    it("gives up the capabilities of a process that is not root", async () => {
      const capabilities = "+net_raw,+dac_read_search";
      const wrapper = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"];
      wrapper.push("--inh-caps", capabilities, "--ambient-caps", capabilities);
      const capture = await lab.capture({ dropTo: "nobody" }, { wrapper });
      expect(await capture.running).toBeNull();
      expect(statusOf(capture)).toMatch(/^Uid:(\s+12345){4}$/m);
      expect(statusOf(capture)).toMatch(/^CapPrm:\s+0+$/m);
      expect(statusOf(capture)).toMatch(/^CapAmb:\s+0+$/m);
      await lab.send([ethernet(BROADCAST, ARP, 28)]);
      expect((await capture.take(1)).frames.length).toBe(1);
    });

    it.each([
      ["is not allowed to change", "nobody", ["setpriv", "--bounding-set", "-setuid,-setgid"]],
      ["is told to stay", "root", []],
    ])("gives up the capabilities of root that %s", async (_, dropTo, wrapper) => {
      const capture = await lab.capture({ dropTo }, { wrapper });
      expect(await capture.running).toBeNull();
      expect(statusOf(capture)).toMatch(/^Uid:(\s+0){4}$/m);
      expect(statusOf(capture)).toMatch(/^CapPrm:\s+0+$/m);
      await capture.stop();
    });

    it("refuses an account that does not exist", async () => {
      await expect(lab.capture({ dropTo: "nobody-here" })).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringMatching(/"nobody-here".*capture\.user/),
      });
    });
  });

  it("sends nothing and is not promiscuous", async () => {
    const sentPackets = async (): Promise<number> =>
      Number(await inB("cat", "/sys/class/net/lab0/statistics/tx_packets"));
    const before = await sentPackets();
    const observer = await lab.capture({}, { namespace: lab.lab.a });
    const capture = await lab.capture({ dropTo: "nobody", settings: { filter: "arp or vlan 5" } });
    const frame = ethernet(BROADCAST, ARP, 28);
    await lab.send([frame], { rounds: 100 });
    await capture.until("100 frames", ({ delivered }) => delivered === 100);
    expect((await interfaceFlags()) & IFF_PROMISC).toBe(0);
    expect(await inB("ip", "-d", "link", "show", "lab0")).toContain("promiscuity 0");
    await capture.stop();
    expect(await sentPackets()).toBe(before);
    const { frames } = await observer.take(100);
    expect(frames.every(({ direction }) => direction === Direction.OUT)).toBe(true);
  });

  it("is promiscuous while it captures, and only then, when told to be", async () => {
    const capture = await lab.capture({ settings: { promiscuous: true } });
    expect(await inB("ip", "-d", "link", "show", "lab0")).toContain("promiscuity 1");
    await capture.stop();
    expect((await interfaceFlags()) & IFF_PROMISC).toBe(0);
    await expect(
      lab.capture({ settings: { promiscuous: true, interfaceName: "any" } }),
    ).rejects.toMatchObject({ code: "CAPTURE_INTERFACE" });
  });
});
