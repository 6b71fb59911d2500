// SPDX-License-Identifier: AGPL-3.0-or-later
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Suites by file name: what is not one of these is a unit test and needs nothing but Node. */
const suites = {
  /** Millions of mutated inputs. */
  fuzz: ["test/**/*.fuzz.test.ts"],
  /** Reference answers over the captures in ../shared/data. */
  oracle: ["test/**/*.oracle.test.ts"],
  /** Network namespaces, real captures, real Prometheus: root, three files at a time. */
  network: ["test/**/*.network.test.ts"],
  /** The same for minutes in which nothing is measured: beside the others. */
  soak: ["test/**/*.soak.test.ts"],
};

/** A longer run, which somebody asked for by the number of frames, takes as long as it takes: 0 is no limit. */
const FUZZ_TIMEOUT_MS = process.env.NAM_FUZZ_FRAMES === undefined ? 480_000 : 0;

/**
 * What takes minutes begins first, so that no core is idle while the other one ends it: of tests on real interfaces the
 * one with Prometheus, and last those that load the machine.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const parts = [".fuzz.", ".oracle.", "live.network.", "restart.network.", "/capture/"];
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = parts.findIndex((part) => moduleId.includes(part));
      return found === -1 ? parts.length : found;
    };
    return sorted.sort((left, right) => rank(left) - rank(right));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    environment: "node",
    pool: "forks",
    // Node's own loader, with tsx as everywhere outside src/: vite's runner turns each use of an import into a call, and
    // the packet path is twice as slow under it. Nothing here mocks modules.
    execArgv: ["--import", "tsx"],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // One more than there are cores: some suites wait for timers and for other programs.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Files share what is loaded: most of the time they took was the loading of the same modules.
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: Object.values(suites).flat(),
        },
      },
      {
        extends: true,
        test: { name: "fuzz", isolate: false, include: suites.fuzz, testTimeout: FUZZ_TIMEOUT_MS },
      },
      {
        extends: true,
        test: { name: "oracle", isolate: false, include: suites.oracle, testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: "network",
          include: suites.network,
          // Each has namespaces of its own, and most of them wait most of the time.
          maxWorkers: 3,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { extends: true, test: { name: "soak", include: suites.soak } },
    ],
  },
});
