// SPDX-License-Identifier: AGPL-3.0-or-later
// Numbers and names as a person reads them in an explanation.

/** `1,234`; fractions only below ten. */
export function number(value: number): string {
  if (Math.abs(value) < 10) return String(Math.round(value * 10) / 10);
  return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 port`, `3,000 ports`. */
export function count(value: number, singular: string, plural = `${singular}s`): string {
  const rounded = Math.round(value);
  return `${number(rounded)} ${rounded === 1 ? singular : plural}`;
}

/** `12 %`; one digit below ten. */
export function percent(ratio: number): string {
  return `${number(Math.round(ratio * 1000) / 10)} %`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `1.5 MB`, decimal units. */
export function bytes(value: number): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${number(scaled)} ${BYTE_UNITS[unit]}`;
}

/** A signal's value in its unit: `1,200 packets/s`, `1.5 MB/s`, `12 %`. */
export function rate(value: number, unit: string): string {
  if (unit === "ratio") return percent(value);
  return unit === "bytes" ? `${bytes(value)}/s` : `${number(value)} ${unit}/s`;
}

/** `3 s`, `12 min`, `5 h`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${number(Math.round(seconds))} s`;
  return seconds < 7200
    ? `${number(Math.round(seconds / 60))} min`
    : `${number(Math.round(seconds / 3600))} h`;
}

/** An address and port as one word; IPv6 in brackets. */
export function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
