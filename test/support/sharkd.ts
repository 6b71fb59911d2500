// SPDX-License-Identifier: AGPL-3.0-or-later
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

interface Answer {
  readonly id?: number;
  readonly result?: { readonly frames?: number };
  readonly error?: { readonly message: string };
}

/**
 * Wireshark that is started once and asked often (https://wiki.wireshark.org/Development/sharkd, JSON-RPC on standard
 * input): tshark takes a second to start, and less for a small capture. Ships with tshark.
 */
export class Sharkd {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;
  #loaded = 0;

  constructor() {
    this.#process = spawn("sharkd", ["-"], { stdio: ["pipe", "pipe", "ignore"] });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#take(line));
    this.#process.on("error", ({ message }) => this.#end(message));
    this.#process.on("exit", (code) => this.#end(`sharkd ended with ${code}`));
  }

  /** Opens a capture file, of which the next questions are. */
  async load(file: string): Promise<void> {
    this.#loaded++;
    await this.#ask("load", { file });
  }

  /** How many packets of the capture a display filter selects; rejects where it is none. */
  async count(filter: string): Promise<number> {
    // It remembers what each filter selects by its text, whatever was loaded since.
    const text = filter + " ".repeat(this.#loaded);
    const { frames } = await this.#ask("intervals", { filter: text });
    if (frames === undefined) throw new Error(`sharkd counts nothing for ${filter}`);
    return frames;
  }

  close(): void {
    this.#process.stdin.end();
  }

  #ask(method: string, params: Record<string, string>): Promise<{ readonly frames?: number }> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (result === undefined) reject(new Error(error?.message ?? `${method} failed`));
        else resolve(result);
      });
      this.#process.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    });
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer;
    const { id = 0 } = answer;
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #end(message: string): void {
    for (const take of this.#waiting.values()) take({ error: { message } });
    this.#waiting.clear();
  }
}
