// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Logger } from "pino";

/** The logger every stage is handed; a child names the stage. Messages are static, data goes in the object. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "child">;
