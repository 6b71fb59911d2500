// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../scripts/fixtures/bytes.ts";
import { emptyFrame, type Frame } from "../../src/capture/source.ts";
import { applicationNames } from "../../src/decode/families.ts";
import { i32 } from "../../src/util/typed.ts";
import { sharedData } from "../support/shared-data.ts";
import { answeredCaptures, readCapture } from "./captures.ts";
import { Decoding } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { samples } from "./samples.ts";

const FRAMES = Number(process.env.NAM_FUZZ_FRAMES ?? 5_000_000);
const SEED = Number(process.env.NAM_FUZZ_SEED ?? 1);
/** The counters are compared this often, to name the mutation that broke them. */
const CHECK_EVERY = 50_000;
const LONGEST = 65_535 + 18;
/** For a frame that grows. */
const ROOM = 2 * LONGEST;
const INTERESTING = [0, 1, 2, 4, 5, 8, 20, 40, 63, 64, 127, 128, 192, 254, 255];

/** Frames to mutate, one behind the other in one piece of memory: looked up at random, millions of times. */
class Seeds {
  readonly starts: number[] = [0];
  readonly linkTypes: number[] = [];
  readonly #contents: Uint8Array[] = [];

  add(content: Uint8Array, linkType: number): void {
    if (content.length > LONGEST) return;
    this.#contents.push(content);
    this.linkTypes.push(linkType);
    this.starts.push((this.starts.at(-1) ?? 0) + content.length);
  }

  /** All of them, behind room of `before` bytes. */
  memory(before: number): Uint8Array {
    const memory = new Uint8Array(before + (this.starts.at(-1) ?? 0));
    for (const [at, content] of this.#contents.entries()) {
      memory.set(content, before + (this.starts[at] ?? 0));
    }
    return memory;
  }
}

const seeds = new Seeds();
for (const { content, linkType = 1 } of samples) seeds.add(Uint8Array.from(content), linkType);

beforeAll(async () => {
  const folder = sharedData();
  if (folder === null) return;
  for (const capture of answeredCaptures(folder)) {
    await readCapture(join(folder, capture), ({ view, start, end, linkType }) => {
      const content = new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
      seeds.add(content, linkType);
    });
  }
}, 60_000);

describe.each([
  ["each alone, with any verdict", FRAMES, () => new Decoding()],
  ["in the flows that they happen to form", Math.ceil(FRAMES / 4), () => new FlowDecoding()],
])("mutated frames, %s", (_what, frames, create) => {
  it(`${frames} of them: nothing throws, nothing is read outside, each has one outcome`, () => {
    const decoding = create();
    const mutator = new Mutator(seededRandom(SEED), seeds);
    let faults = 0;
    for (let count = 1; count <= frames; count++) {
      mutator.next();
      try {
        decoding.take(mutator.frame, mutator.verdict);
      } catch (error) {
        throw new Error(`seed ${SEED}, frame ${count}: ${mutator.describe()}`, { cause: error });
      }
      if (decoding.packet.fault !== 0) faults++;
      if (count % CHECK_EVERY === 0 || count === frames) {
        const { packets, bytes, errors } = decoding.sums();
        expect(packets).toEqual([count, count, count]);
        expect(new Set(bytes).size).toBe(1);
        expect(errors).toBe(faults);
      }
    }
    expect(faults).toBeGreaterThan(frames / 20);
    expect(faults).toBeLessThan(frames);
  });
});

/** Makes one hostile frame after another, each at the end of memory of exactly its size. */
class Mutator {
  readonly frame: Frame = emptyFrame();
  /** What the flow table might hand in: mostly nothing, sometimes any protocol. */
  verdict = 0;
  readonly #random: Random;
  readonly #starts: Int32Array;
  readonly #linkTypes: Int32Array;
  /** The frame, and behind it the seeds. */
  readonly #memory: Uint8Array;
  #length = 0;

  constructor(random: Random, from: Seeds) {
    this.#random = random;
    this.#memory = from.memory(ROOM);
    this.#starts = Int32Array.from(from.starts, (start) => start + ROOM);
    this.#linkTypes = Int32Array.from(from.linkTypes);
  }

  next(): void {
    const random = this.#random;
    const seed = this.#pick();
    this.#length = this.#copy(seed, 0, 0);
    for (let edits = 1 + random(4); edits > 0; edits--) this.#edit();
    const { frame } = this;
    frame.view = new DataView(this.#memory.buffer, 0, this.#length);
    frame.end = this.#length;
    frame.wireLength = this.#length + (random(4) === 0 ? random(1500) : 0);
    frame.linkType = i32(this.#linkTypes, random(50) === 0 ? this.#pick() : seed);
    frame.vlanTci = random(20) === 0 ? random(0x10000) : -1;
    frame.direction = random(3);
    this.verdict = random(4) === 0 ? random(applicationNames.length) : 0;
  }

  describe(): string {
    const content = Buffer.from(this.#memory.buffer, 0, this.#length).toString("hex");
    const { linkType, wireLength } = this.frame;
    return `link type ${linkType}, wire length ${wireLength}, verdict ${this.verdict}: ${content}`;
  }

  #edit(): void {
    switch (this.#random(6)) {
      case 0:
        this.#flip();
        break;
      case 1:
        this.#overwrite();
        break;
      case 2:
        this.#length = this.#random(this.#length + 1);
        break;
      case 3:
        this.#lie();
        break;
      case 4:
        this.#splice();
        break;
      default:
        this.#repeat();
    }
  }

  /** One bit, more often in the headers than behind them. */
  #flip(): void {
    const at = this.#position();
    this.#memory[at] = (this.#memory[at] ?? 0) ^ (1 << this.#random(8));
  }

  #overwrite(): void {
    const value = INTERESTING[this.#random(INTERESTING.length)] ?? 0;
    this.#memory[this.#position()] = value;
  }

  /** A 16-bit field that says something close to the bytes that remain: what length checks get wrong. */
  #lie(): void {
    const at = this.#position();
    const value = this.#length - at + this.#random(9) - 4;
    this.#memory[at] = value >>> 8;
    this.#memory[at + 1] = value;
  }

  /** The rest of another frame from here on. */
  #splice(): void {
    const seed = this.#pick();
    const at = this.#position();
    const from = this.#random(this.#lengthOf(seed) + 1);
    this.#length = at + this.#copy(seed, from, at);
  }

  /** Some bytes again behind themselves: tags in tags, options in options. */
  #repeat(): void {
    const at = this.#position();
    const length = Math.min(1 + this.#random(24), this.#length - at);
    const times = this.#random(12);
    for (let i = 1; i <= times && at + (i + 1) * length <= LONGEST; i++) {
      this.#memory.copyWithin(at + i * length, at, at + length);
      this.#length = Math.max(this.#length, at + (i + 1) * length);
    }
  }

  #position(): number {
    const bound = this.#random(3) === 0 ? this.#length : Math.min(this.#length, 96);
    return this.#random(Math.max(1, bound));
  }

  /** Copies a seed from its byte `from` on to `at`, as far as there is room; returns how much that is. */
  #copy(seed: number, from: number, at: number): number {
    const length = Math.min(this.#lengthOf(seed) - from, LONGEST - at);
    const start = i32(this.#starts, seed) + from;
    this.#memory.copyWithin(at, start, start + length);
    return length;
  }

  #lengthOf(seed: number): number {
    return i32(this.#starts, seed + 1) - i32(this.#starts, seed);
  }

  #pick(): number {
    return this.#random(this.#linkTypes.length);
  }
}
