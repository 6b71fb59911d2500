// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../scripts/fixtures/bytes.ts";
import { emptyFrame, type Frame } from "../../src/capture/source.ts";
import { applicationNames } from "../../src/decode/families.ts";
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
const INTERESTING = [0, 1, 2, 4, 5, 8, 20, 40, 63, 64, 127, 128, 192, 254, 255];

interface Seed {
  readonly content: Uint8Array;
  readonly linkType: number;
}

const seeds: Seed[] = samples.map(({ content, linkType = 1 }) => ({
  content: Uint8Array.from(content),
  linkType,
}));

beforeAll(async () => {
  const folder = sharedData();
  if (folder === null) return;
  for (const capture of answeredCaptures(folder)) {
    await readCapture(join(folder, capture), ({ view, start, end, linkType }) => {
      const content = new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
      if (content.length <= LONGEST) seeds.push({ content, linkType });
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
  readonly #seeds: readonly Seed[];
  readonly #memory = new Uint8Array(2 * LONGEST);
  #length = 0;

  constructor(random: Random, seeds: readonly Seed[]) {
    this.#random = random;
    this.#seeds = seeds;
  }

  next(): void {
    const random = this.#random;
    const seed = this.#pick();
    this.#memory.set(seed.content);
    this.#length = seed.content.length;
    for (let edits = 1 + random(4); edits > 0; edits--) this.#edit();
    const { frame } = this;
    frame.view = new DataView(this.#memory.buffer, 0, this.#length);
    frame.end = this.#length;
    frame.wireLength = this.#length + (random(4) === 0 ? random(1500) : 0);
    frame.linkType = random(50) === 0 ? this.#pick().linkType : seed.linkType;
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
    const { content } = this.#pick();
    const at = this.#position();
    const from = this.#random(content.length + 1);
    const part = content.subarray(from, from + LONGEST - at);
    this.#memory.set(part, at);
    this.#length = at + part.length;
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

  #pick(): Seed {
    return this.#seeds[this.#random(this.#seeds.length)] as Seed;
  }
}
