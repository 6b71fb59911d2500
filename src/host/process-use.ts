// SPDX-License-Identifier: AGPL-3.0-or-later

/** One process and what it used since the table was read before, as shares of the whole machine. */
export interface ProcessUse {
  /** Name as the system has it; not yet fit for a label. */
  readonly name: string;
  readonly cpuRatio: number;
  readonly memoryBytes: number;
}

export interface ProcessTable {
  /** Reads every process; the first reading knows no processor use. */
  read(): Promise<readonly ProcessUse[]>;
}
