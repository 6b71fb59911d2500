// SPDX-License-Identifier: AGPL-3.0-or-later

/** Path that means standard input. Apart from what reads it, so that a command line is parsed without loading that. */
export const STANDARD_INPUT = "-";
