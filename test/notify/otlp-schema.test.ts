// SPDX-License-Identifier: AGPL-3.0-or-later
// The payloads against the definitions that the OpenTelemetry project publishes, as its own exporter compiles them.
import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, it } from "vitest";
import { otlpPayload } from "../../src/notify/otlp.ts";
import { alertOf, anyAlert } from "../support/anomalies.ts";

/** What protobufjs makes of a message definition. */
interface MessageType {
  verify(message: object): string | null;
  fromObject(json: unknown): object;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): unknown;
}

const require = createRequire(import.meta.url);
const { opentelemetry } = require("@opentelemetry/otlp-transformer/build/src/generated/root");
const request: MessageType = opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;

/** The JSON that is left of a payload on its way through the binary form: a field nobody defined would be gone. */
function throughProtobuf(payload: unknown): unknown {
  const message = request.fromObject(payload);
  expect(request.verify(message)).toBeNull();
  const received = request.decode(request.encode(message).finish());
  return JSON.parse(JSON.stringify(request.toObject(received, { longs: String, enums: Number })));
}

function payloadOf(alert: ReturnType<typeof alertOf>): unknown {
  return JSON.parse(JSON.stringify(otlpPayload(alert, { nowMs: alert.sentMs, version: "1.0.0" })));
}

it("says nothing that the published definition of a logs request does not know", () => {
  const payload = payloadOf(alertOf());
  expect(throughProtobuf(payload)).toEqual(payload);
  expect(throughProtobuf({ resourceLogs: [{ unknown: 1 }] })).toEqual({ resourceLogs: [{}] });
});

it("does so for alerts of an attacker's choice", () => {
  fc.assert(
    fc.property(anyAlert, (alert) => {
      const payload = payloadOf(alert);
      expect(dropEmpty(throughProtobuf(payload))).toEqual(dropEmpty(payload));
    }),
    { numRuns: 300 },
  );
});

/** Without empty lists, which the binary form cannot tell from none. */
function dropEmpty(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner) =>
      Array.isArray(inner) && inner.length === 0 ? undefined : inner,
    ),
  );
}
