// SPDX-License-Identifier: AGPL-3.0-or-later
// Looking ahead changes nothing that is counted, whatever it is told, and in however full a flow table.
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../scripts/fixtures/bytes.ts";
import { emptyFrame, type LookAhead } from "../../src/capture/source.ts";
import type { Window } from "../../src/flow/window.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { createSensorLayouts } from "../../src/sensor-metrics.ts";
import { udpFrame } from "../decode/frames.ts";
import { IDLE_SOURCE } from "../support/idle-source.ts";

const FLOWS = 40_000;
const ROUNDS = 3;
const FRAME_BYTES = 60;
const PAYLOAD = Uint8Array.of(1, 2, 3);

/** Frames of all flows, one behind the other, and the windows that a pipeline makes of them. */
function windowsOf(ahead: (listener: LookAhead, view: DataView, at: number) => void): Window[] {
  const windows: Window[] = [];
  const pipeline = new Pipeline({
    ...{ sensor: 0, source: IDLE_SOURCE, layouts: createSensorLayouts(), home: ["10.0.0.0/8"] },
    ...{ hashSeed: 1, flowCapacity: 1 << 16, tallyLimit: 100, now: null },
    emit: (window) => windows.push(window),
  });
  const bytes = new Uint8Array(FLOWS * FRAME_BYTES);
  for (let flow = 0; flow < FLOWS; flow++) {
    const content = udpFrame({ sourcePort: 1024 + flow, destinationPort: 7, payload: PAYLOAD });
    bytes.set(content, flow * FRAME_BYTES);
  }
  const view = new DataView(bytes.buffer);
  const frame = { ...emptyFrame(), view, seconds: 1_700_000_000 };
  for (let round = 0; round < ROUNDS; round++) {
    for (let start = 0; start < bytes.length; start += FRAME_BYTES) {
      ahead(pipeline.lookAhead, view, start);
      Object.assign(frame, { start, end: start + 45, wireLength: 45 });
      pipeline.frame(frame);
    }
  }
  pipeline.finish();
  return windows;
}

describe("looking ahead", () => {
  const starts = new Int32Array(64);
  const without = windowsOf(() => {});

  it("changes nothing that is counted", () => {
    const announced = windowsOf((listener, view, at) => {
      if (at % (64 * FRAME_BYTES) !== 0) return;
      const count = Math.min(64, (view.byteLength - at) / FRAME_BYTES);
      for (let i = 0; i < count; i++) starts[i] = at + i * FRAME_BYTES;
      listener.announce(view, starts, count);
    });
    expect(announced).toEqual(without);
  });

  it("is worth its while once there are many flows", () => {
    const states: boolean[] = [];
    windowsOf((listener) => states.push(listener.isWorthwhile()));
    // A flow of a full bucket takes the row of another.
    expect([states[0], states[32_767], states[FLOWS]]).toEqual([false, false, true]);
  });

  it("takes whatever lies there, up to the very end of the memory", () => {
    const random = seededRandom(7);
    const announced = windowsOf((listener, view, at) => {
      if (at % (640 * FRAME_BYTES) !== 0) return;
      for (let i = 0; i < 64; i++) starts[i] = view.byteLength - random(100);
      listener.announce(view, starts, 64);
      listener.announce(new DataView(new ArrayBuffer(3)), starts, 0);
    });
    expect(announced).toEqual(without);
  });
});
