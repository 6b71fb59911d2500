// SPDX-License-Identifier: AGPL-3.0-or-later
import { defineConfig } from "vitest/config";

/** Suites by file name: what is not one of these is a unit test and needs nothing but Node. */
const suites = {
  /** Millions of mutated inputs. */
  fuzz: ["test/**/*.fuzz.test.ts"],
  /** Reference answers over the captures in ../shared/data. */
  oracle: ["test/**/*.oracle.test.ts"],
  /** Network namespaces, real captures, real Prometheus: root, one file at a time. */
  network: ["test/**/*.network.test.ts"],
};

export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    // The default leaves one core idle, which on two cores is half the machine.
    maxWorkers: "100%",
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: Object.values(suites).flat(),
        },
      },
      { extends: true, test: { name: "fuzz", include: suites.fuzz, testTimeout: 240_000 } },
      { extends: true, test: { name: "oracle", include: suites.oracle, testTimeout: 120_000 } },
      {
        extends: true,
        test: {
          name: "network",
          include: suites.network,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
