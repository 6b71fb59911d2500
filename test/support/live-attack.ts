// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Entity } from "../../src/detect/detector.ts";
import type { Lab } from "./lab.ts";

/**
 * What is found as fast as a second's window allows, on a machine that several attacks keep busy. The 3 s from the
 * first packet to the message at the chat services are the other end-to-end test's.
 */
export const SOON_SECONDS = 6;

/** An attack that is really made between the namespaces, and what the agent has to say about it. */
export interface LiveAttack {
  readonly detector: string;
  /** Of the incident: at least these. */
  readonly entity: Partial<Entity>;
  /** Its packets in pcap-filter(7): the first of them starts the clock. */
  readonly packets: string;
  /** Longest time from that packet until the incident can be read from the agent's API. */
  readonly withinSeconds: number;
  /** Runs it to its end, bounded in packets and time; answers what the tool said. */
  launch(lab: Lab, folder: string): Promise<string>;
}

/** Runs a tool in `a` to its end. Attack tools fail where answers are missing: what they said is for the reader. */
export async function inA(lab: Lab, command: string, ...args: string[]): Promise<string> {
  return lab.exec(lab.a, "timeout", "30", command, ...args).catch(String);
}

/** An attack that is a shell script in `a`. */
export function script(text: string): LiveAttack["launch"] {
  return (lab) => inA(lab, "bash", "-c", text);
}
