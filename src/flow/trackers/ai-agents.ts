// SPDX-License-Identifier: AGPL-3.0-or-later

/** What a client's calls to language models say about it: a person at a chat, or a program that works on its own. */
export interface AiAgentRow {
  readonly client: string;
  /** True while it has a loop, or made three calls within ten minutes to what programs call: an agent is at work. */
  readonly isActive: boolean;
  /** True while its calls grow from one to the next, as those of an agent do that sends its whole history each time. */
  readonly hasLoop: boolean;
}

declare module "../window.ts" {
  interface TrackerRows {
    /** One row for every client with calls in the window, and in every window for each that is active. */
    readonly ai_agents: readonly AiAgentRow[];
  }
}
