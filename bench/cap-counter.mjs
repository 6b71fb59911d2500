// SPDX-License-Identifier: AGPL-3.0-or-later
// The least that can be done with the package cap: count frames by the low byte of their EtherType. Prints `ready`,
// and after SIGTERM how many there were. In a process of its own, because its loop holds up everything else while
// packets wait.
import cap from "cap";

const BUFFER_BYTES = 64 * 1024 * 1024;

const capture = new cap.Cap();
const frame = Buffer.alloc(65_535);
const counts = new Uint32Array(256);
// The handler's use of `frame` also keeps it alive: cap holds no reference to the memory it writes into.
capture.on("packet", () => {
  counts[frame[13]]++;
});
capture.open(process.argv[2], "", BUFFER_BYTES, frame);
process.on("SIGTERM", () => {
  process.stdout.write(`${counts.reduce((total, count) => total + count)}\n`);
  process.exit(0);
});
process.stdout.write("ready\n");
