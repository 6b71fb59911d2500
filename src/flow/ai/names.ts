// SPDX-License-Identifier: AGPL-3.0-or-later

/** What is known of the names of flows, by slot of the flow table: what trackers read of FlowNames. */
export interface Names {
  /** True while listeners hear of a flow for the first time. */
  readonly isFirst: boolean;
  /** True while they hear of one whose provider was thought to be another, or none. */
  readonly isRenamed: boolean;
  /** True where the flow's hello or request was seen: its row is then what is known, not what may yet come. */
  isKnown(slot: number): boolean;
  /** True where a ClientHello was seen in the flow. */
  hasHello(slot: number): boolean;
  /** Row of the flow's provider and category, -1 for none. */
  row(slot: number): number;
  /** Position in EVIDENCE (flow-names.ts). */
  evidence(slot: number): number;
  /** Family of the flow's client by its ClientHello, as in the `family` label; empty without one. */
  family(slot: number): string;
  /** The same as a small number, 0 without one, for `familyName`. */
  familyNumber(slot: number): number;
  familyName(family: number): string;
  /** Number of the family that a User-Agent named in the CONNECT around the ClientHello, 0 where none did. */
  claimedFamilyNumber(slot: number): number;
  /** Which side of the flow is the client that greeted: 0, or 1 where the capture began in the middle. */
  clientSide(slot: number): number;
  /** Name of a row's provider, and its category. */
  provider(row: number): string;
  category(row: number): string;
  /** Position in AI_PAIRS of what a row is counted under. */
  pair(row: number): number;
}
