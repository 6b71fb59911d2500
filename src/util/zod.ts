// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";

// Settings are parsed a few times in the life of a process: compiling a parser for each of their objects, which zod
// decides when a schema is made, takes longer than it saves.
z.config({ jitless: true });

export { z };
