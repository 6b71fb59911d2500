// SPDX-License-Identifier: AGPL-3.0-or-later
// Honest services inside a lab: web pages and names.

import { helperProgram } from "./helper-program.ts";
import { type Lab, until } from "./lab.ts";
import { root } from "./project.ts";

const NAMES = ["www", "api", "mail", "cdn", "git", "ntp"];

/** Runs a script of test/support in a namespace until the lab is closed. */
export async function startScript(
  lab: Lab,
  namespace: string,
  name: string,
  ...args: string[]
): Promise<void> {
  const script = await helperProgram(`test/support/${name}`);
  lab.spawn(namespace, process.execPath, [script, ...args], { cwd: root });
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

/** Pages and names in `b` at this address; resolves when they answer. */
export async function startHonest(lab: Lab, address: string): Promise<void> {
  await startScript(lab, lab.b, "benign-server.ts", address);
  startNames(lab, [address]);
  await until("the honest services", 20_000, () => lab.get(`http://${address}:8080/`));
}

/** Honest clients in `a` for some seconds; resolves when they are done. */
export async function honestClients(lab: Lab, address: string, seconds: number): Promise<void> {
  const script = await helperProgram("test/support/benign-clients.ts");
  await lab.exec(lab.a, process.execPath, script, address, String(seconds));
}

/** A client in `a` that gets token streams over TLS from a server in `b`: two as from api.openai.com, one as from nobody. */
export async function modelClient(lab: Lab, address: string): Promise<void> {
  const script = await helperProgram("test/support/lab-model.ts");
  await lab.exec(lab.a, process.execPath, script, "ask", address);
}
