// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { say } from "./prepare.mjs";

/** Debian packages that the tests and benchmarks need, and what each is for. */
const PACKAGES = {
  iproute2: "network namespaces and veth pairs",
  "iputils-ping": "benign traffic",
  procps: "process figures to compare with",
  ethtool: "offloads off on test interfaces",
  tcpdump: "reference reader and filter compiler",
  tshark: "reference decoder",
  nmap: "port scans",
  hping3: "floods",
  slowhttptest: "connections that starve a web server",
  dns2tcp: "a tunnel through DNS",
  "netsniff-ng": "trafgen, the load generator",
  tcpreplay: "captures back onto a wire",
  "dnsmasq-base": "a DNS server inside a namespace",
  curl: "downloads in benign traffic",
  openssl: "certificates for TLS tests",
  systemd: "systemd-analyze, which reads the unit",
  prometheus: "end-to-end scrapes, and promtool",
  "prometheus-alertmanager": "end-to-end alerts, and amtool",
  rsyslog: "a collector for the syslog channel",
  "rsyslog-gnutls": "the same over TLS",
  nfdump: "nfpcapd, compared in the benchmark",
  softflowd: "compared in the benchmark",
  "argus-server": "argus, compared in the benchmark",
  "libndpi-bin": "ndpiReader, compared in the benchmark",
  "libpcap-dev": "filters, and headers for the optional package cap",
  python3: "node-gyp, which builds cap",
  make: "node-gyp, which builds cap",
  "g++": "node-gyp, which builds cap",
};

/** Services that come with them and must neither start now nor at the next boot. */
const SERVICES = [
  "prometheus",
  "prometheus-alertmanager",
  "rsyslog",
  "nfdump",
  "softflowd",
  "argus",
];
const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Installs what is missing where this process is root on a Debian system, and returns true where it did. Otherwise
 * installs nothing and says what is missing.
 */
export function ensureDebianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return false;
  say("Debian packages that the tests need and that are not installed:");
  for (const name of missing) say(`  ${name.padEnd(24)}${PACKAGES[name]}`);
  if (!isRoot() || !existsSync("/usr/bin/apt-get")) {
    say(
      "Not installing them, because this is not root on a Debian system. Tests that need them are skipped. Run:",
    );
    say(`  sudo apt-get install --no-install-recommends ${missing.join(" ")}`);
    return false;
  }
  say("Installing them with apt-get, without starting any service …");
  if (install(missing)) return true;
  say(
    "apt-get failed; the lines above say why. Tests that need these packages are skipped or fail.",
  );
  return false;
}

export function isRoot() {
  return process.getuid?.() === 0;
}

function missingPackages() {
  const names = Object.keys(PACKAGES);
  const format = `--showformat=\${db:Status-Status} \${Package}\n`;
  const result = spawnSync("dpkg-query", ["--show", format, ...names], { encoding: "utf8" });
  const installed = new Set((result.stdout ?? "").split("\n"));
  return names.filter((name) => !installed.has(`installed ${name}`));
}

function install(names) {
  // Debian's own way to keep packages from starting their services while they are installed.
  const ownPolicy = !existsSync(POLICY);
  // Ctrl-C ends apt-get, not this process, which must still take its policy away.
  const stay = () => {};
  process.on("SIGINT", stay).on("SIGTERM", stay);
  if (ownPolicy) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    aptGet(["update", "-qq"]);
    const installed = aptGet(["install", "-qq", "-y", "--no-install-recommends", ...names]);
    for (const service of SERVICES) {
      if (names.some((name) => name.startsWith(service))) disable(service);
    }
    return installed;
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
    process.off("SIGINT", stay).off("SIGTERM", stay);
  }
}

/** Keeps a service from starting at the next boot, whichever init there is. */
function disable(service) {
  const systemd = spawnSync("systemctl", ["disable", "--quiet", service], { stdio: "ignore" });
  if (systemd.error) spawnSync("update-rc.d", [service, "disable"], { stdio: "ignore" });
}

/** True where apt-get succeeded; it says itself why not. */
function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", args, { env, stdio: ["ignore", "ignore", 2] }).status === 0;
}
