// SPDX-License-Identifier: AGPL-3.0-or-later
import { access, constants } from "node:fs/promises";
import { messageOf, NamError } from "../util/errors.ts";
import { type CapDevice, type CapPackage, loadCap } from "./cap-package.ts";
import { Delivery } from "./delivery.ts";
import { linkTypeOf, UNKNOWN_LINK_TYPE } from "./link-types.ts";
import type { LiveOptions } from "./live-options.ts";
import { permissionError } from "./permission.ts";
import { type CaptureSource, type CaptureStats, type FrameSink, LinkType } from "./source.ts";

/** The rest is not in the package's power. */
export type CapOptions = Pick<LiveOptions, "interfaceName" | "filter" | "snaplen" | "ringMib">;

const MIB = 1024 * 1024;
/** The package's fixed snap length: no frame is longer in the buffer. */
const CAP_SNAPLEN = 65_535;

const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: LinkType.NULL,
  ETHERNET: LinkType.ETHERNET,
  RAW: LinkType.RAW,
  LINKTYPE_LINUX_SLL: LinkType.LINUX_SLL,
  IEEE802_11_RADIO: LinkType.IEEE802_11_RADIOTAP,
};

/**
 * Live capture with libpcap, through the `cap` package, for systems without AF_PACKET. What the package does not
 * give is missing here: drops are not counted, a frame's time is that of its callback, its direction is unknown,
 * the interface is always promiscuous, and a burst keeps the process from everything else until it is over. Belongs
 * in a process of its own.
 */
export class CapSource implements CaptureSource {
  readonly name = "cap";
  readonly #options: CapOptions;
  readonly #buffer = Buffer.alloc(CAP_SNAPLEN);
  readonly #view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, CAP_SNAPLEN);
  #device: CapDevice | null = null;
  #linkType = UNKNOWN_LINK_TYPE;
  #delivery: Delivery | null = null;
  #end: () => void = () => {};
  #stopped = false;
  /** Packets dispatched before there was a sink. */
  #early = 0;

  constructor(options: CapOptions) {
    this.#options = options;
  }

  get interfaceName(): string {
    return this.#options.interfaceName;
  }

  async open(): Promise<void> {
    const cap = await loadCap();
    const { interfaceName, filter, ringMib } = this.#options;
    const device = newDevice(cap);
    device.on("packet", (capturedBytes) => this.#packet(capturedBytes));
    try {
      const name = device.open(interfaceName, filter, ringMib * MIB, this.#buffer);
      this.#linkType = linkTypeNamed(name);
    } catch (error) {
      throw openError(cap, interfaceName, filter, error);
    }
    this.#device = device;
  }

  async run(sink: FrameSink): Promise<void> {
    if (this.#stopped) return;
    if (this.#device === null) throw new NamError("INTERNAL", "run() needs a source that is open");
    const delivery = new Delivery(sink);
    delivery.frame.view = this.#view;
    delivery.frame.linkType = this.#linkType;
    this.#delivery = delivery;
    await new Promise<void>((resolve) => {
      this.#end = resolve;
    });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#delivery !== null) this.#delivery.stopped = true;
    this.#device?.close();
    this.#device = null;
    this.#end();
  }

  stats(): CaptureStats {
    return {
      received: (this.#delivery?.delivered ?? 0) + this.#early,
      droppedKernel: 0,
      droppedRing: this.#early,
      duplicates: 0,
      ringFreezes: 0,
      ringFill: 0,
      dropCounterSupported: false,
    };
  }

  close(): void {
    this.stop();
  }

  #packet(capturedBytes: number): void {
    if (this.#stopped) return;
    const delivery = this.#delivery;
    if (delivery === null) {
      this.#early++;
      return;
    }
    const { frame } = delivery;
    const timeMs = Date.now();
    frame.seconds = Math.floor(timeMs / 1000);
    frame.nanoseconds = (timeMs - frame.seconds * 1000) * 1_000_000;
    frame.start = 0;
    frame.end = Math.min(capturedBytes, this.#options.snaplen);
    frame.wireLength = capturedBytes;
    delivery.delivered++;
    delivery.sink(frame);
  }
}

/** Throws the NamError with which `open` would fail, as far as it shows without opening the interface. */
export async function checkCap(interfaceName: string): Promise<void> {
  const cap = await loadCap();
  if (!deviceNames(cap).includes(interfaceName)) {
    throw new NamError("CAPTURE_INTERFACE", `libpcap does not know ${interfaceName}`);
  }
  // What libpcap itself will use: a packet socket on Linux, a BPF device on BSD and macOS.
  if (process.platform === "linux") {
    const { PacketSocket } = await import("./packet-socket.ts");
    new PacketSocket().close();
  } else if (process.platform !== "win32") {
    await access("/dev/bpf0", constants.R_OK).catch((error) => {
      throw permissionError(error);
    });
  }
}

/**
 * The addon frees a device's libuv handle, which stays in the event loop's list, when the device is collected, and
 * aborts where opening had failed; so no device is ever collected.
 */
function newDevice(cap: CapPackage): CapDevice {
  const device = new cap.Cap();
  process.once("exit", () => device);
  return device;
}

function linkTypeNamed(name: string): number {
  const number = /^Unknown linktype (\d+)$/.exec(name)?.[1];
  return number === undefined
    ? (LINK_TYPES[name] ?? UNKNOWN_LINK_TYPE)
    : linkTypeOf(Number(number));
}

// libpcap reports every failure in words only.
function openError(cap: CapPackage, name: string, filter: string, error: unknown): NamError {
  const text = messageOf(error);
  if (/permi(t|ssion)/i.test(text)) return permissionError(error);
  const names = deviceNames(cap);
  if (filter === "" || !names.includes(name)) {
    const known = names.join(", ");
    return new NamError(
      "CAPTURE_INTERFACE",
      `cannot capture on "${name}": ${text}; there are ${known}`,
      error,
    );
  }
  return new NamError(
    "CAPTURE_FILTER",
    `cannot use the capture filter "${filter}": ${text} (syntax: pcap-filter(7))`,
    error,
  );
}

function deviceNames(cap: CapPackage): readonly string[] {
  return cap.deviceList().map(({ name }) => name);
}
