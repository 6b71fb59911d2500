// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import type { LiveOptions } from "./live-options.ts";
import { type Device, deviceNames } from "./net-device.ts";
import type { PacketSocket } from "./packet-socket.ts";

/** Name that means every interface there is. */
export const ANY_INTERFACE = "any";

const ALL_INTERFACES_INDEX = 0;

type BindingOptions = Pick<LiveOptions, "interfaceName" | "promiscuous" | "fanoutGroup">;

/**
 * Keeps a packet socket on the interface of a name: binds it, and moves it when the interface has been removed and
 * made again. An interface that is renamed is kept until another one takes the name.
 */
export class InterfaceBinding {
  readonly #socket: PacketSocket;
  readonly #options: BindingOptions;
  /** False while the interface is down or gone. */
  up = true;

  constructor(socket: PacketSocket, options: BindingOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** The interface as it is now; null for all interfaces. Throws CAPTURE_INTERFACE where there is none. */
  device(): Device | null {
    const { interfaceName, promiscuous } = this.#options;
    if (interfaceName === ANY_INTERFACE) {
      if (!promiscuous) return null;
      throw new NamError("CAPTURE_INTERFACE", `"any" cannot be promiscuous: name the interfaces`);
    }
    const device = this.#socket.device(interfaceName);
    if (device !== null) return device;
    throw new NamError(
      "CAPTURE_INTERFACE",
      `there is no interface "${interfaceName}"; there are ${deviceNames().join(", ")}`,
    );
  }

  /** Starts to receive. Throws CAPTURE_INTERFACE. */
  bind(): void {
    const device = this.device();
    if (device === null) this.#socket.bind(ALL_INTERFACES_INDEX);
    else this.#bindTo(device);
  }

  /**
   * Looks where the interface is now and goes after it. Throws CAPTURE_INTERFACE in a fanout group, whose members the
   * kernel does not let move.
   */
  follow(): void {
    const { interfaceName, fanoutGroup } = this.#options;
    if (interfaceName === ANY_INTERFACE) return;
    const device = this.#socket.device(interfaceName);
    const bound = this.#socket.boundIndex();
    if (device !== null && device.index !== bound) {
      if (fanoutGroup === null) this.#bindTo(device);
      else {
        throw new NamError(
          "CAPTURE_INTERFACE",
          `the interface ${interfaceName} was made again, and a member of a fanout group cannot follow it`,
        );
      }
    }
    this.up = (device ?? this.#renamed(bound))?.up ?? false;
  }

  #bindTo(device: Device): void {
    this.#socket.bind(device.index);
    this.up = device.up;
    if (this.#options.promiscuous) this.#socket.addPromiscuous(device.index);
  }

  #renamed(index: number): Device | null {
    const name = this.#socket.deviceName(index);
    return name === null ? null : this.#socket.device(name);
  }
}
