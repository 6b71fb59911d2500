// SPDX-License-Identifier: AGPL-3.0-or-later
import { messageOf, NamError } from "../util/errors.ts";

/** A libpcap handle of the `cap` package (https://github.com/mscdex/cap), which brings no type declarations. */
export interface CapDevice {
  /**
   * Opens the interface, promiscuous and with a snap length of 65,535, and starts to dispatch packets at once. Each
   * is copied to the start of `buffer` before the listener is called. Returns the name of the link type. Throws
   * libpcap's text.
   */
  open(interfaceName: string, filter: string, bufferBytes: number, buffer: Buffer): string;
  /** May be called by the listener; no packet is dispatched after it. */
  close(): boolean;
  on(event: "packet", listener: (capturedBytes: number, truncated: boolean) => void): this;
}

export interface CapPackage {
  readonly Cap: new () => CapDevice;
  deviceList(): readonly { readonly name: string }[];
}

/** Loads the optional package. Throws CAPTURE_SOURCE_UNAVAILABLE with what to do where it is missing. */
export async function loadCap(): Promise<CapPackage> {
  // Not a literal, so that the compiler does not ask for the declarations the package lacks.
  const name: string = "cap";
  try {
    const loaded: { readonly default: CapPackage } = await import(name);
    return loaded.default;
  } catch (error) {
    throw new NamError(
      "CAPTURE_SOURCE_UNAVAILABLE",
      "the capture source cap is not installed: install libpcap's headers (Debian: libpcap-dev) and a C++ " +
        `compiler, then run npm install again (${messageOf(error).split("\n")[0]})`,
      error,
    );
  }
}
