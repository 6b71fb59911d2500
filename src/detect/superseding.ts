// SPDX-License-Identifier: AGPL-3.0-or-later
import type { DetectorDefinition, Entity, Finding } from "./detector.ts";
import type { Incidents } from "./incidents.ts";

/**
 * Findings of which no better detector says the same: none that supersedes this one found it in this tick, or has
 * an incident of it open.
 */
export function notSuperseded(
  { supersededBy = [] }: DetectorDefinition<unknown>,
  findings: readonly Finding[],
  found: ReadonlyMap<string, readonly Finding[]>,
  incidents: Incidents,
): readonly Finding[] {
  if (supersededBy.length === 0) return findings;
  return findings.filter(({ entity }) => {
    const isSame = (better: Entity): boolean => isAbout(better, entity);
    return !supersededBy.some(
      (detector) =>
        incidents.entities(detector).some(isSame) ||
        found.get(detector)?.some((finding) => isSame(finding.entity)),
    );
  });
}

/** True where both are about the same entity, or one about a host and the other about a service of it. */
function isAbout(better: Entity, entity: Entity): boolean {
  if (better.key === entity.key) return true;
  const isHost = entity.kind === "destination" && better.kind === "service";
  return isHost && better.destination === entity.destination;
}
