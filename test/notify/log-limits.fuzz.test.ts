// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe } from "vitest";
import { keepsEveryLimit } from "../support/any-messages.ts";

describe("records for logs", () => keepsEveryLimit("logs"));
