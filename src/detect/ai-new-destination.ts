// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { scopeOf } from "../util/address-scope.ts";
import { z } from "../util/zod.ts";
import { ActiveAgents } from "./active-agents.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { Novelties, type Novelty, noveltiesMemory } from "./novelties.ts";
import { ReplyTimes } from "./reply-times.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count, duration, number, percent } from "./text.ts";

/** Where agents and machines fetch packages and updates: often new to a host, and no surprise. */
const IGNORED_DOMAINS = [
  ...["npmjs.org", "yarnpkg.com", "jsr.io", "pypi.org", "pythonhosted.org", "anaconda.org"],
  ...["crates.io", "rust-lang.org", "golang.org", "rubygems.org", "maven.org", "apache.org"],
  ...["gradle.org", "nuget.org", "packagist.org", "github.com", "githubusercontent.com"],
  ...["gitlab.com", "docker.io", "docker.com", "ghcr.io", "quay.io", "debian.org", "ubuntu.com"],
  ...["fedoraproject.org", "centos.org", "archlinux.org", "alpinelinux.org", "opensuse.org"],
  ...["microsoft.com", "windowsupdate.com", "apple.com", "gvt1.com", "mozilla.org"],
  ...["letsencrypt.org", "lencr.org", "digicert.com"],
];
/** A client whose uploads are no larger has said nothing. */
const SAID_BYTES = 2000;
/** What a connection carried is told once a second, and a reply's end up to ten seconds late. */
const LATE_SECONDS = 15;
const CANDIDATES = 1024;

const settings = z.strictObject({
  after_seconds: z
    .number()
    .min(1)
    .default(30)
    .describe("Seconds after the end of a model's reply within which the connection must begin."),
  within_seconds: z
    .number()
    .min(1)
    .default(120)
    .describe("Seconds from its beginning on in which what is carried counts."),
  bytes: z.number().min(1).default(10_000).describe("Bytes sent there from which on it is told."),
  ratio: z
    .number()
    .gt(0)
    .default(2)
    .describe("Or how many times more is sent than received, from 2 kB on."),
  chance: z
    .number()
    .gt(0)
    .max(1)
    .default(0.05)
    .describe(
      "Greatest probability that the host goes somewhere new within that time anyway, by how often it did in the last day.",
    ),
  learn_seconds: z
    .number()
    .min(1)
    .default(86_400)
    .describe("Seconds for which a host's destinations are learned, from its first call on."),
  known_seconds: z
    .number()
    .min(1)
    .default(7 * 86_400)
    .describe("Seconds after which a destination that was not seen again is new again."),
  ignored_domains: z
    .array(z.string().min(1))
    .default(IGNORED_DOMAINS)
    .describe("Domains that are no surprise: registries of packages, updates, certificates."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["ai_destinations"][number];

/** A destination that is new, and what was carried there since. */
interface Candidate extends Novelty {
  readonly row: Row;
  readonly sinceMs: number;
  answered: number;
  up: number;
  down: number;
}

/** What a model read may have told the agent to carry something somewhere. */
export const aiNewDestination: DetectorDefinition<Settings> = {
  name: "ai_new_destination",
  class: "exfiltration",
  help: "Soon after a model's reply, a host on which an agent is at work connects to a domain, or a bare address, where neither it nor another one went in a week, and sends data there: what follows when a document told the agent to. Not told of hosts that go to new places so often that it may be chance. Silent about a host until learn_seconds have passed.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own, context) => new NewDestinations(own, context),
};

class NewDestinations implements Detector {
  readonly #settings: Settings;
  readonly #context: DetectorContext;
  readonly #agents = new ActiveAgents();
  readonly #replies: ReplyTimes;
  readonly #novelties: Novelties;
  readonly #candidates = new BoundedMap<Candidate>(CANDIDATES);
  #elapsedMs = 0;

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
    this.#novelties = new Novelties(own);
    this.#replies = new ReplyTimes((own.after_seconds + own.within_seconds) * 1000);
  }

  evaluate(tick: Tick): Finding[] {
    const { rows } = tick.window;
    this.#elapsedMs = tick.elapsedMs;
    this.#agents.update(tick.window, tick.elapsedMs);
    this.#replies.update(rows);
    for (const row of rows.ai_destinations) this.#see(row, tick);
    return [...this.#candidates.entries()].flatMap(([key, candidate]) =>
      this.#judge(key, candidate, tick.elapsedMs),
    );
  }

  remember(): unknown {
    return this.#novelties.remember(this.#elapsedMs);
  }

  recall(memory: unknown, elapsedMs: number): void {
    this.#novelties.recall(noveltiesMemory.parse(memory), elapsedMs);
    this.#elapsedMs = elapsedMs;
  }

  #see(row: Row, tick: Tick): void {
    const key = `${row.client} ${row.destination}`;
    const novelty = row.begun > 0 ? this.#novelties.see(row, tick) : undefined;
    if (novelty !== undefined && this.#isSurprising(row)) {
      const begun = { row, sinceMs: tick.elapsedMs, answered: 0, up: 0, down: 0 };
      this.#candidates.use(key, () => ({ ...novelty, ...begun }));
    }
    const candidate = this.#candidates.peek(key);
    if (candidate === undefined) return;
    candidate.answered += row.answered;
    candidate.up += row.upBytes;
    candidate.down += row.downBytes;
  }

  #isSurprising({ isProvider, clients, destination, server }: Row): boolean {
    const { ignored_domains } = this.#settings;
    return (
      !isProvider &&
      clients < 2 &&
      scopeOf(server) === "public" &&
      !this.#context.isHome(server) &&
      !ignored_domains.includes(destination)
    );
  }

  #judge(key: string, candidate: Candidate, elapsedMs: number): Finding[] {
    const own = this.#settings;
    const { row, sinceMs, answered, up, down, chance } = candidate;
    if (elapsedMs - sinceMs > (own.within_seconds + LATE_SECONDS) * 1000) {
      this.#candidates.delete(key);
      return [];
    }
    const isSent = up >= own.bytes || (up >= SAID_BYTES && up >= own.ratio * down);
    if (!isSent || answered === 0 || chance > own.chance) return [];
    const isAfter = this.#replies.isAfter(row.client, row.startMs, own.after_seconds * 1000);
    return isAfter && this.#agents.has(row.client) ? [this.#finding(candidate)] : [];
  }

  #finding({ row, up, down, chance, learnedSeconds }: Candidate): Finding {
    const { client, destination, isNamed, server, port, answered } = row;
    const own = this.#settings;
    const isLarge = up >= own.bytes;
    return {
      entity: {
        ...{ kind: "pair", key: `${client} ${destination}`, source: client },
        ...{ destination: server, port, ...(isNamed ? { domain: destination } : {}) },
      },
      severity: "warning",
      protocol: row.family === "" ? "tcp" : "tls",
      observed: isLarge ? up : up / Math.max(1, down),
      expected: 0,
      threshold: isLarge
        ? { value: own.bytes, setting: "detectors.ai_new_destination.bytes" }
        : { value: own.ratio, setting: "detectors.ai_new_destination.ratio" },
      windowSeconds: own.within_seconds,
      samples: Math.max(1, answered),
      evidence: [
        `begun within ${number(own.after_seconds)} s after the end of a model's reply, an agent is at work on ${client}`,
        `${bytes(up)} sent and ${bytes(down)} received`,
        `${client} never went there in the ${duration(learnedSeconds)} it has been known, and no other host did in a week`,
        `that it goes somewhere new just then by chance has a probability of ${percent(chance)}`,
        `${count(Math.max(1, answered), "connection")} to ${server}, port ${port}`,
      ],
      explanation: `${client}, on which an agent is at work, sent ${bytes(up)} to ${destination}, where nobody went before, right after a model's reply: what the model read may have told it to.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
        promql: "nam_ai_agent_loops_active",
      },
    };
  }
}
