// SPDX-License-Identifier: AGPL-3.0-or-later

/** Every error code the product can report, why it comes and what to do; docs/errors.md is made from it. */
export const ERROR_CODES = {
  CAPTURE_PERMISSION: {
    cause: "The system does not let this process open a capture socket.",
    remedy:
      "Run as root, or give the process CAP_NET_RAW: `setcap`, a systemd unit, or container flags. `npm run demo` works without.",
  },
  CAPTURE_INTERFACE: {
    cause: "The interface does not exist, or is of a kind that cannot be captured on.",
    remedy: "`nam interfaces` lists what there is; name one with `--interface`.",
  },
  CAPTURE_SOURCE_UNAVAILABLE: {
    cause: "The capture source cannot be loaded on this machine.",
    remedy: "`nam interfaces` says why; choose another with `--capture.source`.",
  },
  CAPTURE_FILTER: {
    cause: "The capture filter is not valid, or cannot be compiled here.",
    remedy:
      "Write it in tcpdump's syntax, e.g. `tcp port 443`; installing libpcap makes filters work.",
  },
  CAPTURE_FILE: {
    cause: "The file cannot be read, or is no capture.",
    remedy:
      "Check the path; pcap and pcapng are understood, also with gzip, and `-` is standard input.",
  },
  CAPTURE_FILE_DAMAGED: {
    cause: "The capture ends in the middle of a record, or holds something impossible.",
    remedy:
      "What came before the damage was processed; capture or copy the file again for the rest.",
  },
  CONFIG_READ: {
    cause: "A file of the configuration, a certificate or a key cannot be read.",
    remedy: "Check the path and its permissions.",
  },
  CONFIG_INVALID: {
    cause: "The configuration is not valid.",
    remedy: "The message names file, line and setting; `nam check-config FILE` checks again.",
  },
  USAGE: {
    cause: "The command line does not make sense.",
    remedy: "`nam --help`, and `--help` on every command.",
  },
  LISTEN: {
    cause: "A listen address cannot be had.",
    remedy: "Stop the program that has it, or choose another with `--web.listen-address`.",
  },
  STORAGE: {
    cause: "The folder for baselines, events and messages cannot be used.",
    remedy: "Create it, make it writable, or choose another with `--storage.path`.",
  },
  SENSOR_FAILED: {
    cause: "A sensor process could not start, or ended again and again.",
    remedy: "The log says why.",
  },
  CHANNEL: {
    cause: "A channel's secret is missing or does not fit, or the vendor refused the message.",
    remedy: "Check the channel's settings; `nam test-alert` tries again.",
  },
  INTERNAL: {
    cause: "A fault of the program.",
    remedy: "Please report it, with the text that was printed.",
  },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
