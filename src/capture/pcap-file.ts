// SPDX-License-Identifier: AGPL-3.0-or-later
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { messageOf, NamError } from "../util/errors.ts";
import { type ByteSource, openFile, StreamBytes } from "./byte-source.ts";
import { Delivery } from "./delivery.ts";
import { isPcap, PCAP_HEADER_BYTES, PcapReader } from "./pcap-format.ts";
import { isPcapng, PcapngReader } from "./pcapng-format.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { Damage, RecordReader } from "./record-reader.ts";
import type { CaptureSource, CaptureStats, FrameSink, LookAhead } from "./source.ts";
import { STANDARD_INPUT } from "./standard-input.ts";

/** How far a file has been read. */
export interface ReadProgress {
  readonly readBytes: number;
  /** Null where the input has no size, as a pipe. */
  readonly totalBytes: number | null;
}

/**
 * A capture file: pcap or pcapng, plain or gzip, or standard input. It is read as fast as the sink takes it and
 * the event loop gets a turn between pieces. Nothing is ever dropped, so drops are known to be 0.
 */
export class PcapFileSource implements CaptureSource {
  readonly name = "pcap-file";
  /** The file's name without its folders: the same file gives the same events wherever it lies. */
  readonly interfaceName: string;
  readonly #path: string;
  readonly #standardInput: Readable;
  #bytes: ByteSource | null = null;
  #reader: RecordReader | null = null;
  #delivery: Delivery | null = null;
  #stopped = false;
  #closed = false;
  #hold: Promise<void> | null = null;

  /** `path` may be "-" for standard input, which `standardInput` stands in for. */
  constructor(path: string, standardInput: Readable = process.stdin) {
    this.#path = path;
    this.interfaceName = basename(path);
    this.#standardInput = standardInput;
  }

  /** Format of the file, null until enough of it has been read. */
  get format(): "pcap" | "pcapng" | null {
    return this.#reader?.format ?? null;
  }

  /** LINKTYPE_ values that the file has declared so far. */
  get linkTypes(): readonly number[] {
    return this.#reader?.linkTypes ?? [];
  }

  progress(): ReadProgress {
    return {
      readBytes: this.#bytes?.inputBytes ?? 0,
      totalBytes: this.#bytes?.totalBytes ?? null,
    };
  }

  async open(): Promise<void> {
    this.#bytes =
      this.#path === STANDARD_INPUT
        ? new StreamBytes(this.#standardInput, null)
        : await openFile(this.#path);
  }

  async run(sink: FrameSink, lookAhead?: LookAhead): Promise<void> {
    if (this.#bytes === null) throw new NamError("INTERNAL", "run() needs a source that is open");
    const input = new ReadAhead(this.#bytes);
    const delivery = new Delivery(sink, lookAhead);
    delivery.stopped = this.#stopped;
    this.#delivery = delivery;
    try {
      const damage = await this.#readAll(input, delivery);
      if (damage !== null && !delivery.stopped) throw this.#damaged(damage, delivery.delivered);
    } finally {
      delivery.stopped = true;
      await input.settle();
    }
  }

  /** Called from the sink: the next frame is not delivered before `until` settles. The frame at hand stays valid. */
  hold(until: Promise<void>): void {
    this.#hold = until;
    if (this.#delivery !== null) this.#delivery.stopped = true;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#delivery !== null) this.#delivery.stopped = true;
    this.#bytes?.abort();
  }

  stats(): CaptureStats {
    return {
      received: this.#delivery?.delivered ?? 0,
      droppedKernel: 0,
      droppedRing: 0,
      duplicates: 0,
      ringFreezes: 0,
      ringFill: 0,
      dropCounterSupported: true,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    // Closing what was only read cannot lose anything, so its failure is of no consequence.
    this.#bytes?.close().catch(() => {});
  }

  async #readAll(input: ReadAhead, delivery: Delivery): Promise<Damage | null> {
    while (!delivery.stopped) {
      try {
        if (!(await input.more())) return this.#unfinished(input);
      } catch (error) {
        return this.#unreadable(input, error);
      }
      if (this.#reader === null && input.end - input.at >= PCAP_HEADER_BYTES) {
        this.#reader = recognise(input);
        if (this.#reader === null) return notACapture(input);
      }
      const reader = this.#reader;
      if (reader === null) continue;
      if (reader.damage === null) await this.#deliver(reader, input, delivery);
      if (reader.damage !== null) return reader.damage;
    }
    return null;
  }

  async #deliver(reader: RecordReader, input: ReadAhead, delivery: Delivery): Promise<void> {
    for (;;) {
      input.at = reader.read(input.view, input.at, input.end, input.origin, delivery);
      if (this.#hold === null) return;
      await this.#hold;
      this.#hold = null;
      delivery.stopped = this.#stopped;
    }
  }

  #unfinished(input: ReadAhead): Damage | null {
    const left = input.end - input.at;
    const offset = input.origin + input.at;
    if (this.#reader === null) {
      const reason = left === 0 ? "the file is empty" : `${left} bytes are no capture file`;
      return { offset, reason };
    }
    return left === 0 ? null : { offset, reason: `the file ends ${left} bytes into a record` };
  }

  #unreadable(input: ReadAhead, error: unknown): Damage {
    const reason = messageOf(error);
    if (error instanceof NamError && error.code === "CAPTURE_FILE_DAMAGED") {
      return { offset: input.origin + input.end, reason };
    }
    throw new NamError("CAPTURE_FILE", `cannot read ${this.#path}: ${reason}`, error);
  }

  #damaged(damage: Damage, delivered: number): NamError {
    return new NamError(
      "CAPTURE_FILE_DAMAGED",
      `${this.#path} is damaged at byte ${damage.offset}: ${damage.reason}; ` +
        `the ${delivered} packets before it were read`,
    );
  }
}

/** The reader for what the input begins with, past its file header where there is one; null for no known format. */
function recognise(input: ReadAhead): RecordReader | null {
  const { view, at } = input;
  if (isPcapng(view, at)) return new PcapngReader();
  if (!isPcap(view, at)) return null;
  input.at += PCAP_HEADER_BYTES;
  return new PcapReader(view, at);
}

function notACapture(input: ReadAhead): Damage {
  const magic = input.view.getUint32(input.at).toString(16).padStart(8, "0");
  return {
    offset: input.origin + input.at,
    reason: `it begins with ${magic}, which is neither pcap nor pcapng (editcap converts other formats)`,
  };
}
