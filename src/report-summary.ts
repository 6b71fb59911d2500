// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "./detect/detector.ts";
import type { FileReport, Report } from "./report.ts";

const TOP = 5;

/** A report for people: what was read, what was in it, and what was found. */
export function summarise(report: Report): string {
  return [
    ...report.files.map(fileLine),
    "",
    layerLine("network", report.protocols.network),
    layerLine("transport", report.protocols.transport),
    layerLine("application", report.protocols.application),
    `flows        ${report.flows.tcp} tcp, ${report.flows.udp} udp, ${report.flows.other} other`,
    listLine("dns names", report.dns.names),
    listLine("tls names", report.tls.sni),
    listLine("ja4", report.tls.ja4),
    listLine("ai", report.ai.providers.map(aiEntry)),
    listLine("ai calls", report.ai.calls.map(callEntry)),
    listLine("ai messages", report.ai.protocols.map(messageEntry)),
    "",
    ...eventLines(report.events),
    "",
  ]
    .filter((line) => line !== null)
    .join("\n");
}

function fileLine({
  path,
  format,
  packets,
  bytes,
  firstTimestamp,
  lastTimestamp,
  error,
}: FileReport): string {
  const seconds = (lastTimestamp ?? 0) - (firstTimestamp ?? 0);
  const counts = `${packets} packets, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`;
  return `${path}: ${format}, ${counts}${error === null ? "" : `\n  ${error}`}`;
}

function aiEntry({ provider, category, evidence, flows }: Report["ai"]["providers"][number]) {
  return { value: `${provider} ${category} by ${evidence}`, count: flows };
}

function callEntry({ provider, transport, calls }: Report["ai"]["calls"][number]) {
  return { value: `${provider} over ${transport}`, count: calls };
}

function messageEntry({ protocol, kind, count }: Report["ai"]["protocols"][number]) {
  return { value: `${protocol} ${kind}`, count };
}

function layerLine(name: string, layer: Report["protocols"]["network"]): string {
  const parts = Object.entries(layer)
    .sort(([, a], [, b]) => b.packets - a.packets)
    .map(([protocol, { packets, bytes }]) => `${protocol} ${packets} (${formatBytes(bytes)})`);
  return `${name.padEnd(13)}${parts.join(", ") || "nothing"}`;
}

function listLine(
  name: string,
  entries: readonly { readonly value: string; readonly count: number }[],
): string | null {
  if (entries.length === 0) return null;
  const shown = entries.slice(0, TOP).map(({ value, count }) => `${value} (${count})`);
  const more = entries.length > TOP ? `, ${entries.length - TOP} more` : "";
  return `${name.padEnd(13)}${shown.join(", ")}${more}`;
}

function eventLines(events: readonly Anomaly[]): string[] {
  const opened = events.filter(({ state }) => state === "open");
  if (opened.length === 0) return ["no anomaly found"];
  const plural = opened.length === 1 ? "anomaly" : "anomalies";
  return [
    `${opened.length} ${plural} found:`,
    ...opened.map(({ time, severity, detector, explanation }) => {
      const at = new Date(time * 1000).toISOString();
      return `  ${at} ${severity.toUpperCase().padEnd(8)} ${detector}: ${explanation}`;
    }),
  ];
}

function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
