// SPDX-License-Identifier: AGPL-3.0-or-later
// A capture in a process of its own, which can stand in another network namespace: takes a `CaptureOrder` as its
// argument and talks `FromChild` and `ToChild` with its parent.
import { createSource } from "../../src/capture/all.ts";
import { dropPrivileges } from "../../src/capture/privileges.ts";
import { NamError } from "../../src/util/errors.ts";
import type { CaptureOrder, FromChild, ToChild } from "./child-messages.ts";
import { Recorder } from "./recorder.ts";

function send(message: FromChild): void {
  process.send?.(message);
}

function stall(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

async function capture(order: CaptureOrder): Promise<void> {
  const source = await createSource(order.settings);
  await source.open();
  const account = order.dropTo === null ? null : (await dropPrivileges(order.dropTo)).account;
  const recorder = new Recorder(source, order);
  process.on("message", (message: ToChild) => {
    if (message.type === "stop") recorder.stop();
    else if (message.type === "stall") stall(message.milliseconds);
    else send({ type: "snapshot", snapshot: recorder.snapshot() });
  });
  const ended = recorder.run();
  send({ type: "running", account });
  await ended;
  send({ type: "done", recording: recorder.recording() });
}

capture(JSON.parse(process.argv[2] ?? "") as CaptureOrder)
  .catch((error: unknown) => {
    const code = error instanceof NamError ? error.code : "not a NamError";
    send({ type: "failed", code, message: String(error) });
  })
  .finally(() => process.disconnect());
