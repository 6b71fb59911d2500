// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * How widely counts are spread over their places: Shannon entropy over the most it could be, from 0 (all in one
 * place) to 1 (as many places as counts, or as there are, evenly). Over the entropy of the places in use instead, few
 * even ones would look like many. What a small sample lacks is made up for (Miller and Madow: (places - 1) / 2N nats).
 */
export function spread(counts: Uint32Array): number {
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
  return Math.min(1, nats / Math.log(Math.min(total, counts.length)));
}
