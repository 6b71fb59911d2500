// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** Modbus over TCP (Modbus Messaging on TCP/IP §4); its header is too common to prove it, so it is known by port. */
export const modbus: ApplicationProtocol = {
  name: "modbus",
  help: "Modbus over TCP",
  layer: "application",
  ports: { tcp: [502] },
  create: () => ({}),
};
