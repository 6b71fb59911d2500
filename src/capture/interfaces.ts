// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { NamError } from "../util/errors.ts";
import { liveSources } from "./all.ts";
import { linkTypeName, linkTypeOfHardware } from "./link-types.ts";
import { DEVICE_FOLDER, deviceNames } from "./net-device.ts";

/** Whether a source can open an interface. */
export interface SourceCheck {
  readonly source: string;
  /** Why it cannot and what would help, or null where it can. */
  readonly problem: string | null;
}

export interface InterfaceInfo {
  readonly name: string;
  readonly up: boolean;
  /** True for the one that is captured on unless another is named. */
  readonly isDefault: boolean;
  readonly addresses: readonly string[];
  /** Name of the LINKTYPE_ value, or null where the system does not tell. */
  readonly linkType: string | null;
  readonly sources: readonly SourceCheck[];
}

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;

interface Interface {
  readonly name: string;
  readonly flags: number;
  readonly linkType: string | null;
}

/** Every interface of this machine (of this network namespace), sorted by name, with what can open it. */
export async function listInterfaces(): Promise<readonly InterfaceInfo[]> {
  const addresses = networkInterfaces();
  const found = devices();
  const chosen = chooseDefault(found);
  return Promise.all(
    found.map(async ({ name, flags, linkType }) => ({
      name,
      up: (flags & IFF_UP) !== 0,
      isDefault: name === chosen,
      addresses: (addresses[name] ?? []).map(({ address }) => address),
      linkType,
      sources: await Promise.all(
        liveSources.map(async (source) => ({
          source: source.name,
          problem: await source.check(name),
        })),
      ),
    })),
  );
}

/**
 * The interface of the default route, IPv4 before IPv6 and the lowest metric first; without one, an interface that is
 * up and is not the loopback, one with an address first; at last the loopback. Throws CAPTURE_INTERFACE.
 */
export function defaultInterface(): string {
  const chosen = chooseDefault(devices());
  if (chosen !== null) return chosen;
  throw new NamError("CAPTURE_INTERFACE", "there is no network interface that is up; name one");
}

function chooseDefault(found: readonly Interface[]): string | null {
  const up = found.filter(({ flags }) => (flags & IFF_UP) !== 0);
  const routed =
    defaultRoute4(readTable("/proc/net/route")) ?? defaultRoute6(readTable("/proc/net/ipv6_route"));
  if (routed !== null && up.some(({ name }) => name === routed)) return routed;
  const addresses = networkInterfaces();
  const outside = up.filter(({ flags }) => (flags & IFF_LOOPBACK) === 0);
  const addressed = outside.find(({ name }) => addresses[name] !== undefined);
  return (addressed ?? outside[0] ?? up[0])?.name ?? null;
}

function devices(): readonly Interface[] {
  const names = deviceNames();
  const found = names.flatMap(systemDevice);
  if (found.length > 0) return found;
  const addresses = networkInterfaces();
  // Systems other than Linux tell of interfaces with addresses only, and those are up.
  return names.map((name) => ({
    name,
    flags: IFF_UP | (addresses[name]?.some(({ internal }) => internal) ? IFF_LOOPBACK : 0),
    linkType: null,
  }));
}

function systemDevice(name: string): readonly Interface[] {
  const [flags] = readTable(`${DEVICE_FOLDER}/${name}/flags`);
  const [type] = readTable(`${DEVICE_FOLDER}/${name}/type`);
  if (flags?.[0] === undefined || type?.[0] === undefined) return [];
  const linkType = linkTypeName(linkTypeOfHardware(Number(type[0])));
  return [{ name, flags: Number(flags[0]), linkType }];
}

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

interface Route {
  readonly name: string;
  readonly metric: number;
}

/** Columns of proc_net(5), route: Iface Destination Gateway Flags RefCnt Use Metric Mask; numbers hexadecimal. */
export function defaultRoute4(rows: readonly (readonly string[])[]): string | null {
  const routes = rows.flatMap(
    ([name = "", destination, , flags = "", , , metric, mask]): Route[] =>
      destination === "00000000" && mask === "00000000" && isUsable(flags)
        ? [{ name, metric: Number(metric) }]
        : [],
  );
  return lowestMetric(routes);
}

/** Columns: destination, prefix length, source, its length, next hop, metric, counts, flags, interface. */
export function defaultRoute6(rows: readonly (readonly string[])[]): string | null {
  const routes = rows.flatMap(
    ([destination, length, , , , metric = "", , , flags = "", name = ""]) =>
      /^0{32}$/.test(destination ?? "") && length === "00" && isUsable(flags)
        ? [{ name, metric: Number.parseInt(metric, 16) }]
        : [],
  );
  return lowestMetric(routes);
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0;
}

function lowestMetric(routes: readonly Route[]): string | null {
  const best = routes.reduce<Route | null>(
    (kept, route) => (kept !== null && kept.metric <= route.metric ? kept : route),
    null,
  );
  return best?.name ?? null;
}

/** Words of each line; nothing where the file cannot be read. */
function readTable(path: string): readonly (readonly string[])[] {
  try {
    const lines = readFileSync(path, "utf8").trim().split("\n");
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}
