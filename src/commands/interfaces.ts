// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import { type InterfaceInfo, listInterfaces } from "../capture/interfaces.ts";
import type { CommandContext } from "./command.ts";
import { formatTable } from "./table.ts";

const EXAMPLES = `
Examples:
  nam interfaces
  nam interfaces --json | jq -r '.[] | select(.isDefault) | .name'
`;

/** `nam interfaces`: what can be captured on, and what stands in the way. */
export function interfacesSubcommand({ io }: CommandContext): Command {
  return new Command("interfaces")
    .description("List the network interfaces and which capture sources can open them.")
    .option("--json", "Print JSON.")
    .addHelpText("after", EXAMPLES)
    .action(async ({ json }: { readonly json?: true }) => {
      const interfaces = await listInterfaces();
      io.stdout.write(json ? `${JSON.stringify(interfaces, null, 2)}\n` : describe(interfaces));
    });
}

function describe(interfaces: readonly InterfaceInfo[]): string {
  const rows = interfaces.map(({ name, up, isDefault, linkType, sources, addresses }) => [
    `${isDefault ? "*" : " "} ${name}`,
    up ? "up" : "down",
    linkType ?? "unknown",
    sources.map(({ source, problem }) => `${source}: ${problem === null ? "yes" : "no"}`).join(" "),
    addresses.join(" "),
  ]);
  const table = formatTable(["  NAME", "STATE", "LINK", "CAPTURE", "ADDRESSES"], rows);
  return `${table}\n* is captured on unless --interface names others.\n${problems(interfaces)}`;
}

/** Each reason once, with the interfaces it holds for. */
function problems(interfaces: readonly InterfaceInfo[]): string {
  const names = new Map<string, string[]>();
  for (const { name, sources } of interfaces) {
    for (const { source, problem } of sources) {
      if (problem === null) continue;
      const reason = `${source}: ${problem}`;
      names.set(reason, [...(names.get(reason) ?? []), name]);
    }
  }
  const lines = [...names].map(([reason, affected]) =>
    affected.length === interfaces.length ? `  ${reason}` : `  ${reason} (${affected.join(", ")})`,
  );
  return lines.length === 0 ? "" : `\nWhere it says no:\n${lines.join("\n")}\n`;
}
