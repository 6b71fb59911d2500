// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { fatesOf, metricOf } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { Lives, onCleanup, temporaryFolder } from "../support/outbox-bench.ts";
import { skipAloud } from "../support/skip-aloud.ts";

const DISK = "512k";

/** A folder on a disk of its own that is soon full, or null where this process may not mount one. */
function smallDisk(): string | null {
  const directory = temporaryFolder();
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", directory]);
  if (status !== 0) return null;
  onCleanup(() => void spawnSync("umount", ["--lazy", directory]));
  return directory;
}

const canMount = process.getuid?.() === 0 || skipAloud("only root can mount a small disk");

describe.runIf(canMount)("a full disk", () => {
  it("is said once and costs no message, and what is told survives again once there is room", async () => {
    const directory = smallDisk();
    if (directory === null) return void skipAloud("mounting a small disk failed");
    const lives = new Lives(directory);
    const bench = await lives.begin({ settings: { max_messages: 10_000 } });
    await bench.router.safe();
    const filler = join(directory, "filler");
    fill(filler);

    const durable = () => metricOf(bench.registry, "nam_outbox_durable", {});
    for (let index = 0; index < 200; index++) {
      bench.accept(anomalyOf({ id: `i${index}`, dedup_key: `k${index}` }));
      await bench.router.safe();
      await lives.clock.advance(1_000);
    }
    await vi.waitFor(() => expect(bench.channel.told).toHaveLength(200));
    expect(await durable()).toBe(0);
    const said = lives.lines.filter((line) => line.includes("the outbox cannot be written"));
    expect(said).toHaveLength(1);
    expect(await fatesOf(bench)).toMatchObject({ told: 200, lost: 0, dropped: 0 });

    rmSync(filler);
    await vi.waitFor(async () => {
      await lives.clock.advance(10_000);
      expect(await durable()).toBe(1);
    });
    expect(lives.lines.join()).toContain("the outbox is written again");
    await bench.router.safe();
    expect(await lives.onDisk("told")).toHaveLength(200);
  });
});

/** Fills the disk to its last page. */
function fill(path: string): void {
  for (const sizeBytes of [65_536, 4_096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(sizeBytes), { flag: "a" });
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== "ENOSPC") throw error;
    }
  }
}
