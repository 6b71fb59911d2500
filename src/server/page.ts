// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ActiveAnomaly, AgentStatus, CaptureStatus } from "./contract.ts";
import { Html, html } from "./html.ts";
import { PAGE_STYLE } from "./page-style.ts";

export interface PageOptions {
  readonly telemetryPath: string;
  /** Where the source of the running version is (AGPL-3.0 section 13), null where nobody said. */
  readonly sourceUrl: string | null;
  readonly nowSeconds: number;
}

const REFRESH_SECONDS = 5;
/** Open anomalies shown; the API has them all. */
const SHOWN_ANOMALIES = 20;

/** The landing page: what this is, how it is, and where everything else is. */
export function renderPage(status: AgentStatus, options: PageOptions): string {
  const { telemetryPath, nowSeconds } = options;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>${status.agent} &middot; network-anomaly-monitor</title>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body><main>
<header><h1>network-anomaly-monitor</h1>
<span class="faint">${status.version} on ${status.agent}</span>${stateOf(status)}</header>
<nav><a href="${telemetryPath}">Metrics</a><a href="/api/v1/status">Status</a>
<a href="/api/v1/events">Events</a><a href="/config">Configuration</a></nav>
${numbers(status, nowSeconds)}
<section class="card"><h2>Active anomalies</h2>${anomalies(status, nowSeconds)}</section>
<section class="card"><h2>Capture</h2>${captures(status.captures)}</section>
<footer>Free software under the GNU Affero General Public License, version 3 or later: ${source(options)}.
Revision ${status.revision}. The page renews itself every ${REFRESH_SECONDS} seconds.</footer>
</main></body>
</html>
`.toString();
}

function stateOf({ ready, reason, stealth, learning }: AgentStatus): Html {
  const mode = stealth ? " · stealth" : "";
  if (ready && learning.seconds_left > 0) {
    const left = duration(learning.seconds_left);
    return html`<span class="state warning">learning${mode}: nothing above info for another ${left}</span>`;
  }
  return ready
    ? html`<span class="state good">watching${mode}</span>`
    : html`<span class="state warning">not ready: ${reason}${mode}</span>`;
}

function numbers(status: AgentStatus, nowSeconds: number): Html {
  const { learning } = status;
  const packets = sum(status.captures, (capture) => capture.packets_per_second);
  const bytes = sum(status.captures, (capture) => capture.bytes_per_second);
  const dropped = sum(status.captures, (capture) => capture.dropped);
  return html`<dl class="card numbers">
<div><dt>Packets per second</dt><dd>${count(packets)}</dd></div>
<div><dt>Bits per second</dt><dd>${scaled(bytes * 8)}</dd></div>
<div><dt>Packets lost</dt><dd>${count(dropped)}</dd></div>
<div><dt>Active anomalies</dt><dd>${count(status.active.length)}</dd></div>
<div><dt>Signals with a baseline</dt><dd>${count(learning.signals_ready)} of ${count(learning.signals)}</dd></div>
<div><dt>Running for</dt><dd>${duration(nowSeconds - status.started)}</dd></div>
</dl>`;
}

function anomalies({ active, ready, learning }: AgentStatus, nowSeconds: number): Html {
  if (active.length === 0) {
    if (ready && learning.signals_ready === 0) {
      return html`<p class="faint">None known. No signal has a baseline yet: attacks that need no history are found already, changes of volume are not.</p>`;
    }
    return ready
      ? html`<p class="good">None. Everything is as it usually is.</p>`
      : html`<p class="faint">None known, as nothing is watched at the moment.</p>`;
  }
  const rows = mostSevereFirst(active)
    .slice(0, SHOWN_ANOMALIES)
    .map(
      (anomaly) => html`<tr><td class="${severityClass(anomaly.severity)}">${anomaly.severity}</td>
<td>${anomaly.detector}</td><td>${anomaly.entity.key}</td><td>${anomaly.explanation}</td>
<td class="number">${duration(nowSeconds - anomaly.first_seen)}</td></tr>`,
    );
  const more = active.length - rows.length;
  return html`<table><tr><th>Severity</th><th>Detector</th><th>About</th><th>What</th><th class="number">For</th></tr>
${rows}</table>${more > 0 ? html`<p class="faint">and ${more} more</p>` : ""}`;
}

function captures(list: readonly CaptureStatus[]): Html {
  if (list.length === 0) return html`<p class="faint">Nothing is captured.</p>`;
  const rows = list.map(
    (capture) => html`<tr><td>${capture.interface}</td><td>${capture.source}</td>
<td class="${capture.up ? "good" : "critical"}">${capture.up ? "capturing" : "down"}</td>
<td class="number">${count(capture.packets_per_second)}/s</td><td class="number">${count(capture.packets)}</td>
<td class="number">${count(capture.dropped)}</td></tr>`,
  );
  return html`<table><tr><th>Interface</th><th>Source</th><th>State</th><th class="number">Packets</th>
<th class="number">In all</th><th class="number">Lost</th></tr>${rows}</table>`;
}

function source({ sourceUrl }: PageOptions): Html {
  return sourceUrl === null
    ? html`its source code is to be had from whoever runs it`
    : html`<a href="${sourceUrl}" rel="noreferrer">source code</a>`;
}

const SEVERITIES = ["info", "warning", "critical"];

function mostSevereFirst(active: readonly ActiveAnomaly[]): ActiveAnomaly[] {
  const rank = ({ severity }: ActiveAnomaly): number => SEVERITIES.indexOf(severity);
  return [...active].sort((a, b) => rank(b) - rank(a) || b.first_seen - a.first_seen);
}

/** Only words the style knows become class names. */
function severityClass(severity: string): string {
  return SEVERITIES.includes(severity) ? severity : "faint";
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function scaled(value: number): string {
  const units = ["", " k", " M", " G", " T"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)}${units[unit]}`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}
