// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";

export type ArpRow = TrackerRows["arp"][number];

/** MAC addresses remembered for one IP address. */
const MOST_CLAIMANTS = 4;
/** A former holder that was heard this recently still exists: the address was taken from it. */
const ALIVE_MS = 300_000;
/** A former holder that is silent for this long has left, and the address is the newcomer's. */
const GONE_MS = 600_000;
/** A claimant known for this much longer than another is the one with the right. */
const SENIORITY_MS = 60_000;

/** Replies that nobody asked for, of one claimant, from which on it insists. */
const INSISTING = 2;
/** Share of a claimant's packets that such replies are at least where it insists, and stay below where it does not. */
const INSISTING_SHARE = 1 / 2;
const CALM_SHARE = 1 / 4;

/** First bytes of MAC addresses that routers share on purpose: VRRP and CARP, HSRP 1 and 2, HSRP for IPv6, GLBP. */
const SHARED_PREFIXES = [
  "00:00:5e:00:01",
  "00:00:5e:00:02",
  "00:00:0c:07:ac",
  "00:00:0c:9f:f",
  "00:05:73:a0:0",
  "00:07:b4",
] as const;

interface Claimant {
  readonly mac: string;
  readonly firstMs: number;
  seenMs: number;
  /** Replies and announcements: what a spoofer must keep sending. */
  claims: number;
  /** Packets in which it claimed the address, and replies among them that nobody had asked for. */
  sightings: number;
  unsolicited: number;
}

/** An address that one MAC took from another. */
export interface Dispute {
  readonly intruder: string;
  readonly rightful: string;
  /** `taken`: a binding to rely on changed; `contested`: two MACs keep taking the address from each other. */
  readonly kind: "taken" | "contested";
}

/** Who claimed one IP address, and which of them has no right to it. */
export class ArpClaims {
  #claimants: Claimant[] = [];
  #dispute: Dispute | null = null;

  /**
   * Takes a row; returns the dispute while its intruder claims the address. `reliable` says that the binding before a
   * change was one to rely on, `certain` that any change of it is wrong.
   */
  claimed(row: ArpRow, elapsedMs: number, reliable: boolean, certain: boolean): Dispute | null {
    const before = this.#find(row.mac)?.seenMs ?? Number.NEGATIVE_INFINITY;
    const current = this.#heard(row.mac, elapsedMs, row.replies + row.gratuitous);
    current.sightings = row.sightings;
    current.unsolicited = row.unsolicited;
    if (row.kind === "changed" && !(isShared(row.mac) && isShared(row.previousMac))) {
      const former = this.#find(row.previousMac) ?? this.#heard(row.previousMac, elapsedMs, 0);
      former.sightings = row.previousSightings;
      former.unsolicited = row.previousUnsolicited;
      const formerAlive = elapsedMs - former.seenMs <= ALIVE_MS;
      if (!this.#dispute && (certain || (reliable && formerAlive))) {
        this.#dispute = { intruder: row.mac, rightful: former.mac, kind: "taken" };
      } else if (this.#dispute?.kind !== "taken" && formerAlive && elapsedMs - before <= ALIVE_MS) {
        this.#dispute = judged(current, former);
      }
    }
    this.#turnOnEvidence();
    this.#accept(elapsedMs);
    return this.#dispute?.intruder === row.mac ? this.#dispute : null;
  }

  /**
   * Whoever answers what nobody asked, while the other answers questions, is the intruder, no matter who came first: an
   * agent that starts during an attack hears the attacker first.
   */
  #turnOnEvidence(): void {
    if (!this.#dispute) return;
    const { intruder, rightful, kind } = this.#dispute;
    const accused = this.#find(intruder);
    const accuser = this.#find(rightful);
    if (!(accused && accuser && insists(accuser) && isCalm(accused))) return;
    this.#dispute = { intruder: rightful, rightful: intruder, kind };
  }

  /** Forgets the dispute once the rightful holder is gone. */
  #accept(elapsedMs: number): void {
    if (!this.#dispute) return;
    const rightful = this.#find(this.#dispute.rightful);
    if (!rightful || elapsedMs - rightful.seenMs > GONE_MS) this.#dispute = null;
  }

  #find(mac: string): Claimant | undefined {
    return this.#claimants.find((claimant) => claimant.mac === mac);
  }

  #heard(mac: string, elapsedMs: number, claims: number): Claimant {
    const known = this.#find(mac);
    if (known) {
      known.seenMs = elapsedMs;
      known.claims += claims;
      return known;
    }
    const times = { firstMs: elapsedMs, seenMs: elapsedMs };
    const claimant = { mac, ...times, claims, sightings: 0, unsolicited: 0 };
    this.#claimants = [claimant, ...this.#claimants].slice(0, MOST_CLAIMANTS);
    return claimant;
  }
}

function insists({ sightings, unsolicited }: Claimant): boolean {
  return unsolicited >= INSISTING && unsolicited >= sightings * INSISTING_SHARE;
}

function isCalm({ sightings, unsolicited }: Claimant): boolean {
  return unsolicited === 0 || unsolicited < sightings * CALM_SHARE;
}

/** True for MAC addresses that several routers use in turn. */
function isShared(mac: string): boolean {
  return SHARED_PREFIXES.some((prefix) => mac.startsWith(prefix));
}

/** Of two that take an address from each other, the intruder is the newcomer, else the one that insists more. */
function judged(current: Claimant, former: Claimant): Dispute {
  const seniority = former.firstMs - current.firstMs;
  const currentIntrudes =
    Math.abs(seniority) >= SENIORITY_MS ? seniority < 0 : current.claims >= former.claims;
  const [intruder, rightful] = currentIntrudes ? [current, former] : [former, current];
  return { intruder: intruder.mac, rightful: rightful.mac, kind: "contested" };
}
