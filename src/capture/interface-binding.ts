// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync } from "node:fs";
import { NamError } from "../util/errors.ts";
import type { Device, PacketSocket } from "./packet-socket.ts";

/** Name that means every interface there is. */
export const ANY_INTERFACE = "any";

const ALL_INTERFACES_INDEX = 0;

/**
 * Keeps a packet socket on the interface of a name: binds it, and moves it when the interface has been removed and
 * made again. An interface that is renamed is kept until another one takes the name.
 */
export class InterfaceBinding {
  readonly #socket: PacketSocket;
  readonly #name: string;
  readonly #promiscuous: boolean;
  #index = ALL_INTERFACES_INDEX;
  /** False while the interface is down or gone. */
  up = true;

  constructor(socket: PacketSocket, name: string, promiscuous: boolean) {
    this.#socket = socket;
    this.#name = name;
    this.#promiscuous = promiscuous;
  }

  /** The interface as it is now; null for all interfaces. Throws CAPTURE_INTERFACE where there is none. */
  device(): Device | null {
    if (this.#name === ANY_INTERFACE) {
      if (!this.#promiscuous) return null;
      throw new NamError(
        "CAPTURE_INTERFACE",
        `"${ANY_INTERFACE}" cannot be promiscuous: name interfaces`,
      );
    }
    const device = this.#socket.device(this.#name);
    if (device !== null) return device;
    throw new NamError(
      "CAPTURE_INTERFACE",
      `there is no interface "${this.#name}"; there are ${readdirSync("/sys/class/net").join(", ")}`,
    );
  }

  /** Starts to receive. Throws CAPTURE_INTERFACE. */
  bind(): void {
    const device = this.device();
    if (device === null) this.#socket.bind(ALL_INTERFACES_INDEX);
    else this.#bindTo(device);
  }

  /** Looks where the interface is now and goes after it. Throws CAPTURE_INTERFACE where that is not possible. */
  follow(): void {
    if (this.#name === ANY_INTERFACE) return;
    const device = this.#socket.device(this.#name);
    if (device !== null && device.index !== this.#index) this.#bindTo(device);
    this.up = (device ?? this.#renamed())?.up ?? false;
  }

  #bindTo(device: Device): void {
    this.#socket.bind(device.index);
    this.#index = device.index;
    this.up = device.up;
    if (this.#promiscuous) this.#socket.addPromiscuous(device.index);
  }

  #renamed(): Device | null {
    const name = this.#socket.deviceName(this.#index);
    return name === null ? null : this.#socket.device(name);
  }
}
