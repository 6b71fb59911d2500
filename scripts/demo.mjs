// SPDX-License-Identifier: AGPL-3.0-or-later
// npm run demo: replays a bundled capture with attacks in it in real time, served like live traffic. No privilege
// needed: nothing is captured and nothing is sent.
import { launch } from "./launch.mjs";
import { checkNode, ensureBuild, ensureNpmPackages, say } from "./prepare.mjs";

checkNode();
ensureNpmPackages();
ensureBuild();
say(
  "Replaying demo/demo.pcap.gz in real time: seven minutes of an office with a port scan, a SYN flood and ARP spoofing.",
);
say(
  "Metrics: http://127.0.0.1:9977/metrics   Events: http://127.0.0.1:9977/api/v1/events   Stop: Ctrl-C",
);
launch([
  "replay",
  "--speed",
  "1",
  "--web.listen-address",
  "127.0.0.1:9977",
  ...process.argv.slice(2),
  "demo/demo.pcap.gz",
]);
