// SPDX-License-Identifier: AGPL-3.0-or-later
// Entry point of the sensor process: the only one that reads bytes off the wire. It is given no secret and no
// configuration beyond what it captures, gives up root once its socket is open, and ends with its parent.
import { setFlagsFromString } from "node:v8";
import { createSource } from "./capture/all.ts";
import { dropPrivileges } from "./capture/privileges.ts";
import { Pipeline } from "./pipeline.ts";
import type { FromSensor, SensorOptions, ToSensor } from "./sensor-messages.ts";
import { createSensorLayouts } from "./sensor-metrics.ts";
import { messageOf, NamError } from "./util/errors.ts";
import { WindowOutlet } from "./window-outlet.ts";

/** How often the wall clock is looked at for windows that no packet closes. */
const TICK_MS = 100;
/** A window waits this long after its end for packets that are still in the ring. */
const GRACE_MS = 50;
/** Most distinct strings of one tally in one window. */
const TALLY_LIMIT = 512;

/**
 * V8 stops inlining where its budget ends, which the packet path passes by far. A V8 that does not know one of the flags
 * says so on standard error and goes on without it.
 */
const INLINING = [
  "--max-inlined-bytecode-size=1000",
  "--max-inlined-bytecode-size-cumulative=4000",
];

function send(message: FromSensor): void {
  process.send?.(message);
}

async function capture(options: SensorOptions): Promise<void> {
  for (const flag of INLINING) setFlagsFromString(flag);
  const source = await createSource(options.source);
  await source.open();
  const { account } = await dropPrivileges(options.user);
  const outlet = new WindowOutlet((window) =>
    send({ type: "window", window, capturing: source.capturing?.() ?? true }),
  );
  const pipeline = new Pipeline({
    sensor: options.sensor,
    source,
    layouts: createSensorLayouts(),
    home: options.home,
    echPublicNames: options.echPublicNames,
    hashSeed: options.hashSeed,
    flowCapacity: options.flowCapacity,
    ai: options.ai,
    tallyLimit: TALLY_LIMIT,
    now: Date.now,
    emit: (window) => outlet.offer(window),
  });
  process.on("message", (message: ToSensor) => {
    if (message.type === "ack") outlet.acknowledge();
    else if (message.type === "stop") source.stop();
  });
  send({ type: "up", interface: source.interfaceName, source: source.name, account });
  const timer = startTicking(pipeline);
  try {
    await source.run((frame) => pipeline.frame(frame), pipeline.lookAhead);
    pipeline.finish();
  } finally {
    clearInterval(timer);
    source.close();
  }
}

/** Closes windows by the wall clock, but only while no packets come: with packets, their own time decides. */
function startTicking(pipeline: Pipeline): NodeJS.Timeout {
  let seen = -1;
  return setInterval(() => {
    if (pipeline.frames === seen) pipeline.tick(Date.now() - GRACE_MS);
    seen = pipeline.frames;
  }, TICK_MS);
}

function fail(error: unknown): void {
  const code = error instanceof NamError ? error.code : "SENSOR_FAILED";
  send({ type: "failed", code, message: messageOf(error) });
  process.exitCode = 1;
}

process.once("message", (message: ToSensor) => {
  if (message.type !== "start") return;
  capture(message.options)
    .catch(fail)
    .finally(() => process.disconnect?.());
});
process.on("disconnect", () => process.exit());
// The terminal sends these to the whole group; the monitor tells the sensor when to stop.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
