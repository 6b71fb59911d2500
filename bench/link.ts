// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timed } from "./process.ts";

/** Two network namespaces and a veth pair between them, cut off from everything else. Needs root. */
export class Link {
  /** Interface that frames are sent into, in the namespace `sender`. */
  readonly outlet = "nam0";
  /** Interface that frames arrive on, in the namespace `receiver`. */
  readonly inlet = "nam1";
  readonly sender = `nam-bench-${process.pid}-a`;
  readonly receiver = `nam-bench-${process.pid}-b`;
  readonly folder = mkdtempSync(join(tmpdir(), "nam-bench-"));

  constructor() {
    for (const namespace of [this.sender, this.receiver]) {
      ip("netns", "add", namespace);
      ip("-n", namespace, "link", "set", "lo", "up");
      // Without IPv6 the kernel sends nothing of its own, and every frame on the link is the generator's.
      const setting = "net.ipv6.conf.all.disable_ipv6=1";
      execFileSync("ip", ["netns", "exec", namespace, "sysctl", "-qw", setting]);
    }
    const peer = ["peer", "name", this.inlet, "netns", this.receiver];
    ip("link", "add", this.outlet, "netns", this.sender, "type", "veth", ...peer);
    ip("-n", this.sender, "link", "set", this.outlet, "up");
    ip("-n", this.receiver, "link", "set", this.inlet, "up");
  }

  /** Starts a program in the receiver's namespace; `ip netns exec` becomes the program, so the PID is its own. */
  spawn(
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ): ReturnType<typeof spawn> {
    return spawn("ip", ["netns", "exec", this.receiver, command, ...args], options);
  }

  /** Sends frames with trafgen on one core, at a rate or as fast as it goes; returns how many a second it made. */
  async flood(configuration: string, packets: number, perSecond?: number): Promise<number> {
    const file = join(this.folder, "trafgen.cfg");
    writeFileSync(file, configuration);
    const device = ["--dev", this.outlet, "--conf", file, "--num", String(packets), "--cpus", "1"];
    const rate = perSecond === undefined ? [] : ["--rate", `${perSecond}pps`];
    const inNamespace = ["netns", "exec", this.sender, "trafgen", ...device, ...rate];
    const { wallSeconds } = await timed("ip", inNamespace);
    return packets / wallSeconds;
  }

  /** One request from inside: the body, and seconds from connecting to the last byte. Throws where it fails. */
  async get(url: string): Promise<{ body: string; seconds: number }> {
    const format = ["--write-out", "\n%{time_total}"];
    const curl = ["curl", "--silent", "--fail", "--max-time", "10", ...format, url];
    const { stdout } = await timed("ip", ["netns", "exec", this.receiver, ...curl]);
    const end = stdout.lastIndexOf("\n");
    return { body: stdout.slice(0, end), seconds: Number(stdout.slice(end + 1)) };
  }

  close(): void {
    for (const namespace of [this.sender, this.receiver]) ip("netns", "del", namespace);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}
