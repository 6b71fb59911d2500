// SPDX-License-Identifier: AGPL-3.0-or-later
import { beaconTable, chanceTable } from "./beacons.ts";
import { benignTable, playBenign } from "./benign.ts";
import { faultTable, floodTable } from "./floods.ts";
import { guardTable } from "./guards.ts";
import { CHOSEN_NAMES, clientTable, nameTable } from "./names/tables.ts";
import { harmlessTable, scanTable } from "./scans.ts";
import type { Section } from "./section.ts";
import { SOAK, soakTable } from "./soak.ts";
import { alarmTable, storyTable, tellStories } from "./stories.ts";
import { tunnelTable } from "./tunnels.ts";

/** Seeded windows straight into the detectors: what captures of a minute cannot show. */
export async function simulationSection(folder: string): Promise<Section> {
  const told = await tellStories(folder);
  const benign = await playBenign(folder);
  return {
    title: "Simulations",
    parts: [
      "Windows made by seeded generators, judged by the shipped detectors at their defaults.",
      `### Harmless traffic\n\n${SOAK}: a day's shape, slow log-normal swings, Pareto bursts, Poisson counts. Detectors not named told nothing. The target is at most 1 info a series-day from 20/s on, and no critical.`,
      soakTable(),
      "What was wrongly told before the robust baseline had a say were bursts of some seconds just above the limit, which echo in a value that is smoothed over five seconds. Now the tick itself must be that far off, and below twice the limit the robust baseline must agree ([decision 018](decisions/018-robust-baseline.md)).",
      "### SYN floods\n\nThe target is a warning for every flood of +3× within 3 s (p95 10 s), a critical for every one of +10× within 2 s (p95 3 s). It is missed at 2/s: fewer unfinished handshakes a second than `drift` × `minimum_rate`, 14 at the defaults, are taken for clients of a service that is down, however quiet it was before; of 20 a second the surplus adds up for a quarter of a minute. A lower `minimum_rate` finds them, at the price of alarms when a small service fails.",
      floodTable(),
      "The far side fails without an attack; the target is at most 0.05 criticals a day.",
      faultTable(),
      "### Scans",
      scanTable(),
      "The target is no false scanner.",
      harmlessTable(),
      "### Beacons\n\nEach run is a client that calls a server a hundred times. The target is nine of ten at ±20 %, eight of ten at ±50 %, with one false in a thousand. Heavy jitter is judged by the standard deviation of 32 intervals; its limit was chosen with other seeds than those of this table, between jitter of ±50 % and connections that are evenly spread, the most regular of those that come by chance. Neither size nor rarity of the connections is weighed.",
      beaconTable(),
      chanceTable(),
      `### Generated names\n\nThe score of letters was learned from names of software packages and written for the kinds of the tuning half. The kinds of the report half are other generators, and nothing was chosen by them; of names that people chose (well-known services and companies, ${CHOSEN_NAMES}) every other one gives the limits of the first table, and the rest the share that is wrongly found. The target is 60 % of the names at 5 % false ones, 50 % at 1 %, and 96 % of groups of ten at 0.1 %. It is met for every kind that draws letters or digits, and missed for names that can be spoken and those made of words: their letters are those of people, and the detector knows them by their number alone (100 that do not exist, as info).`,
      nameTable(),
      "The detector at its defaults, half of whose client's answers say that a name does not exist; told is a warning within 25 names.",
      clientTable(),
      "### DNS tunnels\n\nQueries for addresses, which is the hardest kind to tell. The target is all of them within 5 min from 0.4 queries a second on. Names of less than 24 characters that do not ask for types that carry data are told as info, since an inventory of hosts looks like them, and as a warning from 1,000 on: only where nearly every name is new, and where they are most of what the client asks.",
      await tunnelTable(folder),
      "### Stories that fool a baseline\n\nOne target is missed: who was attacked from the first second knows nothing else, and is told of the end of it, as info.",
      guardTable(),
      "### Harmless traffic that looks like something else\n\nBuilt as packets, and replayed into a fresh agent with default settings. Some thresholds and rules were made or changed because of these stories, so they show that what is known is mended, and not how often the unknown is wrong. The target is no warning and no critical. It is missed by the web server that restarts under load, whose clients really are not answered for as long as that takes.",
      benignTable(benign),
      "### Attacks told as packets\n\nWhat each detector is about, built as packets and replayed into a fresh agent, with other settings than the defaults where learning would take days. They are the stories of the tests, written by those who wrote the detectors: they show that each does what it says, through the whole pipeline, and how fast, but not how often an attack of another make would be missed. The time runs from the first packet of the story; where the detector has to learn first, most of it is learning.",
      storyTable(told),
      "Each story has a harmless twin that looks like it. False alarms in these, and in the harmless traffic above, by detector:",
      alarmTable([...told.map(({ twin }) => twin), ...benign]),
    ],
  };
}
