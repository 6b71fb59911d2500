// SPDX-License-Identifier: AGPL-3.0-or-later
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { Pcapng, packets, pcap } from "./capture-files.ts";
import { readBytes, readFile } from "./read-capture.ts";
import { temporaryFiles } from "./temporary-files.ts";

const { saved } = temporaryFiles();

describe("PcapFileSource", () => {
  const written = packets(3000);
  const plain = pcap(written);

  it("gives the same frames however the input is cut into chunks", async () => {
    const pcapng = new Pcapng().section(true).interface(1);
    for (const { bytes } of written.slice(0, 40)) pcapng.enhanced(0, 7n, bytes);
    for (const file of [pcap(written.slice(0, 40)), pcapng.done()]) {
      const whole = await readBytes(file);
      expect(whole.frames.length).toBe(40);
      for (const chunkBytes of [1, 2, 3, 7, 16, 24, 61, 1000]) {
        expect(await readBytes(file, chunkBytes)).toEqual(whole);
      }
    }
  });

  it("reads a file that is longer than any buffer", async () => {
    const many = packets(400, (index) => 20_000 + index * 100);
    const { frames, error } = await readFile(saved("long.pcap", pcap(many)));
    expect(error).toBeNull();
    expect(frames.map(({ bytes }) => bytes.length)).toEqual(many.map(({ bytes }) => bytes.length));
    const read = (index: number): number | undefined => frames[index]?.bytes.at(-1);
    for (const index of [0, 100, 399]) expect(read(index)).toBe(index & 255);
  });

  it("delivers from a pipe as the packets come, and ends when stopped", async () => {
    const pipe = new PassThrough();
    const source = new PcapFileSource("-", pipe);
    await source.open();
    const seen: number[] = [];
    let wake = (): void => {};
    const ended = source.run((frame) => {
      seen.push(frame.end - frame.start);
      wake();
    });
    pipe.write(pcap(packets(1)));
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    expect(seen).toEqual([60]);
    expect(source.progress()).toEqual({ readBytes: 24 + 16 + 60, totalBytes: null });
    source.stop();
    await ended;
    pipe.write(pcap(packets(2)).subarray(24));
    source.close();
    expect(seen).toEqual([60]);
  });

  it("delivers nothing when it was stopped before it ran", async () => {
    const source = new PcapFileSource(saved("stopped.pcap", plain));
    await source.open();
    source.stop();
    await source.run(() => expect.unreachable());
    source.close();
    source.close();
    expect(source.stats()).toMatchObject({ received: 0, dropCounterSupported: true });
  });

  it("waits where the sink holds it, with the frame unchanged meanwhile", async () => {
    const source = new PcapFileSource(saved("held.pcap", pcap(packets(4))));
    await source.open();
    const seen: string[] = [];
    await source.run((frame) => {
      const { view, start, end } = frame;
      seen.push(`frame ${frame.seconds}`);
      const wait = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        seen.push(`held ${frame.seconds}, ${view.getUint8(start)} ${end - start}`);
      });
      source.hold(wait);
    });
    source.close();
    expect(seen).toEqual(
      [0, 1, 2, 3].flatMap((index) => [
        `frame ${1_700_000_000 + index}`,
        `held ${1_700_000_000 + index}, ${index} ${60 + index}`,
      ]),
    );
  });
});
