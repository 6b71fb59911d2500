// SPDX-License-Identifier: AGPL-3.0-or-later

/** What a live source is told. */
export interface LiveOptions {
  /** Interface name, or "any" for all interfaces where the system knows that. */
  readonly interfaceName: string;
  /** Filter in tcpdump's syntax; "" takes everything. */
  readonly filter: string;
  /** Bytes kept of each frame. */
  readonly snaplen: number;
  /** Makes the interface take frames for other stations too. */
  readonly promiscuous: boolean;
  /** Size of the buffer between the kernel and this process. */
  readonly ringMib: number;
  /** Fanout group, 1 to 65535, in which several sensors share one interface; null for one sensor alone. */
  readonly fanoutGroup: number | null;
}
