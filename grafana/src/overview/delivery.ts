// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { dashedThresholds, GREEN, line, ORANGE, stacked, steps, timeseries } from "../panels.ts";
import { increase, rate, select } from "../select.ts";

/** Was everybody told: what the agent's own channels did with its events. */
export function deliveryPanels(): PanelBuilder[] {
  return [attempts(), waiting(), duration(), fates(), keptBack()];
}

function attempts(): PanelBuilder {
  return stacked(
    {
      title: "Attempts to send a message",
      description:
        "By channel and by what came of them. Failed ones are not tried again: somebody was not told.",
      unit: units.Short,
    },
    8,
  ).withTarget(
    line(
      `sum by (channel, outcome) (${increase("nam_notifications_total")}) > 0`,
      "{{channel}} {{outcome}}",
    ),
  );
}

function waiting(): PanelBuilder {
  return timeseries(
    {
      title: "Waiting to be told",
      description:
        "Anomalies that wait for a channel, and how long the next message is overdue (right). A channel that is left alone because it kept failing shows as 1.",
      unit: units.Short,
    },
    8,
  )
    .min(0)
    .withTarget(
      line(
        `sum by (instance, channel) (${select("nam_outbox_depth")})`,
        "{{instance}} {{channel}} waiting",
      ),
    )
    .withTarget(
      line(
        `max by (instance, channel) (${select("nam_channel_circuit_open")})`,
        "{{instance}} {{channel}} left alone",
      ),
    )
    .withTarget(
      line(
        `max by (instance, channel) (${select("nam_outbox_oldest_age_seconds")})`,
        "{{instance}} {{channel}} overdue",
      ),
    )
    .overrideByRegexp("/ overdue$/", [
      { id: "unit", value: units.Seconds },
      { id: "custom.axisPlacement", value: "right" },
    ]);
}

function duration(): PanelBuilder {
  return timeseries(
    {
      title: "From event to delivery",
      description:
        "95th percentile of the time from the first event of a message to its acceptance by the channel, all waits and retries included.",
      unit: units.Seconds,
    },
    8,
  )
    .min(0)
    .thresholds(steps(GREEN, [10, ORANGE]))
    .thresholdsStyle(dashedThresholds())
    .withTarget(
      line(
        `histogram_quantile(0.95, sum by (channel, le) (${rate("nam_notification_seconds_bucket")}))`,
        "{{channel}}",
      ),
    );
}

function fates(): PanelBuilder {
  return stacked(
    {
      title: "What became of events",
      description:
        "By channel: told by name, counted in a digest, or why not. Every event ends in exactly one of them on every channel.",
      unit: units.Short,
    },
    12,
  ).withTarget(
    line(
      `sum by (channel, fate) (${increase("nam_notification_events_total")}) > 0`,
      "{{channel}} {{fate}}",
    ),
  );
}

function keptBack(): PanelBuilder {
  return timeseries(
    {
      title: "Kept back",
      description:
        "Silences and maintenance windows that hold, dead letters that are kept for another try, and agents whose outbox is not on disk, so that a restart would lose what waits.",
      unit: units.Short,
    },
    12,
  )
    .min(0)
    .withTarget(
      line(
        `sum by (instance, kind) (${select("nam_silences_active")}) > 0`,
        "{{instance}} {{kind}}",
      ),
    )
    .withTarget(
      line(
        `sum by (instance, channel) (${select("nam_dead_letters_kept")}) > 0`,
        "{{instance}} {{channel}} dead letters",
      ),
    )
    .withTarget(
      line(
        `1 - min by (instance) (${select("nam_outbox_durable")}) > 0`,
        "{{instance}} not on disk",
      ),
    );
}
