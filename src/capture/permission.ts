// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";

const LINUX_HELP =
  "run as root, give the program the capability (setcap cap_net_raw=ep on the node binary), set " +
  "AmbientCapabilities=CAP_NET_RAW in a systemd unit, or start a container with --cap-add NET_RAW";
const OTHER_HELP = "run as root, or get read access to the system's capture devices (/dev/bpf*)";

/** CAPTURE_PERMISSION with the ways to get the permission on this system. */
export function permissionError(cause?: unknown): NamError {
  const help = process.platform === "linux" ? LINUX_HELP : OTHER_HELP;
  return new NamError("CAPTURE_PERMISSION", `no permission to capture: ${help}`, cause);
}
