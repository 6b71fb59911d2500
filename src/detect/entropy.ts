// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * How evenly counts are spread over the places that have any: Shannon entropy over its greatest value, from 0 (all in
 * one place) to 1 (evenly). What a small sample lacks is made up for (Miller and Madow: (places - 1) / 2N nats).
 */
export function evenness(counts: Uint32Array): number {
  let total = 0;
  let places = 0;
  let weighted = 0;
  for (const count of counts) {
    if (count === 0) continue;
    places++;
    total += count;
    weighted += count * Math.log(count);
  }
  if (places < 2) return 0;
  const nats = Math.log(total) - weighted / total + (places - 1) / (2 * total);
  return Math.min(1, nats / Math.log(places));
}
