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
  hping3: "SYN floods",
  dsniff: "ARP spoofing",
  "netsniff-ng": "trafgen, the load generator",
  tcpreplay: "captures back onto a wire",
  "dnsmasq-base": "a DNS server inside a namespace",
  curl: "downloads in benign traffic",
  jq: "answers of the API in shell checks",
  openssl: "certificates for TLS tests",
  prometheus: "end-to-end scrapes, and promtool",
  "prometheus-alertmanager": "end-to-end alerts, and amtool",
  nfdump: "nfpcapd, compared in the benchmark",
  softflowd: "compared in the benchmark",
  "argus-server": "argus, compared in the benchmark",
  "libpcap-dev": "filters, and headers for the optional package cap",
  python3: "node-gyp, which builds cap",
  make: "node-gyp, which builds cap",
  "g++": "node-gyp, which builds cap",
};

/** Services that come with them and must neither start now nor at the next boot. */
const SERVICES = ["prometheus", "prometheus-alertmanager", "nfdump", "softflowd", "argus"];
const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Installs what is missing where this process is root on a Debian system. Otherwise installs nothing, says what
 * is missing, and returns false.
 */
export function ensureDebianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return true;
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
  install(missing);
  return true;
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
  const services = SERVICES.filter((service) => names.some((name) => name.startsWith(service)));
  // Debian's own way to keep packages from starting their services while they are installed.
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    aptGet(["update", "-qq"]);
    aptGet(["install", "-qq", "-y", "--no-install-recommends", ...names]);
    for (const service of services) {
      spawnSync("deb-systemd-helper", ["disable", `${service}.service`], { stdio: "ignore" });
    }
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync("apt-get", args, { env, stdio: ["ignore", 2, 2] });
  if (result.status === 0) return;
  say(`apt-get ${args[0]} failed; the lines above say why.`);
  process.exitCode = 1;
  throw new Error(`apt-get ${args.join(" ")} failed`);
}
