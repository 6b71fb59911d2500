// SPDX-License-Identifier: AGPL-3.0-or-later
// Entry point of the thread that reads a replay's packets. It starts before the configuration has been read and is
// told what to do when it has.
import { parentPort } from "node:worker_threads";
import type { FromReplayWorker, PacketJob, ToReplayWorker } from "./replay-messages.ts";
import { ReplayPackets } from "./replay-packets.ts";
import { createSensorLayouts } from "./sensor-metrics.ts";

/** Windows that may wait for detection before packets wait, too: memory stays bounded. */
const WINDOWS_AHEAD = 64;

const port = parentPort;
// Made while the configuration is being read.
const layouts = createSensorLayouts();

function send(message: FromReplayWorker): void {
  port?.postMessage(message);
}

function start(job: PacketJob, taken: Int32Array): ReplayPackets {
  let sent = 0;
  return new ReplayPackets(job, layouts, (message) => {
    send(message);
    if (message.type !== "window") return;
    sent++;
    for (;;) {
      const done = Atomics.load(taken, 0);
      if (sent - done < WINDOWS_AHEAD) return;
      Atomics.wait(taken, 0, done);
    }
  });
}

let packets: ReplayPackets | null = null;
port?.on("message", (message: ToReplayWorker) => {
  if (message.type === "stop") {
    packets?.stop();
    return;
  }
  packets = start(message.job, message.taken);
  void packets.run().then(() => send({ type: "done" }));
});
