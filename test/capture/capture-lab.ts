// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { SourceSettings } from "../../src/capture/all.ts";
import { helperProgram } from "../support/helper-program.ts";
import { Lab, until } from "../support/lab.ts";
import type { CaptureOrder, FromChild, ToChild } from "./child-messages.ts";
import type { CaptureSnapshot, Recording } from "./recorder.ts";
import type { Outgoing } from "./send-child.ts";

/** A capture of everything on the cable. */
export const DEFAULT_SETTINGS: SourceSettings = {
  source: "afpacket",
  interfaceName: "lab0",
  filter: "",
  stealth: false,
  snaplen: 2048,
  promiscuous: false,
  ringMib: 8,
  fanoutGroup: null,
};

/** What the addon of `cap` prints of an interface without an IPv4 address, as ours are. */
const CAP_NOTE = /This may not actually work/;

/** An order with the defaults filled in. */
export type PartialOrder = Partial<Omit<CaptureOrder, "settings">> & {
  readonly settings?: Partial<SourceSettings>;
};

/** Two namespaces on one cable, on which nothing speaks by itself; captures usually stand in `b`. */
export class CaptureLab {
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async create(): Promise<CaptureLab> {
    const lab = new Lab("capture");
    for (const namespace of [lab.a, lab.b]) {
      await lab.exec(namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
      await lab.exec(namespace, "ip", "addr", "flush", "dev", "lab0");
      await lab.exec(namespace, "ip", "link", "set", "lab0", "mtu", "9000");
    }
    return new CaptureLab(lab);
  }

  /**
   * Starts a capture; resolves when it runs, rejects with a `CaptureFailure` where it cannot be opened. `wrapper` is a
   * command to start it with, such as setpriv.
   */
  async capture(
    order: PartialOrder = {},
    { namespace = this.lab.b, wrapper = [] as readonly string[] } = {},
  ): Promise<CaptureProcess> {
    const whole: CaptureOrder = {
      keepFrames: true,
      stopAfter: null,
      dropTo: null,
      ...order,
      settings: { ...DEFAULT_SETTINGS, ...order.settings },
    };
    const script = await helperProgram("test/capture/capture-child.ts");
    const child = this.#helper(namespace, script, JSON.stringify(whole), wrapper);
    const capture = new CaptureProcess(child);
    await capture.running;
    return capture;
  }

  /** Sends frames out of an interface; resolves when the last one has been given to the kernel. */
  async send(
    frames: readonly Uint8Array[],
    { namespace = this.lab.a, interfaceName = "lab0", rounds = 1 } = {},
  ): Promise<void> {
    const script = await helperProgram("test/capture/send-child.ts");
    const child = this.#helper(namespace, script, interfaceName);
    child.send({ frames: [...frames], rounds } satisfies Outgoing);
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`sending ended with ${code}`);
  }

  /** Address of an interface, as six bytes. */
  async mac(namespace = this.lab.b, interfaceName = "lab0"): Promise<Uint8Array> {
    const path = `/sys/class/net/${interfaceName}/address`;
    const text = await this.lab.exec(namespace, "cat", path);
    return Uint8Array.from(text.trim().split(":"), (byte) => Number.parseInt(byte, 16));
  }

  #helper(
    namespace: string,
    script: string,
    argument: string,
    wrapper: readonly string[] = [],
  ): ChildProcess {
    const [command = "", ...rest] = [...wrapper, process.execPath, script, argument];
    const child = this.lab.spawn(namespace, command, rest, {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      serialization: "advanced",
    });
    child.stderr?.on("data", (text: Buffer) => {
      if (!CAP_NOTE.test(text.toString())) process.stderr.write(text);
    });
    return child;
  }
}

/** Why a capture in a child process failed. */
export class CaptureFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A capture that runs in a child process. */
export class CaptureProcess {
  readonly running: Promise<string | null>;
  readonly #done: Promise<Recording>;
  readonly #exit: Promise<unknown[]>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, "exit");
    this.running = this.#message("running").then(({ account }) => account);
    this.#done = this.#message("done").then(({ recording }) => recording);
    // Looked at only by those who ask for it.
    this.#done.catch(() => {});
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  async snapshot(): Promise<CaptureSnapshot> {
    const answer = this.#message("snapshot");
    this.#tell({ type: "snapshot" });
    return (await answer).snapshot;
  }

  stall(milliseconds: number): void {
    this.#tell({ type: "stall", milliseconds });
  }

  /** Waits until the snapshot is as wished. */
  async until(what: string, wished: (snapshot: CaptureSnapshot) => boolean): Promise<void> {
    await until(what, 10_000, async () => {
      const snapshot = await this.snapshot();
      if (!wished(snapshot)) throw new Error(JSON.stringify(snapshot));
      return true;
    });
  }

  /** Waits until so many frames have been delivered, then stops; returns what was recorded. */
  async take(count: number): Promise<Recording> {
    await this.until(`${count} frames`, ({ delivered }) => delivered >= count);
    return this.stop();
  }

  async stop(): Promise<Recording> {
    this.#tell({ type: "stop" });
    return this.ended();
  }

  /** What was recorded, once the capture has ended; rejects where the process does not end as well. */
  async ended(): Promise<Recording> {
    const recording = await this.#done;
    const [code] = await this.#exit;
    if (code !== 0) throw new Error(`the capture exited with ${code}`);
    return recording;
  }

  #tell(message: ToChild): void {
    this.#child.send(message);
  }

  #message<Type extends FromChild["type"]>(
    type: Type,
  ): Promise<Extract<FromChild, { readonly type: Type }>> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        this.#child.off("message", listen).off("exit", exited);
        how();
      };
      const exited = (code: number | null): void =>
        settle(() => reject(new Error(`the capture exited with ${code}`)));
      const listen = (message: FromChild): void => {
        if (message.type === type)
          settle(() => resolve(message as Extract<FromChild, { type: Type }>));
        else if (message.type === "failed") {
          settle(() => reject(new CaptureFailure(message.code, message.message)));
        }
      };
      this.#child.on("message", listen).once("exit", exited);
    });
  }
}
