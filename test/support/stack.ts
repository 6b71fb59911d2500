// SPDX-License-Identifier: AGPL-3.0-or-later
import { type ChildProcess, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { helperProgram } from "./helper-program.ts";
import { type Lab, until } from "./lab.ts";
import { root } from "./project.ts";
import type { Received } from "./webhook-stand-in.ts";

const STAND_IN = "http://127.0.0.1:9199";
export const AGENT = "http://127.0.0.1:9977";
export const PROMETHEUS = "http://127.0.0.1:9090";
export const ALERTMANAGER = "http://127.0.0.1:9093";
/** Where the agent and Alertmanager send; the paths tell them apart. */
const HOOKS = {
  agentSlack: "/services/T0/B0/agent",
  agentDiscord: "/api/webhooks/42/agent",
  alertmanagerSlack: "/services/T0/B0/alertmanager",
  alertmanagerDiscord: "/api/webhooks/42/alertmanager",
} as const;
export type Hook = keyof typeof HOOKS;

type QueryResult = { metric: Record<string, string>; value: [number, string] }[];

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: QueryResult };
}

/** Everything an operator runs, in the victim's namespace: agent, Prometheus, Alertmanager, and the chat stand-ins. */
export class Stack {
  readonly #lab: Lab;
  readonly folder = mkdtempSync(join(tmpdir(), "nam-stack-"));
  agentPid = 0;
  readonly #settings: string;

  /** `settings`: lines of the agents' configuration besides name and channels. */
  constructor(lab: Lab, settings = "") {
    this.#lab = lab;
    this.#settings = settings;
  }

  /** Starts all of it with the configuration files that are shipped; resolves when everything answers. */
  async start(...agentFlags: string[]): Promise<void> {
    await this.startHooks();
    this.startAgent(...agentFlags);
    this.#startPrometheus();
    this.#startAlertmanager();
    for (const url of [
      `${STAND_IN}/-/received`,
      `${AGENT}/-/ready`,
      `${PROMETHEUS}/-/ready`,
      `${ALERTMANAGER}/-/ready`,
    ]) {
      await until(url, 20_000, () => this.#lab.get(url, "-f"));
    }
  }

  async startHooks(): Promise<void> {
    const script = await helperProgram("test/support/webhook-stand-in.ts");
    this.#node(script, "--port", "9199");
  }

  /** The agent alone, as `nam run` with Slack, Discord and log channels. */
  startAgent(...flags: string[]): ChildProcess {
    const config = join(this.folder, "agent.yml");
    const channel = (type: string, hook: Hook): string =>
      `  - {type: ${type}, url: "${STAND_IN}${HOOKS[hook]}", allow_http: true, allow_private: true}\n`;
    writeFileSync(
      config,
      `agent: {name: victim}\nchannels:\n${channel("slack", "agentSlack")}${channel("discord", "agentDiscord")}  - {type: log}\n${this.#settings}`,
      { mode: 0o600 },
    );
    const child = this.#node(
      ...["dist/main.js", "run", "--interface", this.#lab.interfaceName],
      ...["--config.file", config, "--storage.path", join(this.folder, "state")],
      ...["--log.format", "logfmt", ...flags],
    );
    // `ip netns exec` becomes the command it runs.
    this.agentPid = child.pid ?? 0;
    return child;
  }

  /** Messages that arrived at one of the webhooks, oldest first. */
  async received(hook: Hook): Promise<Received[]> {
    const all = await this.#lab.json<Received[]>(`${STAND_IN}/-/received`);
    return all.filter(({ path }) => path.startsWith(HOOKS[hook]));
  }

  async forget(): Promise<void> {
    await this.#lab.get(`${STAND_IN}/-/received`, "-X", "DELETE");
  }

  /** Process ids of the agent's sensors. */
  sensorPids(): number[] {
    const text = execFileSync("pgrep", ["-P", String(this.agentPid)], { encoding: "utf8" });
    return text.split("\n").filter(Boolean).map(Number);
  }

  async metrics(): Promise<string> {
    return this.#lab.get(`${AGENT}/metrics`);
  }

  /** Result of an instant query against the real Prometheus. */
  async query(expr: string): Promise<QueryResult> {
    const [result] = await this.queries([expr]);
    return result as QueryResult;
  }

  /** The same of many queries, by one process. */
  async queries(exprs: readonly string[]): Promise<QueryResult[]> {
    const quoted = (text: string): string => JSON.stringify(text);
    const requests = exprs.map((expr) =>
      [
        `url = ${quoted(`${PROMETHEUS}/api/v1/query`)}`,
        `data-urlencode = ${quoted(`query=${expr}`)}`,
        'write-out = "\\n"',
        ...["silent", "show-error", "max-time = 10"],
      ].join("\n"),
    );
    const file = join(this.folder, "queries.curl");
    writeFileSync(file, requests.join("\nnext\n"));
    const lines = (await this.#lab.exec(this.#lab.b, "curl", "--config", file)).trim().split("\n");
    return exprs.map((expr, at) => {
      const answer = JSON.parse(lines[at] ?? "") as QueryAnswer;
      if (answer.status !== "success") throw new Error(`${expr}: ${answer.error}`);
      return answer.data.result;
    });
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #node(...args: string[]) {
    return this.#lab.spawn(this.#lab.b, process.execPath, args, { cwd: root });
  }

  #startPrometheus(): void {
    this.#lab.spawn(
      this.#lab.b,
      "prometheus",
      [
        `--config.file=${join(root, "prometheus/prometheus.yml")}`,
        `--storage.tsdb.path=${join(this.folder, "tsdb")}`,
        "--web.listen-address=127.0.0.1:9090",
        "--enable-feature=exemplar-storage",
        "--log.level=error",
      ],
      { cwd: this.folder },
    );
  }

  #startAlertmanager(): void {
    const secret = (name: string, hook: Hook): string => {
      const path = join(this.folder, name);
      writeFileSync(path, STAND_IN + HOOKS[hook], { mode: 0o600 });
      return path;
    };
    const rendered = execFileSync(join(root, "alertmanager/render.sh"), [
      secret("slack", "alertmanagerSlack"),
      secret("discord", "alertmanagerDiscord"),
    ]);
    const config = join(this.folder, "alertmanager.yml");
    writeFileSync(config, rendered);
    this.#lab.spawn(
      this.#lab.b,
      "prometheus-alertmanager",
      [
        `--config.file=${config}`,
        `--storage.path=${join(this.folder, "alertmanager")}`,
        "--web.listen-address=127.0.0.1:9093",
        "--cluster.listen-address=",
        "--log.level=error",
      ],
      { cwd: join(root, "alertmanager") },
    );
  }
}
