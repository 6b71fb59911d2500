// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Packet, SETTLED_FLAG, TcpFlag } from "../decode/packet.ts";
import type { CellLayout } from "../metrics/cells.ts";
import { NamError } from "../util/errors.ts";
import { add } from "../util/typed.ts";
import { aiWatched } from "./ai/call-metrics.ts";
import { AiCalls } from "./ai/calls.ts";
import { DnsAnswers } from "./ai/dns-answers.ts";
import { FlowNames, NAMING_APPLICATIONS, type NameListener } from "./ai/flow-names.ts";
import { aiEvictions } from "./ai/metrics.ts";
import { AiProviders } from "./ai/providers.ts";
import { trackers as definitions } from "./all.ts";
import { DistinctSketches } from "./distinct.ts";
import { trackerEntities, trackerEvictions } from "./families.ts";
import { flowsActive } from "./flow-metrics.ts";
import { FlowVolumes } from "./flow-volumes.ts";
import { Flows } from "./flows.ts";
import { FlowEvent, type FlowKey, type Tracker, type TrackerDefinition } from "./tracker.ts";
import type { TrackerRows } from "./window.ts";

/** Positions of applications begin with "none" and "other". */
const FIRST_APPLICATION = 2;
/** Of the nine bits of the verdict kept with a flow, two are flags. */
const MOST_VERDICTS = 128;
const SETTLED = SETTLED_FLAG;
const CLOSING = TcpFlag.FIN | TcpFlag.RST;
/** Applications whose flows may hold calls to an AI. */
const CALL_APPLICATIONS = ["tls", "quic", "http"];

export interface FlowStageOptions {
  readonly layout: CellLayout;
  readonly counters: Float64Array;
  readonly gaugeLayout: CellLayout;
  readonly gauges: Float64Array;
  /** The same for all sensors of a monitor, or their sketches do not merge. */
  readonly hashSeed: number;
  readonly flowCapacity: number;
  readonly networkNames: readonly string[];
  readonly applicationNames: readonly string[];
  /** Which names belong to AI providers; the built-in table where it is missing. */
  readonly aiProviders?: AiProviders;
}

type Recogniser = Required<Pick<Tracker, "onRecognised">>;
/** What the http decoder leaves of agents; declared there. */
interface AgentMark {
  readonly agents?: { readonly packet: number };
}
type PacketListener = Required<Pick<Tracker, "onPacket">>;

/**
 * Packets in, a window's rows and sketches out: the flow table, the trackers fed by it, and the distinct counts.
 * Everything it will ever hold is allocated here.
 */
export class FlowStage {
  readonly #options: FlowStageOptions;
  readonly flows: Flows;
  readonly names: FlowNames;
  readonly calls: AiCalls;
  readonly distinct: DistinctSketches;
  readonly #volumes: FlowVolumes;
  readonly #dnsAnswers: DnsAnswers;
  readonly #recognisers: Recogniser[] = [];
  readonly #trackers: readonly {
    readonly definition: TrackerDefinition;
    readonly tracker: Tracker;
  }[];
  /** By position in the family of the layer. */
  readonly #networkListeners: readonly PacketListener[][];
  readonly #applicationListeners: readonly PacketListener[][];
  readonly #loginListeners: PacketListener[] = [];
  readonly #agentListeners: PacketListener[] = [];

  constructor(options: FlowStageOptions) {
    if (options.applicationNames.length > MOST_VERDICTS) {
      throw new NamError(
        "INTERNAL",
        `a flow's verdict cannot name more than ${MOST_VERDICTS} protocols`,
      );
    }
    this.#options = options;
    this.flows = new Flows({ ...options, capacity: options.flowCapacity });
    this.#volumes = new FlowVolumes(this.flows.table);
    this.distinct = new DistinctSketches(options.hashSeed);
    const { aiProviders = new AiProviders(), counters } = options;
    const evictions = options.layout.base(aiEvictions);
    this.#dnsAnswers = new DnsAnswers(aiProviders, options.hashSeed, (count) =>
      add(counters, evictions, count),
    );
    this.names = new FlowNames(aiProviders, this.#dnsAnswers, this.flows.table.capacity);
    const { names, flows } = this;
    this.calls = new AiCalls({ ...options, names, capacity: flows.table.capacity });
    this.#networkListeners = options.networkNames.map(() => []);
    this.#applicationListeners = options.applicationNames.map(() => []);
    this.#nameFlows();
    this.#trackers = definitions.map((definition) => this.#createTracker(definition));
  }

  /**
   * Finds or begins the packet's flow, sets what begins with `flow` in the packet, and says flow events. Returns the
   * application verdict kept with the flow, 0 for none. `timeMs` is flow time (window-clock.ts); `found` is what a
   * lookup of this packet in the table returned before.
   */
  lookup(packet: Packet, timeMs: number, found?: number): number {
    if (packet.ipProtocol < 0) {
      packet.flow = -1;
      packet.flowSide = 0;
      packet.flowPackets = 0;
      packet.flowMidway = false;
      return 0;
    }
    const { table } = this.flows;
    const { rows } = table;
    const slot = this.flows.accept(packet, timeMs, found);
    packet.flow = slot;
    packet.flowSide = table.side;
    packet.flowPackets = rows.packets(slot, 0) + rows.packets(slot, 1);
    packet.flowMidway = rows.isMidway(slot);
    return rows.verdict(slot);
  }

  /**
   * Keeps an application verdict with the packet's flow, and tells trackers where a payload proved it. A flow that is
   * watched for calls does not settle: all its payloads take the long way.
   */
  keep(packet: Packet, verdict: number, timeMs: number): void {
    if (packet.flow < 0) return;
    const { rows } = this.flows.table;
    const kept = this.calls.isWatched(packet.flow) ? verdict & ~SETTLED : verdict;
    if (kept === rows.verdict(packet.flow)) return;
    rows.setVerdict(packet.flow, kept);
    if (packet.guessed || packet.application < FIRST_APPLICATION) return;
    for (let i = 0; i < this.#recognisers.length; i++)
      (this.#recognisers[i] as Recogniser).onRecognised(packet, timeMs);
  }

  /** The rest of a packet's way, after its application is known; call it once after each `lookup`. */
  packet(packet: Packet, timeMs: number): void {
    if (packet.flow >= 0 && this.flows.isFirstOfWindow) this.distinct.add(packet);
    tell(this.#networkListeners[packet.network] as PacketListener[], packet, timeMs);
    if (packet.payloadLength > 0) {
      tell(this.#applicationListeners[packet.application] as PacketListener[], packet, timeMs);
    }
    if (packet.login !== 0) tell(this.#loginListeners, packet, timeMs);
    const { agents } = packet.facts as AgentMark;
    if (agents !== undefined && agents.packet === packet.number) {
      this.calls.onAgents(packet, timeMs);
      tell(this.#agentListeners, packet, timeMs);
    }
    if ((packet.tcpFlags & CLOSING) !== 0) this.calls.onClose(packet);
  }

  /** Ends the window at `timeMs`. */
  close(timeMs: number): { rows: TrackerRows; sketches: Record<string, Uint8Array> } {
    const { gauges, gaugeLayout } = this.#options;
    // Before flows end, whose bytes would be lost.
    this.#volumes.sweep(timeMs);
    for (const { tracker } of this.#trackers) tracker.settle?.(timeMs);
    this.flows.close(timeMs);
    this.calls.close(timeMs);
    gauges[gaugeLayout.base(aiWatched)] = this.calls.watched;
    gauges.set(this.flows.active, gaugeLayout.base(flowsActive));
    this.#dnsAnswers.close(timeMs);
    const entities = gaugeLayout.base(trackerEntities);
    const rows: Record<string, unknown[]> = {};
    for (const [index, { definition, tracker }] of this.#trackers.entries()) {
      gauges[entities + index] = tracker.size();
      rows[definition.name] = tracker.close(timeMs);
    }
    return { rows: rows as unknown as TrackerRows, sketches: this.distinct.take() };
  }

  /** Before the trackers, so that they find a flow's name in the packet that tells it. */
  #nameFlows(): void {
    const { names, calls } = this;
    const onFlow = (_event: number, { slot }: FlowKey): void => {
      calls.forget(slot);
      names.forget(slot);
    };
    this.flows.events.subscribe({ events: [FlowEvent.STARTED] }, { onFlow });
    names.listen(calls);
    names.listen({ onNamed: ({ flow }) => this.#unsettle(flow) });
    for (const name of NAMING_APPLICATIONS) this.#listenersOf(name)?.push(names);
    for (const name of CALL_APPLICATIONS) this.#listenersOf(name)?.push(calls);
    this.#listenersOf("dns")?.push(this.#dnsAnswers);
  }

  /** A flow whose ServerHello came first, or that greets again, is settled before it is watched. */
  #unsettle(slot: number): void {
    const { rows } = this.flows.table;
    const verdict = rows.verdict(slot);
    if ((verdict & SETTLED) !== 0 && this.calls.isWatched(slot)) {
      rows.setVerdict(slot, verdict & ~SETTLED);
    }
  }

  #listenersOf(application: string): PacketListener[] | undefined {
    return this.#applicationListeners[this.#options.applicationNames.indexOf(application)];
  }

  #createTracker(definition: TrackerDefinition): {
    definition: TrackerDefinition;
    tracker: Tracker;
  } {
    const { layout, counters, gaugeLayout, gauges, hashSeed, networkNames, applicationNames } =
      this.#options;
    const evictions = layout.base(trackerEvictions) + definitions.indexOf(definition);
    const tracker = definition.create({
      counters,
      hashSeed,
      applicationNames,
      base: (metric) => layout.base(metric),
      evicted: (count) => add(counters, evictions, count),
      names: this.names,
      flowRows: this.flows.table.rows,
      levels: gauges,
      levelBase: (metric) => gaugeLayout.base(metric),
    });
    this.flows.events.subscribe(definition, tracker);
    if (definition.volumes) this.#volumes.subscribe(tracker);
    if (definition.named) this.names.listen(tracker as NameListener);
    if (definition.calls) this.calls.subscribe(tracker);
    if (definition.recognised) this.#recognisers.push(tracker as Recogniser);
    const { packets = [], application = [] } = definition;
    for (const name of typeof packets === "string" ? [packets] : packets) {
      this.#listen(definition, tracker, name, networkNames, this.#networkListeners);
    }
    for (const name of typeof application === "string" ? [application] : application) {
      this.#listen(definition, tracker, name, applicationNames, this.#applicationListeners);
    }
    if (definition.agents) this.#agentListeners.push(tracker as PacketListener);
    if (definition.logins) this.#loginListeners.push(tracker as PacketListener);
    return { definition, tracker };
  }

  #listen(
    { name }: TrackerDefinition,
    tracker: Tracker,
    protocol: string,
    names: readonly string[],
    listeners: readonly PacketListener[][],
  ): void {
    const list = listeners[names.indexOf(protocol)];
    if (!list) throw new NamError("INTERNAL", `tracker ${name}: no protocol ${protocol}`);
    list.push(tracker as PacketListener);
  }
}

function tell(listeners: readonly PacketListener[], packet: Packet, timeMs: number): void {
  for (let i = 0; i < listeners.length; i++)
    (listeners[i] as PacketListener).onPacket(packet, timeMs);
}
