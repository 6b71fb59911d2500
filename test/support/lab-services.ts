// SPDX-License-Identifier: AGPL-3.0-or-later
// Honest services inside a lab: web pages and names.
import type { Lab } from "./lab.ts";
import { root } from "./project.ts";

const NAMES = ["www", "api", "mail", "cdn", "git", "ntp"];

/** Runs a script of test/support in a namespace until the lab is closed. */
export function startScript(lab: Lab, namespace: string, name: string, ...args: string[]): void {
  const command = ["--import", "tsx", `test/support/${name}`, ...args];
  lab.spawn(namespace, process.execPath, command, { cwd: root });
}

/** A name server in `b` at these addresses that knows the hosts of lab.test, and no others. */
export function startNames(lab: Lab, addresses: readonly string[], ...flags: string[]): void {
  lab.spawn(lab.b, "dnsmasq", [
    ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"],
    ...["--pid-file=", "--user=root", "--bind-interfaces", "--local=/#/"],
    ...addresses.map((address) => `--listen-address=${address}`),
    ...NAMES.map((name) => `--host-record=${name}.lab.test,${addresses[0]}`),
    ...flags,
  ]);
}

/** Honest clients in `a` for some seconds; resolves when they are done. */
export function honestClients(lab: Lab, address: string, seconds: number): Promise<string> {
  return lab.exec(
    ...([lab.a, process.execPath, "--import", "tsx"] as const),
    ...[`${root}test/support/benign-clients.ts`, address, String(seconds)],
  );
}

/** A client in `a` that gets token streams over TLS from a server in `b`: two as from api.openai.com, one as from nobody. */
export function modelClient(lab: Lab, address: string): Promise<string> {
  const script = `${root}test/support/lab-model.ts`;
  return lab.exec(lab.a, process.execPath, "--import", "tsx", script, "ask", address);
}
