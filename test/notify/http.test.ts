// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postJson } from "../../src/notify/http.ts";
import { Secret } from "../../src/util/secret.ts";
import { settle } from "../support/fake-clock.ts";

const errors: unknown[] = [];
const note = (error: unknown): void => void errors.push(error);

beforeAll(() => void process.prependListener("uncaughtException", note));
afterAll(() => void process.off("uncaughtException", note));

describe("a request", () => {
  it("that was stopped before it began is not sent, and ends nothing but itself", async () => {
    const target = {
      ...{ url: new Secret("http://127.0.0.1:9/"), label: "the receiver", timeoutMs: 3_000 },
      policy: { allowHttp: true, allowPrivate: true },
    };
    const result = await postJson(target, { text: "x".repeat(100) }, AbortSignal.abort());
    await settle();
    expect(result.kind).not.toBe("answer");
    expect(errors).toEqual([]);
  });
});
