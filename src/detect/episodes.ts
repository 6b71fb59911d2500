// SPDX-License-Identifier: AGPL-3.0-or-later

/** Signals that leave their baselines this soon after the first one do so for the same reason. */
const JOIN_MS = 30_000;

/** Signals that are anomalous together, named after the one that was furthest off when it began. */
export interface Episode<State> {
  readonly leader: string;
  readonly startedMs: number;
  /** Furthest off first; never empty. */
  readonly members: readonly [State, ...State[]];
}

/** Makes one story of signals that move together: a download raises packets, bytes and flows of three layers. */
export class Episodes<State extends { readonly name: string; readonly z: number }> {
  #episodes: { leader: string; startedMs: number; names: Set<string> }[] = [];

  /** Takes the signals that are anomalous now; returns the episodes that go on. */
  update(anomalous: readonly State[], elapsedMs: number): Episode<State>[] {
    const states = [...anomalous].sort((a, b) => Math.abs(b.z) - Math.abs(a.z));
    for (const { name } of states) this.#join(name, elapsedMs);
    const going: Episode<State>[] = [];
    this.#episodes = this.#episodes.filter(({ leader, startedMs, names }) => {
      const [first, ...rest] = states.filter(({ name }) => names.has(name));
      if (!first) return false;
      going.push({ leader, startedMs, members: [first, ...rest] });
      return true;
    });
    return going;
  }

  #join(name: string, elapsedMs: number): void {
    if (this.#episodes.some(({ names }) => names.has(name))) return;
    const recent = this.#episodes.find(({ startedMs }) => elapsedMs - startedMs <= JOIN_MS);
    if (recent) recent.names.add(name);
    else this.#episodes.push({ leader: name, startedMs: elapsedMs, names: new Set([name]) });
  }
}
