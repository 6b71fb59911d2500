// SPDX-License-Identifier: AGPL-3.0-or-later
// Addresses of the attack tests: every attack has attackers and victims of its own, so that each incident is of one.
import { execFileSync } from "node:child_process";
import { type Lab, VICTIM } from "./lab.ts";

/** Networks behind the victim's host: the first is all refusals, the second all silence. */
export const REFUSING = "192.0.2.0/26";
export const SILENT = "192.0.2.128/25";
/** The victims' way out, which nobody holds until frames say so. */
export const GATEWAY = "10.99.0.254";
/** A host outside the home networks, to which data can be carried out. */
export const OUTSIDE = "203.0.113.9";

/** The home host that sends to it. */
export const INSIDER = "10.99.2.16";
/** Senders that do not exist, in questions with a forged source; answers to the first ones leave all the same. */
export const FORGED = "10.99.3";
const FORGED_SENDERS = 31;

/** The attacker of that number, an address of namespace `a`. */
export function attacker(number: number): string {
  return `10.99.1.${number}`;
}

/** The victim of that number, an address of namespace `b`. */
export function victim(number: number): string {
  return `10.99.2.${number}`;
}

/** Gives both namespaces `pairs` addresses more; what goes to a victim of `a` comes from the attacker of its number. */
export function addAddresses(lab: Lab, pairs: number): void {
  const inA: string[] = [`addr add ${OUTSIDE}/32 dev lo`];
  const inB: string[] = [
    "route add 10.99.1.0/24 dev lab0",
    `route add ${FORGED}.0/24 dev lab0`,
    `route add local ${REFUSING} dev lo`,
    `route add default via ${GATEWAY}`,
  ];
  for (let number = 1; number <= pairs; number++) {
    inA.push(`addr add ${attacker(number)}/32 dev lab0`);
    inA.push(`route add ${victim(number)}/32 dev lab0 src ${attacker(number)}`);
    inB.push(`addr add ${victim(number)}/32 dev lab0`);
  }
  for (let number = 1; number <= FORGED_SENDERS; number++) {
    inB.push(`neigh add ${FORGED}.${number} lladdr ${lab.macOf(lab.a)} dev lab0`);
  }
  inA.push(`route add 192.0.2.0/24 via ${VICTIM}`);
  inB.push(`route add ${OUTSIDE}/32 dev lab0 src ${INSIDER}`);
  batch(lab.a, inA);
  batch(lab.b, inB);
}

function batch(namespace: string, commands: readonly string[]): void {
  execFileSync("ip", ["-n", namespace, "-batch", "-"], {
    input: `${commands.join("\n")}\n`,
    stdio: "pipe",
  });
}
